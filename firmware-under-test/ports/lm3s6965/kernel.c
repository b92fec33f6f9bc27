#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "kernel_dispatch.h"

/* Lab programs ask for what printf and TLS need on their boards; here less does. */
#define STACK_SIZE_MIN 1024u
#define STACK_SIZE_MAX 3072u
#define SAVED_REGISTERS 9u

typedef enum {
    THREAD_READY,
    THREAD_WAITING,
    THREAD_FINISHED,
} thread_state_t;

struct kernel_waiter {
    struct kernel_waiter* next;
    struct kernel_waiter* prev;
    kernel_wait_list_t* list; /* NULL once woken */
};

struct kernel_thread {
    struct kernel_thread* next;
    uint32_t* registers; /* on its stack, while it does not run */
    uint32_t* stack;     /* its lowest word, which keeps the paint unless the stack overflows */
    uint32_t stack_size;
    void* stack_memory; /* to be freed; NULL when the application gave the stack */
    const char* name;
    kernel_thread_main_t main;
    void* context;
    void* arg;
    thread_state_t state;
    uint8_t priority;
    bool is_aborted;
    bool is_detached;
    struct kernel_waiter waiter;
    kernel_wait_list_t* waits_for;
    uint64_t deadline_ns;
    kernel_wait_list_t joiners;
};

extern uint32_t* kernel_switch_to_thread(uint32_t* registers);
extern void kernel_switch_to_dispatcher(void);
extern void kernel_thread_entry(void);
void kernel_thread_run(struct kernel_thread* thread);

static struct kernel_thread* threads; /* the one that ran last is the last */
static struct kernel_thread* current; /* NULL: the dispatcher */
static kernel_stack_mark_t most_used;
static uint32_t lock_depth;

void kernel_lock(void) {
    __asm volatile("cpsid i" ::: "memory");
    ++lock_depth;
}

void kernel_unlock(void) {
    if (--lock_depth == 0) {
        __asm volatile("cpsie i" ::: "memory");
    }
}

bool kernel_in_interrupt(void) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    return number != 0;
}

const void* kernel_current(void) {
    static char dispatcher;
    return current != NULL ? (const void*)current : (const void*)&dispatcher;
}

static void append(kernel_wait_list_t* list, struct kernel_waiter* waiter) {
    *waiter = (struct kernel_waiter){.prev = list->last, .list = list};
    *(list->last != NULL ? &list->last->next : &list->first) = waiter;
    list->last = waiter;
}

static void unlink_waiter(struct kernel_waiter* waiter) {
    kernel_wait_list_t* list = waiter->list;
    if (list != NULL) {
        *(waiter->prev != NULL ? &waiter->prev->next : &list->first) = waiter->next;
        *(waiter->next != NULL ? &waiter->next->prev : &list->last) = waiter->prev;
        waiter->list = NULL;
    }
}

kernel_wait_result_t kernel_wait(kernel_wait_list_t* list, uint64_t deadline_ns) {
    struct kernel_thread* self = current;
    if (self == NULL || kernel_in_interrupt()) {
        return KERNEL_TIMED_OUT;
    }
    append(list, &self->waiter);
    self->waits_for = list;
    self->deadline_ns = deadline_ns;
    self->state = THREAD_WAITING;
    uint32_t depth = lock_depth;
    lock_depth = 0;
    __asm volatile("cpsie i" ::: "memory");
    kernel_switch_to_dispatcher();
    __asm volatile("cpsid i" ::: "memory");
    lock_depth = depth;
    bool was_woken = self->waiter.list == NULL;
    unlink_waiter(&self->waiter);
    if (was_woken) {
        return KERNEL_WOKEN;
    }
    bool was_aborted = self->is_aborted;
    self->is_aborted = false;
    return was_aborted ? KERNEL_ABORTED : KERNEL_TIMED_OUT;
}

void kernel_wake_one(kernel_wait_list_t* list) {
    if (list->first != NULL) {
        unlink_waiter(list->first);
    }
}

void kernel_wake_all(kernel_wait_list_t* list) {
    while (list->first != NULL) {
        kernel_wake_one(list);
    }
}

kernel_wait_result_t kernel_sleep_until(uint64_t deadline_ns) {
    kernel_wait_list_t nobody = {0};
    kernel_lock();
    kernel_wait_result_t result = kernel_wait(&nobody, deadline_ns);
    kernel_unlock();
    return result;
}

static bool is_runnable(const struct kernel_thread* thread, uint64_t now_ns) {
    switch (thread->state) {
        case THREAD_READY:
            return true;
        case THREAD_WAITING:
            return thread->waiter.list == NULL || thread->is_aborted ||
                   thread->deadline_ns <= now_ns;
        case THREAD_FINISHED:
            break;
    }
    return false;
}

static struct kernel_thread* most_urgent(void) {
    uint64_t now_ns = kernel_now_ns();
    struct kernel_thread* found = NULL;
    for (struct kernel_thread* thread = threads; thread != NULL; thread = thread->next) {
        if (is_runnable(thread, now_ns) && (found == NULL || thread->priority < found->priority)) {
            found = thread;
        }
    }
    return found;
}

bool kernel_has_runnable(void) {
    return most_urgent() != NULL;
}

uint64_t kernel_next_deadline_ns(void) {
    uint64_t next_ns = KERNEL_NO_DEADLINE;
    for (const struct kernel_thread* thread = threads; thread != NULL; thread = thread->next) {
        if (thread->state == THREAD_WAITING && thread->deadline_ns < next_ns) {
            next_ns = thread->deadline_ns;
        }
    }
    return next_ns;
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

/* Behind the others, so that threads of one priority take turns. */
static void move_to_the_end(struct kernel_thread* thread) {
    forget(thread);
    struct kernel_thread** link = &threads;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    thread->next = NULL;
    *link = thread;
}

static void measure(const struct kernel_thread* thread) {
    if (thread->stack == NULL) {
        return;
    }
    uint32_t untouched = 0;
    while (untouched < thread->stack_size &&
           thread->stack[untouched / sizeof(uint32_t)] == BOARD_STACK_PAINT) {
        untouched += sizeof(uint32_t);
    }
    uint32_t used = thread->stack_size - untouched;
    if (used > most_used.used) {
        most_used = (kernel_stack_mark_t){.used = used, .size = thread->stack_size};
    }
}

kernel_stack_mark_t kernel_stack_mark(void) {
    for (const struct kernel_thread* thread = threads; thread != NULL; thread = thread->next) {
        measure(thread);
    }
    return most_used;
}

static void free_stack(struct kernel_thread* thread) {
    measure(thread);
    free(thread->stack_memory);
    thread->stack_memory = NULL;
    thread->stack = NULL;
}

bool kernel_dispatch(void) {
    struct kernel_thread* thread = most_urgent();
    if (thread == NULL) {
        return false;
    }
    move_to_the_end(thread);
    thread->state = THREAD_READY;
    current = thread;
    thread->registers = kernel_switch_to_thread(thread->registers);
    current = NULL;
    if (thread->stack[0] != BOARD_STACK_PAINT) {
        board_halt(thread->name != NULL ? thread->name : "thread", thread->stack_size);
    }
    if (thread->state == THREAD_FINISHED) {
        free_stack(thread);
        if (thread->is_detached) {
            forget(thread);
            free(thread);
        }
    }
    return true;
}

/* A thread's whole life, on its own stack. */
void kernel_thread_run(struct kernel_thread* thread) {
    thread->main(thread->context, thread->arg);
    kernel_lock();
    thread->state = THREAD_FINISHED;
    kernel_wake_all(&thread->joiners);
    kernel_unlock();
    kernel_switch_to_dispatcher();
}

static bool give_stack(struct kernel_thread* thread, const kernel_thread_plan_t* plan) {
    uintptr_t begin = (uintptr_t)plan->stack;
    uint32_t size = plan->stack_size;
    if (plan->stack == NULL) {
        size = size < STACK_SIZE_MIN ? STACK_SIZE_MIN : size;
        size = size > STACK_SIZE_MAX ? STACK_SIZE_MAX : size;
        thread->stack_memory = malloc(size);
        begin = (uintptr_t)thread->stack_memory;
        if (begin == 0) {
            return false;
        }
    }
    uintptr_t aligned = (begin + 7u) & ~(uintptr_t)7u;
    thread->stack = (uint32_t*)aligned;
    thread->stack_size = (uint32_t)((begin + size - aligned) & ~7u);
    return plan->stack == NULL || size >= STACK_SIZE_MIN;
}

struct kernel_thread* kernel_thread_start(const kernel_thread_plan_t* plan) {
    struct kernel_thread* thread = calloc(1, sizeof(*thread));
    if (thread == NULL || !give_stack(thread, plan)) {
        free(thread);
        return NULL;
    }
    thread->name = plan->name;
    thread->priority = plan->priority;
    thread->main = plan->main;
    thread->context = plan->context;
    thread->arg = plan->arg;
    uint32_t words = thread->stack_size / sizeof(uint32_t);
    for (uint32_t i = 0; i < words; ++i) {
        thread->stack[i] = BOARD_STACK_PAINT;
    }
    /* As kernel_switch.S leaves a thread: r4 to r11, and where it goes on. */
    thread->registers = thread->stack + words - SAVED_REGISTERS;
    thread->registers[0] = (uint32_t)(uintptr_t)thread;
    thread->registers[SAVED_REGISTERS - 1u] = (uint32_t)(uintptr_t)kernel_thread_entry;
    kernel_lock();
    move_to_the_end(thread);
    kernel_unlock();
    return thread;
}

bool kernel_thread_is_current(const struct kernel_thread* thread) {
    return thread != NULL && thread == current;
}

bool kernel_thread_is_known(const struct kernel_thread* thread) {
    const struct kernel_thread* known = threads;
    while (known != NULL && known != thread) {
        known = known->next;
    }
    return thread != NULL && known != NULL && !known->is_detached;
}

void kernel_thread_force_awake(struct kernel_thread* thread) {
    if (kernel_thread_is_known(thread) && thread->state != THREAD_FINISHED) {
        thread->is_aborted = true;
    }
}

bool kernel_thread_join(struct kernel_thread* thread) {
    bool is_ended = true;
    kernel_lock();
    while (is_ended && kernel_thread_is_known(thread) && thread->state != THREAD_FINISHED) {
        is_ended = kernel_wait(&thread->joiners, KERNEL_NO_DEADLINE) == KERNEL_WOKEN;
    }
    kernel_unlock();
    return is_ended;
}

void kernel_thread_detach(struct kernel_thread* thread) {
    thread->is_detached = true;
    if (thread->state == THREAD_FINISHED) {
        forget(thread);
        free(thread);
    }
}

/* Another thread is always in a wait, so it can go at once. */
bool kernel_thread_delete(struct kernel_thread* thread, uint64_t deadline_ns) {
    (void)deadline_ns;
    kernel_lock();
    bool has_taken_a_wake = thread->state == THREAD_WAITING && thread->waiter.list == NULL;
    unlink_waiter(&thread->waiter);
    if (has_taken_a_wake && thread != current) {
        kernel_wake_one(thread->waits_for);
    }
    thread->state = THREAD_FINISHED;
    kernel_wake_all(&thread->joiners);
    kernel_unlock();
    if (thread == current) {
        thread->is_detached = true;
        kernel_switch_to_dispatcher(); /* which does not come back */
    }
    forget(thread);
    free_stack(thread);
    free(thread);
    return true;
}
