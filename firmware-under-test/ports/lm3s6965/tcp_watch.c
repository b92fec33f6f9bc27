/* Watches the sockets that have callbacks, in each round of the board's loop, and posts those. */
#include "board.h"
#include "tcp_events.h"
#include "tls.h"
#include "transport.h"
#include "transport_connection.h"

static void watch_listener(tcp_socket_t* socket) {
    if (socket->connect_callback != NULL && socket->listener != NULL &&
        socket->listener->current == socket && socket->listener->transport.waiting != NULL &&
        !socket->is_connect_posted) {
        socket->is_connect_posted = tcp_events_post_connect_locked(socket);
    }
}

static void watch_connection(tcp_socket_t* socket, tcp_connection_t* connection) {
    if (!connection->is_ready) {
        return;
    }
    bool has_data = connection->transport.received != NULL ||
                    (connection->tls != NULL && tls_has_decrypted_data(connection->tls));
    if (has_data && socket->receive_callback != NULL && !socket->is_receive_posted) {
        socket->is_receive_posted = tcp_events_post_receive_locked(socket);
        if (!socket->is_receive_posted) {
            return; /* the end comes after what came before it */
        }
    }
    if (transport_connection_has_ended(connection) && !connection->is_end_reported) {
        connection->is_end_reported =
            socket->disconnect_callback == NULL || tcp_events_post_disconnect_locked(socket);
    }
}

static uint64_t watch_sockets(void) {
    for (tcp_socket_t* socket = tcp_sockets; socket != NULL; socket = socket->next) {
        if (socket->connection != NULL) {
            watch_connection(socket, socket->connection);
        } else {
            watch_listener(socket);
        }
    }
    return KERNEL_NO_DEADLINE;
}

void transport_watch(void) {
    board_add_poll(watch_sockets);
}
