/* The board's process: boots, runs the application in its thread, ends when the wire is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "application.h"
#include "board.h"
#include "wiced.h"

#define EXIT_BAD_WORLD 2

static world_t world;

static void wire_ended(wire_end_t end) {
    /* Not exit(): other threads are at work and nothing of theirs may be taken apart under them. */
    _exit(end == WIRE_CUT ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void run_application(wiced_thread_arg_t arg) {
    (void)arg;
    application_start();
}

int main(void) {
    char error[512];
    if (!world_from_environment(&world, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return EXIT_BAD_WORLD;
    }
    if (!board_boot(&world)) {
        return EXIT_BAD_WORLD;
    }
    (void)wiced_rtos_delay_milliseconds(world.boot_delay_ms);
    if (!board_connect(&world, wire_ended)) {
        return EXIT_BAD_WORLD;
    }
    static wiced_thread_t app_thread;
    if (wiced_rtos_create_thread(&app_thread, WICED_APPLICATION_PRIORITY, "app", run_application,
                                 application_settings.stack_size, NULL) != WICED_SUCCESS) {
        fprintf(stderr, "boot: no thread for the application\n");
        return EXIT_FAILURE;
    }
    /* The application may return; the board goes on until its wire is cut or it is killed. */
    for (;;) {
        pause();
    }
}
