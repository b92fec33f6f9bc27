/*
 * Button client: on each press, sends the LED state over TLS and over plain TCP, with packets.
 */
#include "wiced.h"
#include "wiced_tls.h"
#include "resources.h"

#define PLAIN_PORT        (27708)
#define TLS_PORT          (40508)
#define RETRIES           (3)
#define TIMEOUT           (2000)
#define STACK             (6200)

typedef struct
{
    uint16_t reg;
    uint16_t value;
    wiced_bool_t secure;
} msg_t;

static void client_thread( wiced_thread_arg_t arg );
static void led_thread( uint32_t arg );
static void button_isr( void* arg );

static wiced_thread_t    clientHandle, ledHandle;
static wiced_semaphore_t buttonSem;
static wiced_queue_t     queue;
static wiced_mutex_t     printMutex;
static wiced_ip_address_t serverAddress;
static const wiced_ip_address_t INITIALISER_IPV4_ADDRESS( fallback, MAKE_IPV4_ADDRESS( 198, 51, 100, 3 ) );
static wiced_mac_t       myMac;

static const wiced_ip_setting_t device_init_ip_settings =
{
    INITIALISER_IPV4_ADDRESS( .ip_address, MAKE_IPV4_ADDRESS( 192, 168, 0, 1 ) ),
    INITIALISER_IPV4_ADDRESS( .netmask,    MAKE_IPV4_ADDRESS( 255, 255, 255, 0 ) ),
    INITIALISER_IPV4_ADDRESS( .gateway,    MAKE_IPV4_ADDRESS( 192, 168, 0, 1 ) ),
};

static void print_ip( const char* what, wiced_ip_address_t ip )
{
    WPRINT_APP_INFO( ( "%s %d.%d.%d.%d\n", what,
                       (int)( ( GET_IPV4_ADDRESS( ip ) >> 24 ) & 0xFF ),
                       (int)( ( GET_IPV4_ADDRESS( ip ) >> 16 ) & 0xFF ),
                       (int)( ( GET_IPV4_ADDRESS( ip ) >> 8 ) & 0xFF ),
                       (int)( GET_IPV4_ADDRESS( ip ) & 0xFF ) ) );
}

static wiced_result_t send_message( const msg_t* msg )
{
    wiced_tcp_socket_t  socket;
    wiced_tls_context_t tls_context;
    wiced_packet_t*     tx_packet;
    wiced_packet_t*     rx_packet;
    char*               tx_data;
    char*               rx_data;
    uint16_t            available_data_length, total, fragment;
    uint16_t            device = 0;
    wiced_result_t      result;
    int                 connection_retries = 0, i;

    for ( i = 0; i < 6; i++ ) device += myMac.octet[i];
    if ( wiced_tcp_create_socket( &socket, WICED_STA_INTERFACE ) != WICED_SUCCESS )
    {
        WPRINT_APP_INFO( ( "TCP socket creation failed\n" ) );
        return WICED_ERROR;
    }
    wiced_tcp_bind( &socket, WICED_ANY_PORT );
    if ( msg->secure )
    {
        wiced_tls_init_context( &tls_context, NULL, NULL );
        wiced_tcp_enable_tls( &socket, &tls_context );
    }
    do
    {
        result = wiced_tcp_connect( &socket, &serverAddress, msg->secure ? TLS_PORT : PLAIN_PORT, TIMEOUT );
        connection_retries++;
    } while ( result != WICED_SUCCESS && connection_retries < RETRIES );
    if ( result != WICED_SUCCESS )
    {
        WPRINT_APP_INFO( ( "Unable to connect to the server! Result %d\n", result ) );
        wiced_tcp_delete_socket( &socket );
        return result;
    }
    if ( wiced_packet_create_tcp( &socket, 11, &tx_packet, (uint8_t**) &tx_data, &available_data_length ) != WICED_SUCCESS )
    {
        wiced_tcp_delete_socket( &socket );
        return WICED_ERROR;
    }
    sprintf( tx_data, "W%04X%02X%04X", device, msg->reg, msg->value );
    wiced_packet_set_data_end( tx_packet, (uint8_t*) tx_data + 11 );
    if ( wiced_tcp_send_packet( &socket, tx_packet ) != WICED_SUCCESS )
    {
        wiced_packet_delete( tx_packet );
        wiced_tcp_delete_socket( &socket );
        return WICED_ERROR;
    }
    wiced_packet_delete( tx_packet );
    result = wiced_tcp_receive( &socket, &rx_packet, 500 );
    if ( result == WICED_SUCCESS )
    {
        wiced_packet_get_data( rx_packet, 0, (uint8_t**) &rx_data, &fragment, &total );
        rx_data[ total ] = '\x0';
        wiced_rtos_lock_mutex( &printMutex );
        WPRINT_APP_INFO( ( "%s reply: %s\n", msg->secure ? "secure" : "plain", rx_data ) );
        wiced_rtos_unlock_mutex( &printMutex );
        wiced_packet_delete( rx_packet );
    }
    else
    {
        WPRINT_APP_INFO( ( "no reply: %d\n", result ) );
    }
    wiced_tcp_disconnect( &socket );
    wiced_tcp_delete_socket( &socket );
    if ( msg->secure ) wiced_tls_deinit_context( &tls_context );
    return result;
}

void application_start( void )
{
    const void* root;
    uint32_t    size;
    wiced_interface_t interface;

    wiced_init( );
    wiced_rtos_init_semaphore( &buttonSem );
    wiced_rtos_init_mutex( &printMutex );
    wiced_rtos_init_queue( &queue, "messages", sizeof( msg_t ) + 2 * ( sizeof( msg_t ) % 4 ? 1 : 0 ), 4 );
    while ( wiced_network_up_default( &interface, &device_init_ip_settings ) != WICED_SUCCESS )
        WPRINT_APP_INFO( ( "retry\n" ) );
    wiced_wifi_get_mac_address( &myMac );
    if ( resource_get_readonly_buffer( &resources_apps_DIR_lab_DIR_root_pem, 0, 2048, &size, &root ) != RESOURCE_SUCCESS )
        return;
    if ( wiced_tls_init_root_ca_certificates( root, size ) != WICED_SUCCESS )
        WPRINT_APP_INFO( ( "root certificate is bad\n" ) );
    resource_free_readonly_buffer( &resources_apps_DIR_lab_DIR_root_pem, root );
    if ( wiced_hostname_lookup( "wwep.ww101.cypress.com", &serverAddress, 10000 ) != WICED_SUCCESS )
        serverAddress = fallback;
    print_ip( "server", serverAddress );
    wiced_rtos_create_thread( &clientHandle, WICED_DEFAULT_LIBRARY_PRIORITY, NULL, client_thread, STACK, NULL );
    wiced_rtos_create_thread( &ledHandle, 7, "led", (wiced_thread_function_t) led_thread, STACK, (void*) 5 );
    wiced_gpio_input_irq_enable( WICED_BUTTON1, IRQ_TRIGGER_FALLING_EDGE, button_isr, NULL );
    WPRINT_APP_INFO( ( "Press the button\n" ) );
}

static void button_isr( void* arg )
{
    UNUSED_PARAMETER( arg );
    wiced_rtos_set_semaphore( &buttonSem );
}

static void led_thread( uint32_t arg )
{
    static msg_t msg;
    msg.reg = (uint16_t) arg;
    while ( 1 )
    {
        wiced_rtos_get_semaphore( &buttonSem, WICED_WAIT_FOREVER );
        msg.value = !msg.value;
        if ( msg.value ) wiced_gpio_output_high( WICED_LED1 ); else wiced_gpio_output_low( WICED_LED1 );
        msg.secure = WICED_FALSE;
        wiced_rtos_push_to_queue( &queue, &msg, WICED_WAIT_FOREVER );
        msg.secure = WICED_TRUE;
        wiced_rtos_push_to_queue( &queue, &msg, WICED_WAIT_FOREVER );
    }
}

static void client_thread( wiced_thread_arg_t arg )
{
    struct { msg_t msg; uint32_t spare; } received;
    while ( 1 )
    {
        wiced_rtos_pop_from_queue( &queue, &received, WICED_WAIT_FOREVER );
        send_message( &received.msg );
    }
    WICED_END_OF_CURRENT_THREAD( );
}
