/*
 * General-purpose pins, LEDs and UARTs. Which pins a board has stands in its platform.h.
 * Pin functions set and give electrical levels, never "on" or "pressed", and work in interrupt
 * handlers.
 */
#pragma once

#include <stdint.h>

#include "platform.h"
#include "wiced_result.h"

typedef enum {
    INPUT_PULL_UP,
    INPUT_PULL_DOWN,
    INPUT_HIGH_IMPEDANCE,
    OUTPUT_PUSH_PULL,
    OUTPUT_OPEN_DRAIN_NO_PULL,
    OUTPUT_OPEN_DRAIN_PULL_UP,
} wiced_gpio_config_t;

typedef enum {
    IRQ_TRIGGER_RISING_EDGE = 1,
    IRQ_TRIGGER_FALLING_EDGE = 2,
    IRQ_TRIGGER_BOTH_EDGES = 3,
    IRQ_TRIGGER_LEVEL_HIGH = 4,
    IRQ_TRIGGER_LEVEL_LOW = 8,
} wiced_gpio_irq_trigger_t;

typedef void (*wiced_gpio_irq_handler_t)(void* arg);

typedef enum {
    WICED_LED_INDEX_1 = 0,
    WICED_LED_INDEX_2,
    WICED_LED_INDEX_3,
    WICED_LED_INDEX_4,
} wiced_led_index_t;

typedef enum {
    WICED_LED_OFF = 0,
    WICED_LED_ON = 1,
} wiced_led_state_t;

typedef enum {
    DATA_WIDTH_5BIT = 0,
    DATA_WIDTH_6BIT,
    DATA_WIDTH_7BIT,
    DATA_WIDTH_8BIT,
    DATA_WIDTH_9BIT,
} platform_uart_data_width_t;

typedef enum {
    NO_PARITY = 0,
    ODD_PARITY,
    EVEN_PARITY,
} platform_uart_parity_t;

typedef enum {
    STOP_BITS_1 = 0,
    STOP_BITS_2,
} platform_uart_stop_bits_t;

typedef enum {
    FLOW_CONTROL_DISABLED = 0,
    FLOW_CONTROL_CTS,
    FLOW_CONTROL_RTS,
    FLOW_CONTROL_CTS_RTS,
} platform_uart_flow_control_t;

typedef struct {
    uint32_t baud_rate;
    platform_uart_data_width_t data_width;
    platform_uart_parity_t parity;
    platform_uart_stop_bits_t stop_bits;
    platform_uart_flow_control_t flow_control;
} wiced_uart_config_t;

typedef struct {
    uint8_t* buffer;
    uint32_t size;
    volatile uint32_t head;
    volatile uint32_t tail;
} wiced_ring_buffer_t;

/* new_state: WICED_TRUE while pressed. Called in interrupt context, without debouncing. */
typedef void (*platform_button_state_change_callback_t)(platform_button_t id,
                                                        wiced_bool_t new_state);

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_gpio_init(wiced_gpio_t gpio, wiced_gpio_config_t configuration);
wiced_result_t wiced_gpio_deinit(wiced_gpio_t gpio);
wiced_result_t wiced_gpio_output_high(wiced_gpio_t gpio);
wiced_result_t wiced_gpio_output_low(wiced_gpio_t gpio);
wiced_bool_t wiced_gpio_input_get(wiced_gpio_t gpio);
/* A line that is already enabled keeps its handler and gives WICED_PLATFORM_NO_EFFECT. */
wiced_result_t wiced_gpio_input_irq_enable(wiced_gpio_t gpio, wiced_gpio_irq_trigger_t trigger,
                                           wiced_gpio_irq_handler_t handler, void* arg);
wiced_result_t wiced_gpio_input_irq_disable(wiced_gpio_t gpio);
wiced_result_t wiced_led_set_state(wiced_led_index_t led, wiced_led_state_t state);

/* The buttons library: buttons by number, pressed or not, whatever their polarity. */
wiced_result_t platform_button_init(platform_button_t button);
wiced_result_t platform_button_deinit(platform_button_t button);
/* From here on changes are reported, until it is disabled. */
wiced_result_t platform_button_enable(platform_button_t button);
wiced_result_t platform_button_disable(platform_button_t button);
wiced_bool_t platform_button_get_value(platform_button_t button);
/* One callback for all buttons. */
wiced_result_t platform_button_register_state_change_callback(
    platform_button_state_change_callback_t callback);

/* STDIO_UART is the SDK's: init gives WICED_ERROR, transmit and receive work without it. */
wiced_result_t wiced_uart_init(wiced_uart_t uart, const wiced_uart_config_t* config,
                               wiced_ring_buffer_t* optional_rx_buffer);
wiced_result_t wiced_uart_deinit(wiced_uart_t uart);
wiced_result_t wiced_uart_transmit_bytes(wiced_uart_t uart, const void* data, uint32_t size);
/* size: bytes wanted on the way in, bytes received on the way out. */
wiced_result_t wiced_uart_receive_bytes(wiced_uart_t uart, void* data, uint32_t* size,
                                        uint32_t timeout_ms);
wiced_result_t ring_buffer_init(wiced_ring_buffer_t* ring, uint8_t* buffer, uint32_t size);

#ifdef __cplusplus
}
#endif
