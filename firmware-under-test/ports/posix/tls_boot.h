/* What this port's TLS needs beside common/tls.h. Reading and writing a session from two threads
 * is safe here. */
#pragma once

#include <stdbool.h>

bool tls_boot(void);

/* Runs before a thread ends: the library keeps tables for each thread that used it. */
void tls_thread_ends(void);
