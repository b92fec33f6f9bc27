#include "transport_connection.h"

#include <stdlib.h>

#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "tcpip_wait.h"
#include "transport.h"
#include "wiced_utilities.h"

#define MEMORY_RETRY_MS 20u

/* Memory comes back when any connection is acknowledged, which this one does not hear of. */
static kernel_wait_result_t wait_for_memory(tcp_connection_t* connection, uint64_t deadline_ns) {
    uint64_t next_ns = kernel_deadline_ns(MEMORY_RETRY_MS);
    bool is_last = deadline_ns <= next_ns;
    kernel_wait_result_t waited =
        transport_connection_wait(connection, is_last ? deadline_ns : next_ns);
    return waited == KERNEL_TIMED_OUT && !is_last ? KERNEL_WOKEN : waited;
}

static void tell(tcp_connection_t* connection) {
    kernel_lock();
    kernel_wake_all(&connection->transport.changed);
    kernel_unlock();
}

static err_t data_received(void* arg, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    tcp_connection_t* connection = arg;
    (void)pcb;
    (void)error;
    if (p == NULL) {
        connection->transport.has_peer_closed = true;
    } else if (connection->transport.received == NULL) {
        connection->transport.received = p;
        connection->transport.received_offset = 0;
    } else {
        pbuf_cat(connection->transport.received, p);
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
    connection->transport.pcb = NULL; /* lwIP has freed it */
    tell(connection);
}

tcp_connection_t* transport_connection_make(struct tcp_pcb* pcb) {
    tcp_connection_t* connection = calloc(1, sizeof(*connection));
    if (connection != NULL) {
        connection->references = 1;
        connection->transport.pcb = pcb;
        tcp_nagle_disable(pcb);
        tcp_arg(pcb, connection);
        tcp_recv(pcb, data_received);
        tcp_sent(pcb, data_acknowledged);
        tcp_err(pcb, connection_lost);
    }
    return connection;
}

/* From here on lwIP ends the connection by itself. */
static void let_go(tcp_connection_t* connection) {
    struct tcp_pcb* pcb = connection->transport.pcb;
    connection->transport.pcb = NULL;
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
    if (connection->transport.received == NULL) {
        return;
    }
    uint16_t size =
        (uint16_t)(connection->transport.received->tot_len - connection->transport.received_offset);
    pbuf_free(connection->transport.received);
    connection->transport.received = NULL;
    if (connection->transport.pcb != NULL) {
        tcp_recved(connection->transport.pcb, size);
    }
}

void transport_close(tcp_connection_t* connection) {
    forget_received(connection);
    let_go(connection);
}

void transport_connection_abort(tcp_connection_t* connection) {
    if (connection->transport.pcb != NULL) {
        tcp_abort(connection->transport.pcb); /* which calls connection_lost */
    }
}

bool transport_connection_has_ended(const tcp_connection_t* connection) {
    return connection->transport.pcb == NULL || connection->transport.has_peer_closed;
}

kernel_wait_result_t transport_connection_wait(tcp_connection_t* connection, uint64_t deadline_ns) {
    kernel_lock();
    kernel_wait_result_t result = kernel_wait(&connection->transport.changed, deadline_ns);
    kernel_unlock();
    return result;
}

void transport_end(tcp_connection_t* connection, uint64_t deadline_ns) {
    /* The end of what this side says may have to wait for memory as data does. */
    while (connection->transport.pcb != NULL &&
           tcp_shutdown(connection->transport.pcb, 0, 1) == ERR_MEM) {
        if (wait_for_memory(connection, deadline_ns) != KERNEL_WOKEN) {
            transport_connection_abort(connection);
        }
    }
    forget_received(connection);
    while (!transport_connection_has_ended(connection) &&
           transport_connection_wait(connection, deadline_ns) == KERNEL_WOKEN) {
        forget_received(connection);
    }
    forget_received(connection);
    let_go(connection);
    tell(connection);
}

wiced_result_t transport_read(tcp_connection_t* connection, uint8_t* buffer, size_t size,
                              size_t* count) {
    struct pbuf* p = connection->transport.received;
    if (p == NULL) {
        return transport_connection_has_ended(connection) ? WICED_TCPIP_SOCKET_CLOSED
                                                          : WICED_WOULD_BLOCK;
    }
    uint16_t left = (uint16_t)(p->tot_len - connection->transport.received_offset);
    uint16_t part = size < left ? (uint16_t)size : left;
    (void)pbuf_copy_partial(p, buffer, part, connection->transport.received_offset);
    connection->transport.received_offset =
        (uint16_t)(connection->transport.received_offset + part);
    while (p != NULL && connection->transport.received_offset >= p->len) {
        connection->transport.received_offset =
            (uint16_t)(connection->transport.received_offset - p->len);
        p = pbuf_free_header(p, p->len);
    }
    connection->transport.received = p;
    if (connection->transport.pcb != NULL) {
        tcp_recved(connection->transport.pcb, part);
    }
    *count = part;
    return WICED_SUCCESS;
}

wiced_result_t transport_await_data(tcp_connection_t* connection, uint64_t deadline_ns) {
    while (connection->transport.received == NULL && !transport_connection_has_ended(connection)) {
        WICED_VERIFY(tcpip_wait_result(transport_connection_wait(connection, deadline_ns)));
    }
    return WICED_SUCCESS;
}

wiced_result_t transport_write(tcp_connection_t* connection, const uint8_t* data, size_t size,
                               uint64_t deadline_ns) {
    size_t done = 0;
    while (done < size) {
        if (connection->transport.pcb == NULL) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
        size_t room = tcp_sndbuf(connection->transport.pcb);
        size_t part = size - done < room ? size - done : room;
        err_t error = part > 0 ? tcp_write(connection->transport.pcb, data + done, (u16_t)part,
                                           TCP_WRITE_FLAG_COPY)
                               : ERR_MEM;
        if (error == ERR_OK) {
            done += part;
            (void)tcp_output(connection->transport.pcb);
            continue;
        }
        if (error != ERR_MEM) {
            return WICED_TCPIP_SOCKET_CLOSED;
        }
        if (wait_for_memory(connection, deadline_ns) != KERNEL_WOKEN) {
            if (done > 0) {
                /* Half a packet cannot be taken back, nor sent again: this connection is over. */
                transport_connection_abort(connection);
            }
            return WICED_ERROR;
        }
    }
    return WICED_SUCCESS;
}

wiced_socket_state_t transport_state(const tcp_connection_t* connection) {
    const struct tcp_pcb* pcb = connection->transport.pcb;
    if (pcb == NULL) {
        return WICED_SOCKET_CLOSED;
    }
    return pcb->state == ESTABLISHED ? WICED_SOCKET_CONNECTED : WICED_SOCKET_CLOSING;
}

bool transport_peer(const tcp_connection_t* connection, uint32_t* address, uint16_t* port) {
    const struct tcp_pcb* pcb = connection->transport.pcb;
    if (pcb == NULL) {
        return false;
    }
    *address = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip)));
    *port = pcb->remote_port;
    return true;
}

void transport_apply_options(const tcp_socket_t* socket) {
    struct tcp_pcb* pcb = socket->connection->transport.pcb;
    if (pcb == NULL) {
        return;
    }
    pcb->tos = socket->type_of_service;
    if (socket->has_keepalive) {
        ip_set_option(pcb, SOF_KEEPALIVE);
        pcb->keep_cnt = socket->keepalive_probes;
        pcb->keep_idle = socket->keepalive_time_s * 1000u;
    }
}
