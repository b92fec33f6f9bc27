/* Callbacks of sockets: posted to the networking worker, which runs them one by one. */
#include "board.h"
#include "tcp.h"
#include "tls.h"
#include "wiced_rtos.h"

typedef wiced_tcp_socket_callback_t (*pick_t)(const tcp_socket_t* socket);

static wiced_tcp_socket_callback_t pick_connect(const tcp_socket_t* socket) {
    return socket->connect_callback;
}

static wiced_tcp_socket_callback_t pick_receive(const tcp_socket_t* socket) {
    return socket->receive_callback;
}

static wiced_tcp_socket_callback_t pick_disconnect(const tcp_socket_t* socket) {
    return socket->disconnect_callback;
}

/* Drops what was queued for a socket that is gone or has unregistered since. */
static wiced_result_t dispatch(tcp_socket_t* socket, pick_t pick) {
    wiced_tcp_socket_callback_t callback = pick(socket);
    if (callback != NULL && socket->owner != NULL) {
        socket->is_dispatching = true;
        callback(socket->owner, socket->callback_arg);
        socket->is_dispatching = false;
        kernel_lock();
        kernel_wake_all(&socket->dispatched);
        kernel_unlock();
    }
    tcp_socket_drop(socket);
    return WICED_SUCCESS;
}

static wiced_result_t dispatch_connect(void* arg) {
    return dispatch(arg, pick_connect);
}

static wiced_result_t dispatch_receive(void* arg) {
    return dispatch(arg, pick_receive);
}

static wiced_result_t dispatch_disconnect(void* arg) {
    return dispatch(arg, pick_disconnect);
}

/* False when the worker's queue is full: the next round tries again. */
static bool post(tcp_socket_t* socket, event_handler_t handler) {
    ++socket->references;
    if (wiced_rtos_send_asynchronous_event(WICED_NETWORKING_WORKER_THREAD, handler, socket) ==
        WICED_SUCCESS) {
        return true;
    }
    --socket->references;
    return false;
}

void tcp_events_await_idle(tcp_socket_t* socket) {
    if (wiced_rtos_is_current_thread(&wiced_networking_worker_thread.thread) == WICED_SUCCESS) {
        return;
    }
    kernel_lock();
    while (socket->is_dispatching) {
        (void)kernel_wait(&socket->dispatched, KERNEL_NO_DEADLINE);
    }
    kernel_unlock();
}

void tcp_events_local_disconnect(tcp_socket_t* socket) {
    if (socket->disconnect_callback != NULL) {
        (void)post(socket, dispatch_disconnect);
    }
}

static void watch_listener(tcp_socket_t* socket) {
    if (socket->connect_callback != NULL && socket->listener != NULL &&
        socket->listener->current == socket && socket->listener->waiting != NULL &&
        !socket->is_connect_posted) {
        socket->is_connect_posted = post(socket, dispatch_connect);
    }
}

static void watch_connection(tcp_socket_t* socket, tcp_connection_t* connection) {
    if (!connection->is_ready) {
        return;
    }
    bool has_data =
        connection->received != NULL ||
        (connection->tls != NULL && tls_operations()->has_decrypted_data(connection->tls));
    if (has_data && socket->receive_callback != NULL && !socket->is_receive_posted) {
        socket->is_receive_posted = post(socket, dispatch_receive);
        if (!socket->is_receive_posted) {
            return; /* the end comes after what came before it */
        }
    }
    if (tcp_connection_has_ended(connection) && !connection->is_end_reported) {
        connection->is_end_reported =
            socket->disconnect_callback == NULL || post(socket, dispatch_disconnect);
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

wiced_result_t wiced_tcp_register_callbacks(wiced_tcp_socket_t* socket,
                                            wiced_tcp_socket_callback_t connect_callback,
                                            wiced_tcp_socket_callback_t receive_callback,
                                            wiced_tcp_socket_callback_t disconnect_callback,
                                            void* arg) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    board_add_poll(watch_sockets);
    state->callback_arg = arg;
    if (connect_callback != NULL) {
        state->connect_callback = connect_callback;
    }
    if (receive_callback != NULL) {
        state->receive_callback = receive_callback;
    }
    if (disconnect_callback != NULL) {
        state->disconnect_callback = disconnect_callback;
    }
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_unregister_callbacks(wiced_tcp_socket_t* socket) {
    tcp_socket_t* state = tcp_socket_find(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    state->connect_callback = NULL;
    state->receive_callback = NULL;
    state->disconnect_callback = NULL;
    return WICED_SUCCESS;
}
