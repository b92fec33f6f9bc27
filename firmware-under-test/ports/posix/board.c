#include "board.h"

#include <signal.h>
#include <stdio.h>

#include "application.h"
#include "chip.h"
#include "dct_boot.h"
#include "gpio.h"
#include "packet.h"
#include "routes.h"
#include "rtos_worker.h"
#include "tcp_watch.h"
#include "time_boot.h"
#include "timer_thread.h"
#include "tls_boot.h"
#include "uart.h"
#include "uart_device.h"
#include "udp.h"

bool board_boot(const world_t* world) {
    char error[512];
    /* A console that nobody reads any more must not end the board before it logs the cut wire. */
    signal(SIGPIPE, SIG_IGN);
    uart_boot(application_settings.has_stdio);
    if (!uart_device_boot(world, application_settings.has_stdio, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    time_boot();
    gpio_boot();
    routes_boot(world);
    if (!dct_boot(world, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    if (!tls_boot() ||
        !packet_boot(application_settings.tx_packets_max, application_settings.rx_packets_max,
                     application_settings.common_packets_max) ||
        !timer_thread_boot() || !rtos_worker_boot() || !tcp_watch_boot()) {
        fprintf(stderr, "boot: out of memory or threads\n");
        return false;
    }
    udp_boot();
    return true;
}

static void (*chip_ended)(wire_end_t end);

static void chip_lost(void) {
    chip_ended(WIRE_PROTOCOL_ERROR);
}

bool board_connect(const world_t* world, void (*ended)(wire_end_t end)) {
    if (world->gpio_chip != NULL) {
        chip_ended = ended;
        return wire_open_log(world->board_log) && chip_boot(world, chip_lost);
    }
    return wire_boot(world->wire_fd, world->board_log, ended);
}
