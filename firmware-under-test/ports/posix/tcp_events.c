#include "tcp_events.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.h"
#include "wiced_rtos.h"

/* How long the watcher waits before it tries again to post to a full worker. */
#define FULL_WORKER_PAUSE_MS 2

typedef struct {
    tcp_socket_t* socket;
    tcp_connection_t* connection; /* NULL: the listener is watched */
    bool has_decrypted_data;
} watch_t;

static int changed_fd = -1;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;

void tcp_events_changed(void) {
    uint64_t one = 1;
    if (changed_fd >= 0) {
        (void)!write(changed_fd, &one, sizeof(one));
    }
}

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
    pthread_mutex_lock(&tcp_lock);
    wiced_tcp_socket_callback_t callback = pick(socket);
    wiced_tcp_socket_t* owner = socket->owner;
    if (callback != NULL && owner != NULL) {
        void* arg = socket->callback_arg;
        socket->is_dispatching = true;
        pthread_mutex_unlock(&tcp_lock);
        callback(owner, arg);
        pthread_mutex_lock(&tcp_lock);
        socket->is_dispatching = false;
        pthread_cond_broadcast(&idle);
    }
    tcp_socket_drop_locked(socket);
    pthread_mutex_unlock(&tcp_lock);
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

/* Under tcp_lock. False when the worker's queue is full. */
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
    while (socket->is_dispatching) {
        pthread_cond_wait(&idle, &tcp_lock);
    }
}

void tcp_events_local_disconnect(tcp_socket_t* socket) {
    pthread_mutex_lock(&tcp_lock);
    if (socket->disconnect_callback != NULL) {
        (void)post(socket, dispatch_disconnect);
    }
    pthread_mutex_unlock(&tcp_lock);
}

/* What to poll for on behalf of socket, and on which descriptor; false for nothing. */
static bool describe(tcp_socket_t* socket, struct pollfd* descriptor, watch_t* watch) {
    tcp_connection_t* connection = socket->connection;
    *watch = (watch_t){.socket = socket, .connection = connection};
    if (connection == NULL) {
        *descriptor = (struct pollfd){.events = POLLIN};
        bool is_wanted = socket->connect_callback != NULL && socket->listener != NULL &&
                         socket->listener->current == socket && !socket->is_connect_posted;
        if (is_wanted) {
            descriptor->fd = socket->listener->fd;
        }
        return is_wanted;
    }
    bool wants_data = socket->receive_callback != NULL && !socket->is_receive_posted;
    bool wants_end = socket->disconnect_callback != NULL && !connection->is_end_reported;
    *descriptor = (struct pollfd){.fd = connection->fd};
    descriptor->events = (short)((wants_data ? POLLIN : 0) | (wants_end ? POLLRDHUP : 0));
    watch->has_decrypted_data = wants_data && connection->is_ready && connection->tls != NULL &&
                                tls_has_decrypted_data(connection->tls);
    return connection->is_ready && descriptor->events != 0;
}

/* Under tcp_lock; returns false when something could not be posted. */
static bool act(const watch_t* watch, short wanted, short revents) {
    tcp_socket_t* socket = watch->socket;
    if (socket->connection != watch->connection || socket->owner == NULL) {
        return true;
    }
    if (watch->connection == NULL) {
        socket->is_connect_posted = post(socket, dispatch_connect);
        return socket->is_connect_posted;
    }
    bool is_posted = true;
    bool is_ended = (revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    if ((wanted & POLLIN) != 0) {
        uint8_t byte;
        bool has_data = watch->has_decrypted_data ||
                        recv(watch->connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
        if (has_data) {
            is_posted = post(socket, dispatch_receive);
            socket->is_receive_posted = is_posted;
        } else if (is_ended || (revents & POLLIN) != 0) {
            socket->is_receive_posted = true; /* nothing more will come */
        }
    }
    if (is_posted && is_ended && !watch->connection->is_end_reported) {
        watch->connection->is_end_reported = true;
        if (socket->disconnect_callback != NULL) {
            is_posted = post(socket, dispatch_disconnect);
            watch->connection->is_end_reported = is_posted;
        }
    }
    return is_posted;
}

static void watch_sockets(void* context, void* arg) {
    (void)context;
    (void)arg;
    struct pollfd descriptors[TCP_EVENTS_SOCKETS_MAX + 1];
    watch_t watches[TCP_EVENTS_SOCKETS_MAX];
    bool is_all_posted = true;
    for (;;) {
        nfds_t count = 0;
        int timeout_ms = is_all_posted ? -1 : FULL_WORKER_PAUSE_MS;
        pthread_mutex_lock(&tcp_lock);
        for (tcp_socket_t* socket = tcp_sockets; socket != NULL; socket = socket->next) {
            if (count < TCP_EVENTS_SOCKETS_MAX &&
                describe(socket, &descriptors[count], &watches[count])) {
                ++socket->references;
                if (socket->connection != NULL) {
                    ++socket->connection->references;
                }
                timeout_ms = watches[count].has_decrypted_data && is_all_posted ? 0 : timeout_ms;
                ++count;
            }
        }
        pthread_mutex_unlock(&tcp_lock);

        descriptors[count] = (struct pollfd){.fd = changed_fd, .events = POLLIN};
        if (!is_all_posted) {
            /* What is ready stays ready: give the worker time first. */
            struct pollfd pause = descriptors[count];
            (void)poll(&pause, 0, FULL_WORKER_PAUSE_MS);
        }
        (void)poll(descriptors, count + 1, timeout_ms);
        if (descriptors[count].revents != 0) {
            uint64_t ignored;
            (void)!read(changed_fd, &ignored, sizeof(ignored));
        }

        is_all_posted = true;
        pthread_mutex_lock(&tcp_lock);
        for (nfds_t i = 0; i < count; ++i) {
            if (descriptors[i].revents != 0 || watches[i].has_decrypted_data) {
                is_all_posted &= act(&watches[i], descriptors[i].events, descriptors[i].revents);
            }
            if (watches[i].connection != NULL) {
                tcp_connection_drop_locked(watches[i].connection);
            }
            tcp_socket_drop_locked(watches[i].socket);
        }
        pthread_mutex_unlock(&tcp_lock);
    }
}

bool tcp_events_boot(void) {
    kernel_thread_plan_t plan = {.name = "network", .main = watch_sockets};
    changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return changed_fd >= 0 && kernel_thread_start(&plan) != NULL;
}

wiced_result_t wiced_tcp_register_callbacks(wiced_tcp_socket_t* socket,
                                            wiced_tcp_socket_callback_t connect_callback,
                                            wiced_tcp_socket_callback_t receive_callback,
                                            wiced_tcp_socket_callback_t disconnect_callback,
                                            void* arg) {
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&tcp_lock);
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
    tcp_socket_drop_locked(state);
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return WICED_SUCCESS;
}

wiced_result_t wiced_tcp_unregister_callbacks(wiced_tcp_socket_t* socket) {
    tcp_socket_t* state = tcp_socket_hold(socket);
    if (state == NULL) {
        return WICED_TCPIP_INVALID_SOCKET;
    }
    pthread_mutex_lock(&tcp_lock);
    state->connect_callback = NULL;
    state->receive_callback = NULL;
    state->disconnect_callback = NULL;
    tcp_socket_drop_locked(state);
    pthread_mutex_unlock(&tcp_lock);
    tcp_events_changed();
    return WICED_SUCCESS;
}
