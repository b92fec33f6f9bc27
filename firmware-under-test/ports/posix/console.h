/* The serial console: standard output and input. Every print reaches a pipe at once. */
#pragma once

void console_boot(void);
