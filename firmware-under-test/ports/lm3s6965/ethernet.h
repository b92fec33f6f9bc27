/* The chip's Ethernet controller as an interface of lwIP. There is one. */
#pragma once

#include <stdbool.h>

struct netif;

/* For netif_add. */
signed char ethernet_boot(struct netif* netif);

/* Hands every frame that waits in the controller to lwIP; whether there was one. */
bool ethernet_poll(struct netif* netif);
