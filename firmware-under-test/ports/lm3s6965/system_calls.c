/* What newlib asks of the system below it: a heap, and one file, the console. */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "application.h"
#include "board.h"
#include "heap.h"
#include "uart_device.h"
#include "wall_clock.h"

extern char heap_start[];
extern char heap_end[];

static char* heap_break = heap_start;

uint32_t heap_size(void) {
    return (uint32_t)(heap_end - heap_start);
}

uint32_t heap_used_max(void) {
    return (uint32_t)(heap_break - heap_start);
}

uint32_t heap_in_use(void) {
    return (uint32_t)mallinfo().uordblks;
}

void* _sbrk(ptrdiff_t size);
int _write(int file, const char* text, int size);
int _read(int file, char* to, int size);
int _close(int file);
int _fstat(int file, struct stat* status);
int _isatty(int file);
off_t _lseek(int file, off_t offset, int whence);
int _gettimeofday(struct timeval* now, void* zone);
int _getpid(void);
int _kill(int process, int signal);
_Noreturn void _exit(int status);

/* newlib's allocator never gives anything back here, so the break is the high-water mark. */
void* _sbrk(ptrdiff_t size) {
    char* before = heap_break;
    if (size > heap_end - heap_break) {
        errno = ENOMEM;
        return (void*)-1;
    }
    heap_break += size;
    return before;
}

/* Lines end in CR LF, as on the lab's boards. */
int _write(int file, const char* text, int size) {
    (void)file;
    for (int i = 0; i < size && application_settings.has_stdio; ++i) {
        if (text[i] == '\n') {
            uart_console_write("\r", 1);
        }
        uart_console_write(&text[i], 1);
    }
    return size;
}

int _read(int file, char* to, int size) {
    (void)file;
    (void)to;
    (void)size;
    return 0;
}

int _close(int file) {
    (void)file;
    return -1;
}

int _fstat(int file, struct stat* status) {
    (void)file;
    status->st_mode = S_IFCHR;
    return 0;
}

int _isatty(int file) {
    (void)file;
    return 1;
}

off_t _lseek(int file, off_t offset, int whence) {
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

int _gettimeofday(struct timeval* now, void* zone) {
    (void)zone;
    uint64_t utc_ms = wall_clock_ms();
    now->tv_sec = (time_t)(utc_ms / 1000u);
    now->tv_usec = (suseconds_t)(utc_ms % 1000u * 1000u);
    return 0;
}

int _getpid(void) {
    return 1;
}

int _kill(int process, int signal) {
    (void)process;
    board_halt("abort, signal", (uint32_t)signal);
}

void _exit(int status) {
    board_halt("exit", (uint32_t)status);
}
