#include <stdlib.h>
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "tcp.h"
#include "tls.h"

#define MEMORY_RETRY_MS 20u

/* Memory comes back when any connection is acknowledged, which this one does not hear of. */
static kernel_wait_result_t wait_for_memory(tcp_connection_t* connection, uint64_t deadline_ns) {
    uint64_t next_ns = kernel_deadline_ns(MEMORY_RETRY_MS);
    bool is_last = deadline_ns <= next_ns;
    kernel_wait_result_t waited = tcp_connection_wait(connection, is_last ? deadline_ns : next_ns);
    return waited == KERNEL_TIMED_OUT && !is_last ? KERNEL_WOKEN : waited;
}

static void tell(tcp_connection_t* connection) {
    kernel_lock();
    kernel_wake_all(&connection->changed);
    kernel_unlock();
}

static err_t data_received(void* arg, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    tcp_connection_t* connection = arg;
    (void)pcb;
    (void)error;
    if (p == NULL) {
        connection->has_peer_closed = true;
    } else if (connection->received == NULL) {
        connection->received = p;
        connection->received_offset = 0;
    } else {
        pbuf_cat(connection->received, p);
    }
    tell(connection);
    return ERR_OK;
}

static err_t data_acknowledged(void* arg, struct tcp_pcb* pcb, u16_t size) {
    (void)pcb;
    (void)size;
    tell(arg);
    return ERR_OK;
}

static void connection_lost(void* arg, err_t error) {
    tcp_connection_t* connection = arg;
    (void)error;
    connection->pcb = NULL; /* lwIP has freed it */
    tell(connection);
}

tcp_connection_t* tcp_connection_make(struct tcp_pcb* pcb) {
    tcp_connection_t* connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        connection->references = 1;
        connection->pcb = pcb;
        tcp_nagle_disable(pcb);
        tcp_arg(pcb, connection);
        tcp_recv(pcb, data_received);
        tcp_sent(pcb, data_acknowledged);
        tcp_err(pcb, connection_lost);
    }
    return connection;
}

tcp_connection_t* tcp_connection_hold(const wiced_tcp_socket_t* socket) {
    const tcp_socket_t* state = tcp_socket_find(socket);
    tcp_connection_t* connection = state != NULL ? state->connection : NULL;
    if (connection != NULL) {
        ++connection->references;
    }
    return connection;
}

/* From here on lwIP ends the connection by itself. */
static void let_go(tcp_connection_t* connection) {
    struct tcp_pcb* pcb = connection->pcb;
    connection->pcb = NULL;
    if (pcb != NULL) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
}

static void forget_received(tcp_connection_t* connection) {
    if (connection->received == NULL) {
        return;
    }
    uint16_t size = (uint16_t)(connection->received->tot_len - connection->received_offset);
    pbuf_free(connection->received);
    connection->received = NULL;
    if (connection->pcb != NULL) {
        tcp_recved(connection->pcb, size);
    }
}

void tcp_connection_drop(tcp_connection_t* connection) {
    if (--connection->references > 0) {
        return;
    }
    if (connection->tls != NULL) {
        tls_operations()->free(connection->tls);
    }
    forget_received(connection);
    let_go(connection);
    free(connection);
}

void tcp_connection_abort(tcp_connection_t* connection) {
    if (connection->pcb != NULL) {
        tcp_abort(connection->pcb); /* which calls connection_lost */
    }
}

bool tcp_connection_has_ended(const tcp_connection_t* connection) {
    return connection->pcb == NULL || connection->has_peer_closed;
}

kernel_wait_result_t tcp_connection_wait(tcp_connection_t* connection, uint64_t deadline_ns) {
    kernel_lock();
    kernel_wait_result_t result = kernel_wait(&connection->changed, deadline_ns);
    kernel_unlock();
    return result;
}

void tcp_connection_end(tcp_connection_t* connection, uint32_t timeout_ms) {
    uint64_t deadline_ns = kernel_deadline_ns(timeout_ms);
    if (connection->tls != NULL) {
        tls_operations()->close_notify(connection->tls);
    }
    /* The end of what this side says may have to wait for memory as data does. */
    while (connection->pcb != NULL && tcp_shutdown(connection->pcb, 0, 1) == ERR_MEM) {
        if (wait_for_memory(connection, deadline_ns) != KERNEL_WOKEN) {
            tcp_connection_abort(connection);
        }
    }
    forget_received(connection);
    while (!tcp_connection_has_ended(connection) &&
           tcp_connection_wait(connection, deadline_ns) == KERNEL_WOKEN) {
        forget_received(connection);
    }
    forget_received(connection);
    let_go(connection);
    tell(connection); /* whoever still reads or writes */
    tcp_connection_drop(connection);
}

int tcp_connection_take(tcp_connection_t* connection, uint8_t* buffer, size_t size) {
    struct pbuf* p = connection->received;
    if (p == NULL) {
        return tcp_connection_has_ended(connection) ? 0 : -1;
    }
    uint16_t left = (uint16_t)(p->tot_len - connection->received_offset);
    uint16_t part = size < left ? (uint16_t)size : left;
    (void)pbuf_copy_partial(p, buffer, part, connection->received_offset);
    connection->received_offset = (uint16_t)(connection->received_offset + part);
    while (p != NULL && connection->received_offset >= p->len) {
        connection->received_offset = (uint16_t)(connection->received_offset - p->len);
        p = pbuf_free_header(p, p->len);
    }
    connection->received = p;
    if (connection->pcb != NULL) {
        tcp_recved(connection->pcb, part);
    }
    return part;
}

wiced_result_t tcp_connection_put(tcp_connection_t* connection, const uint8_t* data, size_t size,
                                  uint64_t deadline_ns) {
    size_t done = 0;
    while (done < size) {
        if (connection->pcb == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
        size_t room = tcp_sndbuf(connection->pcb);
        size_t part = size - done < room ? size - done : room;
        err_t error =
            part > 0 ? tcp_write(connection->pcb, data + done, (u16_t)part, TCP_WRITE_FLAG_COPY)
                     : ERR_MEM;
        if (error == ERR_OK) {
            done += part;
            (void)tcp_output(connection->pcb);
            continue;
        }
        if (error != ERR_MEM) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
        if (wait_for_memory(connection, deadline_ns) != KERNEL_WOKEN) {
            if (done > 0) {
                /* Half a packet cannot be taken back, nor sent again: this connection is over. */
                tcp_connection_abort(connection);
            }
            return WICED_ERROR;
        }
    }
    return WICED_SUCCESS;
}
