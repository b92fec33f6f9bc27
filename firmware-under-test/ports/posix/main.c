/* The board's process: boots, runs the application in its thread, ends when the wire is cut. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "application.h"
#include "board.h"
#include "wiced.h"

#define EXIT_BAD_WORLD 2
#define POWER_OFF_S_MAX 1

#if defined(__SANITIZE_THREAD__)
/* As on a board, a thread that has returned is there until the application deletes it. */
const char* __tsan_default_options(void);
const char* __tsan_default_options(void) {
    return "report_thread_leaks=0";
}
#endif

static world_t world;

static void wire_ended(wire_end_t end) {
    /* Not exit(): other threads are at work and nothing of theirs may be taken apart under them. */
    _exit(end == WIRE_CUT ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void run_application(wiced_thread_arg_t arg) {
    (void)arg;
    application_start();
}

/* SIGTERM is the board's power going: the rig asks for it, or the kernel does when the rig has
 * died. The pins are let go of and the log says so, as when the wire is cut; a board that cannot
 * even do that is ended by the alarm. */
static void wait_for_power_off(const sigset_t* power_off) {
    int signal_number = 0;
    while (sigwait(power_off, &signal_number) != 0) {
    }
    alarm(POWER_OFF_S_MAX);
    if (!wire_switch_off()) {
        _exit(EXIT_SUCCESS);
    }
    for (;;) {
        pause();
    }
}

int main(void) {
    sigset_t power_off;
    sigemptyset(&power_off);
    sigaddset(&power_off, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &power_off, NULL); /* and so in every thread that is made later */

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
    /* The application may return; the board goes on until its wire is cut or its power goes. */
    wait_for_power_off(&power_off);
}
