#include "kernel_poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "tls_boot.h"
#include "wiced_rtos.h"

/* Lab programs ask for stacks of some kilobytes, far too little for a C library with locales. */
#define THREAD_STACK_BYTES (1024 * 1024)

struct kernel_waiter {
    struct kernel_waiter* next;
    struct kernel_waiter* prev;
    kernel_wait_list_t* list; /* NULL once woken */
    pthread_cond_t condition;
};

struct kernel_thread {
    struct kernel_thread* next;
    pthread_t pthread;
    kernel_thread_main_t main;
    void* context;
    void* arg;
    int wake_fd;
    bool is_finished;
    bool is_killed;
    bool is_aborted;
    bool is_detached;
    struct kernel_waiter* waiter;
    kernel_wait_list_t joiners;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kernel_thread* threads;
static _Thread_local struct kernel_thread* current;
static _Thread_local bool in_interrupt;

uint64_t kernel_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t kernel_deadline_ns(uint32_t timeout_ms) {
    if (timeout_ms == WICED_NEVER_TIMEOUT) {
        return KERNEL_NO_DEADLINE;
    }
    return kernel_now_ns() + (uint64_t)timeout_ms * 1000000u;
}

void kernel_lock(void) {
    pthread_mutex_lock(&lock);
}

void kernel_unlock(void) {
    pthread_mutex_unlock(&lock);
}

void kernel_enter_interrupt(void) {
    in_interrupt = true;
}

void kernel_leave_interrupt(void) {
    in_interrupt = false;
}

bool kernel_in_interrupt(void) {
    return in_interrupt;
}

const void* kernel_current(void) {
    static _Thread_local char foreign_thread;
    return current != NULL ? (const void*)current : (const void*)&foreign_thread;
}

static void append(kernel_wait_list_t* list, struct kernel_waiter* waiter) {
    waiter->list = list;
    waiter->next = NULL;
    waiter->prev = list->last;
    if (list->last != NULL) {
        list->last->next = waiter;
    } else {
        list->first = waiter;
    }
    list->last = waiter;
}

static void unlink_waiter(struct kernel_waiter* waiter) {
    kernel_wait_list_t* list = waiter->list;
    if (list == NULL) {
        return;
    }
    if (waiter->prev != NULL) {
        waiter->prev->next = waiter->next;
    } else {
        list->first = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->prev = waiter->prev;
    } else {
        list->last = waiter->prev;
    }
    waiter->list = NULL;
}

static bool take_abort(void) {
    if (current == NULL || !current->is_aborted) {
        return false;
    }
    current->is_aborted = false;
    uint64_t ignored;
    (void)!read(current->wake_fd, &ignored, sizeof(ignored));
    return true;
}

static void wait_on(pthread_cond_t* condition, uint64_t deadline_ns) {
    if (deadline_ns == KERNEL_NO_DEADLINE) {
        pthread_cond_wait(condition, &lock);
        return;
    }
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};
    pthread_cond_timedwait(condition, &lock, &until);
}

kernel_wait_result_t kernel_wait(kernel_wait_list_t* list, uint64_t deadline_ns) {
    if (in_interrupt) {
        return KERNEL_TIMED_OUT;
    }
    struct kernel_waiter waiter;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&waiter.condition, &attributes);
    pthread_condattr_destroy(&attributes);
    append(list, &waiter);
    if (current != NULL) {
        current->waiter = &waiter;
    }
    while (waiter.list != NULL && kernel_now_ns() < deadline_ns &&
           (current == NULL || (!current->is_aborted && !current->is_killed))) {
        wait_on(&waiter.condition, deadline_ns);
    }
    bool was_woken = waiter.list == NULL;
    unlink_waiter(&waiter);
    pthread_cond_destroy(&waiter.condition);
    if (current != NULL) {
        current->waiter = NULL;
        if (current->is_killed) {
            if (was_woken) {
                kernel_wake_one(list);
            }
            kernel_unlock();
            pthread_exit(NULL);
        }
    }
    if (was_woken) {
        return KERNEL_WOKEN;
    }
    return take_abort() ? KERNEL_ABORTED : KERNEL_TIMED_OUT;
}

void kernel_wake_one(kernel_wait_list_t* list) {
    struct kernel_waiter* waiter = list->first;
    if (waiter != NULL) {
        unlink_waiter(waiter);
        pthread_cond_signal(&waiter->condition);
    }
}

void kernel_wake_all(kernel_wait_list_t* list) {
    while (list->first != NULL) {
        kernel_wake_one(list);
    }
}

kernel_wait_result_t kernel_poll(struct pollfd* descriptors, nfds_t count, uint64_t deadline_ns) {
    struct pollfd all[KERNEL_POLL_MAX + 1];
    if (count > 0) {
        memcpy(all, descriptors, count * sizeof(*descriptors));
    }
    all[count] = (struct pollfd){.fd = current != NULL ? current->wake_fd : -1, .events = POLLIN};
    for (;;) {
        struct timespec left = {0, 0};
        if (deadline_ns != KERNEL_NO_DEADLINE) {
            uint64_t now_ns = kernel_now_ns();
            uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
            left.tv_sec = (time_t)(left_ns / 1000000000u);
            left.tv_nsec = (long)(left_ns % 1000000000u);
        }
        int ready = ppoll(all, count + 1, deadline_ns == KERNEL_NO_DEADLINE ? NULL : &left, NULL);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (all[count].revents != 0) {
            kernel_lock();
            bool is_killed = current->is_killed;
            bool is_aborted = take_abort();
            kernel_unlock();
            if (is_killed) {
                pthread_exit(NULL);
            }
            if (is_aborted) {
                return KERNEL_ABORTED;
            }
        }
        if (count > 0) {
            memcpy(descriptors, all, count * sizeof(*descriptors));
        }
        return ready > 0 ? KERNEL_WOKEN : KERNEL_TIMED_OUT;
    }
}

kernel_wait_result_t kernel_sleep_until(uint64_t deadline_ns) {
    return kernel_poll(NULL, 0, deadline_ns);
}

static void finish(void* arg) {
    struct kernel_thread* thread = arg;
    tls_thread_ends();
    kernel_lock();
    thread->is_finished = true;
    kernel_wake_all(&thread->joiners);
    bool is_detached = thread->is_detached;
    kernel_unlock();
    current = NULL;
    if (is_detached) {
        close(thread->wake_fd);
        free(thread);
    }
}

static void* run(void* arg) {
    struct kernel_thread* thread = arg;
    current = thread;
    pthread_cleanup_push(finish, thread);
    thread->main(thread->context, thread->arg);
    pthread_cleanup_pop(1);
    return NULL;
}

struct kernel_thread* kernel_thread_start(const kernel_thread_plan_t* plan) {
    struct kernel_thread* thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    thread->main = plan->main;
    thread->context = plan->context;
    thread->arg = plan->arg;
    thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    kernel_lock();
    bool is_started =
        thread->wake_fd >= 0 && pthread_create(&thread->pthread, &attributes, run, thread) == 0;
    if (is_started) {
        thread->next = threads;
        threads = thread;
    }
    kernel_unlock();
    pthread_attr_destroy(&attributes);
    if (!is_started) {
        if (thread->wake_fd >= 0) {
            close(thread->wake_fd);
        }
        free(thread);
        return NULL;
    }
    if (plan->name != NULL) {
        char shortened[16] = "";
        strncpy(shortened, plan->name, sizeof(shortened) - 1);
        pthread_setname_np(thread->pthread, shortened);
    }
    return thread;
}

bool kernel_thread_is_current(const struct kernel_thread* thread) {
    return thread != NULL && thread == current;
}

static bool is_known(const struct kernel_thread* thread) {
    for (const struct kernel_thread* known = threads; known != NULL; known = known->next) {
        if (known == thread) {
            return true;
        }
    }
    return false;
}

bool kernel_thread_is_known(const struct kernel_thread* thread) {
    kernel_lock();
    bool known = thread != NULL && is_known(thread);
    kernel_unlock();
    return known;
}

static void interrupt_wait(struct kernel_thread* thread) {
    uint64_t one = 1;
    (void)!write(thread->wake_fd, &one, sizeof(one));
    if (thread->waiter != NULL) {
        pthread_cond_signal(&thread->waiter->condition);
    }
}

void kernel_thread_force_awake(struct kernel_thread* thread) {
    kernel_lock();
    if (is_known(thread) && !thread->is_finished) {
        thread->is_aborted = true;
        interrupt_wait(thread);
    }
    kernel_unlock();
}

bool kernel_thread_join(struct kernel_thread* thread) {
    kernel_lock();
    bool is_ended = true;
    while (is_known(thread) && !thread->is_finished) {
        if (kernel_wait(&thread->joiners, KERNEL_NO_DEADLINE) == KERNEL_ABORTED) {
            is_ended = false;
            break;
        }
    }
    kernel_unlock();
    return is_ended;
}

static void forget(struct kernel_thread* thread) {
    struct kernel_thread** link = &threads;
    while (*link != NULL && *link != thread) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = thread->next;
    }
}

void kernel_thread_detach(struct kernel_thread* thread) {
    kernel_lock();
    pthread_t pthread = thread->pthread;
    bool is_finished = thread->is_finished;
    thread->is_detached = true;
    forget(thread);
    kernel_unlock();
    if (is_finished) {
        pthread_join(pthread, NULL);
        close(thread->wake_fd);
        free(thread);
    } else {
        pthread_detach(pthread);
    }
}

bool kernel_thread_delete(struct kernel_thread* thread, uint64_t deadline_ns) {
    if (thread == current) {
        kernel_thread_detach(thread);
        pthread_exit(NULL);
    }
    kernel_lock();
    thread->is_killed = true;
    interrupt_wait(thread);
    while (!thread->is_finished && kernel_now_ns() < deadline_ns) {
        (void)kernel_wait(&thread->joiners, deadline_ns);
    }
    bool is_ended = thread->is_finished;
    if (is_ended) {
        forget(thread);
    }
    kernel_unlock();
    if (is_ended) {
        pthread_join(thread->pthread, NULL);
        close(thread->wake_fd);
        free(thread);
    }
    return is_ended;
}
