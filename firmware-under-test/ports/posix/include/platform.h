/*
 * The simulated board: two buttons with pull-ups that read low when pressed, two LEDs that are on
 * when high, and further pins that nothing is wired to. The wire's pin numbers are these numbers.
 */
#pragma once

#include <stdint.h>

typedef enum {
    WICED_GPIO_1,
    WICED_GPIO_2,
    WICED_GPIO_3,
    WICED_GPIO_4,
    WICED_GPIO_5,
    WICED_GPIO_6,
    WICED_GPIO_7,
    WICED_GPIO_8,
    WICED_GPIO_9,
    WICED_GPIO_10,
    WICED_GPIO_11,
    WICED_GPIO_12,
    WICED_GPIO_13,
    WICED_GPIO_14,
    WICED_GPIO_15,
    WICED_GPIO_16,
    WICED_GPIO_17,
    WICED_GPIO_18,
    WICED_GPIO_19,
    WICED_GPIO_20,
    WICED_GPIO_21,
    WICED_GPIO_22,
    WICED_GPIO_23,
    WICED_GPIO_24,
    WICED_GPIO_25,
    WICED_GPIO_26,
    WICED_GPIO_27,
    WICED_GPIO_28,
    WICED_GPIO_29,
    WICED_GPIO_30,
    WICED_GPIO_31,
    WICED_GPIO_32,
    WICED_GPIO_MAX,
    WICED_GPIO_NONE = 0x7fffffff,
} wiced_gpio_t;

typedef enum {
    WICED_UART_1,
    WICED_UART_2,
    WICED_UART_MAX,
    WICED_UART_NONE = 0x7fffffff,
} wiced_uart_t;

typedef enum {
    WICED_ACTIVE_LOW = 0,
    WICED_ACTIVE_HIGH = 1,
} wiced_active_state_t;

#define WICED_BUTTON1 (WICED_GPIO_1)
#define WICED_BUTTON2 (WICED_GPIO_2)
#define WICED_LED1 (WICED_GPIO_3)
#define WICED_LED2 (WICED_GPIO_4)
#define WICED_LED1_ON_STATE (WICED_ACTIVE_HIGH)
#define WICED_LED2_ON_STATE (WICED_ACTIVE_HIGH)
/* For the buttons library of wiced_platform.h. */
typedef enum {
    PLATFORM_BUTTON_1,
    PLATFORM_BUTTON_2,
    PLATFORM_BUTTON_MAX,
} platform_button_t;

#define STDIO_UART (WICED_UART_1)
