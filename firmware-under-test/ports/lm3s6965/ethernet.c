#include "ethernet.h"

#include <string.h>

#include "board.h"
#include "dct_sections.h"
#include "handlers.h"
#include "kernel.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"
#include "registers.h"

#define RCGC2_EMAC_AND_PHY ((1u << 28) | (1u << 30))
#define RCTL_RESET_FIFO (1u << 4)
#define RCTL_RECEIVE 1u
#define RCTL_ALL_MULTICAST 2u
#define TCTL_ON_PAD_CRC_DUPLEX 0x17u
#define THR_SEND_ONLY_WHEN_ASKED 0x3Fu
#define TR_SEND 1u
#define MTU 1500u
#define HEADER_SIZE 14u
#define LENGTH_SIZE 2u
#define CRC_SIZE 4u
#define SMALL_FRAME 128u

_Static_assert(ETH_PAD_SIZE == LENGTH_SIZE, "the length stands where lwIP pads a frame");

/* Frames stay in the controller until the dispatcher asks; they interrupt anew when they come. */
void handle_ethernet(void) {
    MAC_IACK = MAC_IM_RECEIVED;
    board_wake();
}

/* Reads a frame's words off the controller, into p as far as it goes; p may be NULL. */
static void read_words(struct pbuf* p, uint32_t first, uint32_t size) {
    uint32_t word = first;
    uint32_t in_part = 0;
    for (uint32_t done = 0; done < size; done += sizeof(word)) {
        if (done > 0) {
            word = MAC_DATA;
        }
        while (p != NULL && in_part == p->len) {
            p = p->next;
            in_part = 0;
        }
        if (p != NULL) {
            uint32_t room = p->len - in_part;
            uint32_t part = room < sizeof(word) ? room : sizeof(word);
            memcpy((uint8_t*)p->payload + in_part, &word, part);
            in_part += part;
        }
    }
}

/* Small frames, which are most, take what they need; the pool's parts are for the large ones. */
static struct pbuf* allocate(u16_t size) {
    struct pbuf* p = size <= SMALL_FRAME ? pbuf_alloc(PBUF_RAW, size, PBUF_RAM) : NULL;
    return p != NULL ? p : pbuf_alloc(PBUF_RAW, size, PBUF_POOL);
}

static void receive_frame(struct netif* netif) {
    uint32_t first = MAC_DATA;
    uint32_t size = first & 0xFFFFu; /* with itself and the CRC */
    struct pbuf* p = NULL;
    if (size > LENGTH_SIZE + CRC_SIZE && size <= LENGTH_SIZE + HEADER_SIZE + MTU + CRC_SIZE) {
        p = allocate((u16_t)(size - CRC_SIZE));
    }
    if (p == NULL) {
        board_count_lost_frame();
    }
    read_words(p, first, size);
    if (p != NULL && netif->input(p, netif) != ERR_OK) {
        pbuf_free(p);
    }
}

bool ethernet_poll(struct netif* netif) {
    bool was_any = false;
    while (MAC_NP != 0) {
        receive_frame(netif);
        was_any = true;
    }
    return was_any;
}

/* The controller takes whole words: the first begins with the length of what follows the header. */
static err_t send_frame(struct netif* netif, struct pbuf* p) {
    (void)netif;
    uint16_t length = (uint16_t)(p->tot_len - LENGTH_SIZE - HEADER_SIZE);
    uint32_t word = 0;
    uint32_t filled = 0;
    memcpy(p->payload, &length, sizeof(length));
    for (const struct pbuf* part = p; part != NULL; part = part->next) {
        const uint8_t* bytes = part->payload;
        for (uint32_t i = 0; i < part->len; ++i) {
            word |= (uint32_t)bytes[i] << 8 * filled;
            if (++filled == sizeof(word)) {
                MAC_DATA = word;
                word = 0;
                filled = 0;
            }
        }
    }
    if (filled > 0) {
        MAC_DATA = word;
    }
    MAC_TR = TR_SEND;
    while ((MAC_TR & TR_SEND) != 0) {
    }
    return ERR_OK;
}

signed char ethernet_boot(struct netif* netif) {
    wiced_mac_t mac = dct_mac();
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = MTU;
    netif->hwaddr_len = sizeof(mac.octet);
    memcpy(netif->hwaddr, mac.octet, sizeof(mac.octet));
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;

    SYSCTL_RCGC2 |= RCGC2_EMAC_AND_PHY;
    uint32_t low;
    memcpy(&low, mac.octet, sizeof(low));
    MAC_IA0 = low;
    MAC_IA1 = (uint32_t)mac.octet[4] | (uint32_t)mac.octet[5] << 8;
    MAC_THR = THR_SEND_ONLY_WHEN_ASKED;
    MAC_RCTL = RCTL_RESET_FIFO;
    MAC_RCTL = RCTL_RECEIVE | RCTL_ALL_MULTICAST;
    MAC_TCTL = TCTL_ON_PAD_CRC_DUPLEX;
    MAC_IACK = MAC_IACK;
    MAC_IM = MAC_IM_RECEIVED;
    interrupt_enable(IRQ_ETHERNET);
    return ERR_OK;
}
