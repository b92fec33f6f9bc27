/* lwIP for a board of 64 KiB: no threads of its own, a few connections, small windows. */
#pragma once

#include <stdint.h>

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* lwIP runs in threads that wait for each other, see README.md */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_IPV6 0
#define MEM_ALIGNMENT 4

#define LWIP_DHCP 1
/* The board asks its gateway for names, whatever the DHCP server says: see network.c. */
#define LWIP_DHCP_MAX_DNS_SERVERS 0
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_DNS 1
#define DNS_MAX_SERVERS 1
#define DNS_TABLE_SIZE 2
#define DNS_MAX_TTL 0 /* no answer is kept: what the name server says holds for one look-up */
#ifndef DNS_SERVER_PORT
#define DNS_SERVER_PORT 5300
#endif
#define LWIP_RAW 0
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define IP_REASSEMBLY 0
#define IP_FRAG 0

#define TCP_MSS 1460
#define TCP_WND (2 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define TCP_LISTEN_BACKLOG 1
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_KEEPALIVE 1
#define SO_REUSE 1
#define TCP_MSL 2000 /* ms; a board cannot keep ended connections for minutes */

#define MEM_SIZE 5120
#define MEMP_NUM_PBUF 4
#define MEMP_NUM_UDP_PCB 4
#define MEMP_NUM_TCP_PCB 14
#define MEMP_NUM_TCP_PCB_LISTEN 3
#define MEMP_NUM_TCP_SEG 12
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 1) /* SNTP's */
#define PBUF_POOL_SIZE 8
#define PBUF_POOL_BUFSIZE 592
#define ETH_PAD_SIZE 2 /* the chip wants a length before each frame; and addresses are aligned */

#define SNTP_SERVER_DNS 0
#define SNTP_MAX_SERVERS 1
#define SNTP_STARTUP_DELAY 0
#define SNTP_RECV_TIMEOUT 2000
#define SNTP_RETRY_TIMEOUT_EXP 0
#define SNTP_UPDATE_DELAY 60000
#ifndef SNTP_PORT
#define SNTP_PORT 12300
#endif
#define SNTP_CHECK_RESPONSE 2 /* and the request's own time in it: an old answer is none */
#define SNTP_SET_SYSTEM_TIME_US(s, us) wall_clock_set_from_network((s), (us))
#define SNTP_GET_SYSTEM_TIME(s, us)                  \
    do {                                             \
        uint64_t lwip_ms_ = wall_clock_ms();         \
        (s) = (uint32_t)(lwip_ms_ / 1000u);          \
        (us) = (uint32_t)(lwip_ms_ % 1000u * 1000u); \
    } while (0)

#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_RAND() entropy_unpredictable()
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) entropy_unpredictable()

void wall_clock_set_from_network(uint32_t utc_s, uint32_t us);
uint64_t wall_clock_ms(void);
uint32_t entropy_unpredictable(void);
