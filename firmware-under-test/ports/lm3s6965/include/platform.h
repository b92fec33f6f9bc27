/*
 * The evaluation board of the LM3S6965. A pin's number is eight times its port's place in the
 * alphabet plus its bit. The buttons pull their pins low, the LEDs are on when high.
 */
#pragma once

#include <stdint.h>

/* clang-format off */
typedef enum {
    WICED_GPIO_1, WICED_GPIO_2, WICED_GPIO_3, WICED_GPIO_4, /* PA0 to PA3 */
    WICED_GPIO_5, WICED_GPIO_6, WICED_GPIO_7, WICED_GPIO_8, /* PA4 to PA7 */
    WICED_GPIO_9, WICED_GPIO_10, WICED_GPIO_11, WICED_GPIO_12, /* PB0 to PB3 */
    WICED_GPIO_13, WICED_GPIO_14, WICED_GPIO_15, WICED_GPIO_16, /* PB4 to PB7 */
    WICED_GPIO_17, WICED_GPIO_18, WICED_GPIO_19, WICED_GPIO_20, /* PC0 to PC3 */
    WICED_GPIO_21, WICED_GPIO_22, WICED_GPIO_23, WICED_GPIO_24, /* PC4 to PC7 */
    WICED_GPIO_25, WICED_GPIO_26, WICED_GPIO_27, WICED_GPIO_28, /* PD0 to PD3 */
    WICED_GPIO_29, WICED_GPIO_30, WICED_GPIO_31, WICED_GPIO_32, /* PD4 to PD7 */
    WICED_GPIO_33, WICED_GPIO_34, WICED_GPIO_35, WICED_GPIO_36, /* PE0 to PE3 */
    WICED_GPIO_37, WICED_GPIO_38, WICED_GPIO_39, WICED_GPIO_40, /* PE4 to PE7 */
    WICED_GPIO_41, WICED_GPIO_42, WICED_GPIO_43, WICED_GPIO_44, /* PF0 to PF3 */
    WICED_GPIO_45, WICED_GPIO_46, WICED_GPIO_47, WICED_GPIO_48, /* PF4 to PF7 */
    WICED_GPIO_49, WICED_GPIO_50, WICED_GPIO_51, WICED_GPIO_52, /* PG0 to PG3 */
    WICED_GPIO_53, WICED_GPIO_54, WICED_GPIO_55, WICED_GPIO_56, /* PG4 to PG7 */
    WICED_GPIO_MAX,
    WICED_GPIO_NONE = 0x7fffffff,
} wiced_gpio_t;
/* clang-format on */

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

#define WICED_BUTTON1 (WICED_GPIO_42) /* PF1, "select" */
#define WICED_BUTTON2 (WICED_GPIO_33) /* PE0, "up" */
#define WICED_LED1 (WICED_GPIO_41)    /* PF0, "status" */
#define WICED_LED2 (WICED_GPIO_43)    /* PF2 */
#define WICED_LED1_ON_STATE (WICED_ACTIVE_HIGH)
#define WICED_LED2_ON_STATE (WICED_ACTIVE_HIGH)

/* For the buttons library of wiced_platform.h. */
typedef enum {
    PLATFORM_BUTTON_1,
    PLATFORM_BUTTON_2,
    PLATFORM_BUTTON_MAX,
} platform_button_t;

#define STDIO_UART (WICED_UART_1)
