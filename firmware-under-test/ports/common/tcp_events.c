#include "tcp_events.h"

#include "transport.h"
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
    tcp_lock();
    wiced_tcp_socket_callback_t callback = pick(socket);
    wiced_tcp_socket_t* owner = socket->owner;
    if (callback != NULL && owner != NULL) {
        void* arg = socket->callback_arg;
        socket->is_dispatching = true;
        tcp_unlock();
        callback(owner, arg);
        tcp_lock();
        socket->is_dispatching = false;
        transport_dispatched(socket);
    }
    tcp_socket_drop_locked(socket);
    tcp_unlock();
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

static bool post_locked(tcp_socket_t* socket, event_handler_t handler) {
    ++socket->references;
    if (wiced_rtos_send_asynchronous_event(WICED_NETWORKING_WORKER_THREAD, handler, socket) ==
        WICED_SUCCESS) {
        return true;
    }
    --socket->references;
    return false;
}

bool tcp_events_post_connect_locked(tcp_socket_t* socket) {
    return post_locked(socket, dispatch_connect);
}

bool tcp_events_post_receive_locked(tcp_socket_t* socket) {
    return post_locked(socket, dispatch_receive);
}

bool tcp_events_post_disconnect_locked(tcp_socket_t* socket) {
    return post_locked(socket, dispatch_disconnect);
}

void tcp_events_local_disconnect(tcp_socket_t* socket) {
    tcp_lock();
    if (socket->disconnect_callback != NULL) {
        (void)post_locked(socket, dispatch_disconnect);
    }
    tcp_unlock();
}

void tcp_events_await_idle_locked(tcp_socket_t* socket) {
    if (wiced_rtos_is_current_thread(&wiced_networking_worker_thread.thread) == WICED_SUCCESS) {
        return;
    }
    while (socket->is_dispatching) {
        transport_await_dispatched(socket);
    }
}

wiced_result_t wiced_tcp_register_callbacks(wiced_tcp_socket_t* socket,
                                            wiced_tcp_socket_callback_t connect_callback,
                                            wiced_tcp_socket_callback_t receive_callback,
                                            wiced_tcp_socket_callback_t disconnect_callback,
                                            void* arg) {
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
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
    }
    tcp_unlock();
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    transport_watch();
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_unregister_callbacks(wiced_tcp_socket_t* socket) {
    tcp_lock();
    tcp_socket_t* state = tcp_socket_find_locked(socket);
    if (state != NULL) {
        state->connect_callback = NULL;
        state->receive_callback = NULL;
        state->disconnect_callback = NULL;
    }
    tcp_unlock();
    tcp_changed();
    return state != NULL ? WICED_SUCCESS : WICED_TCPIP_INVALID_SOCKET;
}
