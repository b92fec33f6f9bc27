#include "tcp_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.h"
#include "tcp_events.h"
#include "tls.h"
#include "transport.h"

/* How long the watcher waits before it tries again to post to a full worker. */
#define FULL_WORKER_PAUSE_MS 2

typedef struct {
    tcp_socket_t* socket;
    tcp_connection_t* connection; /* NULL: the listener is watched */
    bool has_decrypted_data;
} watch_t;

static int changed_fd = -1;

void tcp_changed(void) {
    uint64_t one = 1;
    if (changed_fd >= 0) {
        (void)!write(changed_fd, &one, sizeof(one));
    }
}

/* The watching thread is there from boot. */
void transport_watch(void) {
    tcp_changed();
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
            descriptor->fd = socket->listener->transport.fd;
        }
        return is_wanted;
    }
    bool wants_data = socket->receive_callback != NULL && !socket->is_receive_posted;
    bool wants_end = socket->disconnect_callback != NULL && !connection->is_end_reported;
    *descriptor = (struct pollfd){.fd = connection->transport.fd};
    descriptor->events = (short)((wants_data ? POLLIN : 0) | (wants_end ? POLLRDHUP : 0));
    watch->has_decrypted_data = wants_data && connection->is_ready && connection->tls != NULL &&
                                tls_has_decrypted_data(connection->tls);
    return connection->is_ready && descriptor->events != 0;
}

/* With the lock; returns false when something could not be posted. */
static bool act(const watch_t* watch, short wanted, short revents) {
    tcp_socket_t* socket = watch->socket;
    if (socket->connection != watch->connection || socket->owner == NULL) {
        return true;
    }
    if (watch->connection == NULL) {
        socket->is_connect_posted = tcp_events_post_connect_locked(socket);
        return socket->is_connect_posted;
    }
    bool is_posted = true;
    bool is_ended = (revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    if ((wanted & POLLIN) != 0) {
        uint8_t byte;
        bool has_data = watch->has_decrypted_data || recv(watch->connection->transport.fd, &byte, 1,
                                                          MSG_PEEK | MSG_DONTWAIT) > 0;
        if (has_data) {
            is_posted = tcp_events_post_receive_locked(socket);
            socket->is_receive_posted = is_posted;
        } else if (is_ended || (revents & POLLIN) != 0) {
            socket->is_receive_posted = true; /* nothing more will come */
        }
    }
    if (is_posted && is_ended && !watch->connection->is_end_reported) {
        watch->connection->is_end_reported = true;
        if (socket->disconnect_callback != NULL) {
            is_posted = tcp_events_post_disconnect_locked(socket);
            watch->connection->is_end_reported = is_posted;
        }
    }
    return is_posted;
}

static void watch_sockets(void* context, void* arg) {
    (void)context;
    (void)arg;
    struct pollfd descriptors[TCP_WATCHED_SOCKETS_MAX + 1];
    watch_t watches[TCP_WATCHED_SOCKETS_MAX];
    bool is_all_posted = true;
    for (;;) {
        nfds_t count = 0;
        int timeout_ms = is_all_posted ? -1 : FULL_WORKER_PAUSE_MS;
        tcp_lock();
        for (tcp_socket_t* socket = tcp_sockets; socket != NULL; socket = socket->next) {
            if (count < TCP_WATCHED_SOCKETS_MAX &&
                describe(socket, &descriptors[count], &watches[count])) {
                ++socket->references;
                if (socket->connection != NULL) {
                    ++socket->connection->references;
                }
                timeout_ms = watches[count].has_decrypted_data && is_all_posted ? 0 : timeout_ms;
                ++count;
            }
        }
        tcp_unlock();

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
        tcp_lock();
        for (nfds_t i = 0; i < count; ++i) {
            if (descriptors[i].revents != 0 || watches[i].has_decrypted_data) {
                is_all_posted &= act(&watches[i], descriptors[i].events, descriptors[i].revents);
            }
            if (watches[i].connection != NULL) {
                tcp_connection_drop_locked(watches[i].connection);
            }
            tcp_socket_drop_locked(watches[i].socket);
        }
        tcp_unlock();
    }
}

bool tcp_watch_boot(void) {
    kernel_thread_plan_t plan = {.name = "network", .main = watch_sockets};
    changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return changed_fd >= 0 && kernel_thread_start(&plan) != NULL;
}
