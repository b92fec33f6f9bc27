/* Connections of common/tcp.h over lwIP's. */
#pragma once

#include "tcp.h"

/* With one reference; takes over pcb, which may be on its way to a peer. NULL without memory. */
tcp_connection_t* transport_connection_make(struct tcp_pcb* pcb);
/* Nothing goes out any more, neither data nor a goodbye. */
void transport_connection_abort(tcp_connection_t* connection);
bool transport_connection_has_ended(const tcp_connection_t* connection);
/* Until something about it changes. */
kernel_wait_result_t transport_connection_wait(tcp_connection_t* connection, uint64_t deadline_ns);
