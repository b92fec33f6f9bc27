#include "wiced.h"
#include "linked_list.h"

#define TCP_SERVER_PORT 27708
#define MAX_CONNECTIONS 4

typedef struct { uint16_t device; uint8_t reg; uint16_t value; } entry_t;
typedef struct { linked_list_node_t node; entry_t entry; } item_t;

static wiced_tcp_server_t tcp_server;
static linked_list_t db;
static int serial;

static wiced_bool_t same( linked_list_node_t* node_to_compare, void* user_data )
{
    entry_t* a = (entry_t*) node_to_compare->data;
    entry_t* b = (entry_t*) user_data;
    return ( a->device == b->device && a->reg == b->reg ) ? WICED_TRUE : WICED_FALSE;
}

static wiced_result_t connect_callback( wiced_tcp_socket_t* socket, void* arg )
{
    wiced_ip_address_t ip; uint16_t port;
    wiced_result_t result = wiced_tcp_server_accept( (wiced_tcp_server_t*) arg, socket );
    wiced_tcp_server_peer( socket, &ip, &port );
    WPRINT_APP_INFO( ( "connect " IPV4_PRINT_FORMAT " %u: %d\n", IPV4_SPLIT_TO_PRINT( ip ), (unsigned) port, result ) );
    return result;
}

static wiced_result_t receive_callback( wiced_tcp_socket_t* socket, void* arg )
{
    wiced_tcp_stream_t stream;
    char buffer[ 12 ];
    uint32_t count = 0;
    char command; unsigned int dev, reg, value;
    entry_t entry;
    linked_list_node_t* node;

    wiced_tcp_stream_init( &stream, socket );
    memset( buffer, 0, sizeof buffer );
    wiced_tcp_stream_read_with_count( &stream, buffer, 11, 100, &count );
    command = buffer[0];
    if ( command == 'W' && count == 11 && sscanf( buffer, "%c%4x%2x%4x", &command, &dev, &reg, &value ) == 4 )
    {
        entry.device = dev; entry.reg = reg; entry.value = value;
        if ( linked_list_find_node( &db, same, &entry, &node ) == WICED_SUCCESS )
            ( (entry_t*) node->data )->value = value;
        else
        {
            item_t* item = MALLOC_OBJECT( "item", item_t );
            item->entry = entry;
            linked_list_set_node_data( &item->node, &item->entry );
            linked_list_insert_node_at_rear( &db, &item->node );
        }
        buffer[0] = 'A';
        wiced_tcp_stream_write( &stream, buffer, 11 );
    }
    else if ( command == 'R' && count == 7 && sscanf( buffer, "%c%4x%2x", &command, &dev, &reg ) == 3 )
    {
        entry.device = dev; entry.reg = reg;
        if ( linked_list_find_node( &db, same, &entry, &node ) == WICED_SUCCESS )
        {
            sprintf( buffer, "A%04X%02X%04X", dev, reg, ( (entry_t*) node->data )->value );
            wiced_tcp_stream_write( &stream, buffer, 11 );
        }
        else wiced_tcp_stream_write( &stream, "X", 1 );
    }
    else if ( count ) wiced_tcp_stream_write( &stream, "X Illegal", 9 );
    wiced_tcp_stream_flush( &stream );
    wiced_tcp_stream_deinit( &stream );
    WPRINT_APP_INFO( ( "%d: %s\n", ++serial, buffer ) );
    return WICED_SUCCESS;
}

static wiced_result_t disconnect_callback( wiced_tcp_socket_t* socket, void* arg )
{
    WPRINT_APP_INFO( ( "disconnect\n" ) );
    return wiced_tcp_server_disconnect_socket( (wiced_tcp_server_t*) arg, socket );
}

void application_start( void )
{
    wiced_init( );
    linked_list_init( &db );
    if ( wiced_network_up( WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL ) != WICED_SUCCESS ) return;
    wiced_result_t result = wiced_tcp_server_start( &tcp_server, WICED_STA_INTERFACE, TCP_SERVER_PORT, MAX_CONNECTIONS,
                                     connect_callback, receive_callback, disconnect_callback, &tcp_server );
    WPRINT_APP_INFO( ( "server start %d\n", result ) );
}
