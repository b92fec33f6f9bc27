/*
 * Changes between the dispatcher, on the main stack, and a thread, on its own. A thread that is
 * not running has its registers on its stack: r4 to r11, and where it goes on.
 */
    .syntax unified
    .cpu cortex-m3
    .thumb

/* uint32_t* kernel_switch_to_thread(uint32_t* stack): runs the thread until it gives up the
   processor, and gives where its registers are then. */
    .section .text.kernel_switch_to_thread, "ax"
    .global kernel_switch_to_thread
    .type kernel_switch_to_thread, %function
    .thumb_func
kernel_switch_to_thread:
    push {r4-r11, lr}
    msr psp, r0
    movs r1, #2
    msr control, r1
    isb
    pop {r4-r11, pc}

/* void kernel_switch_to_dispatcher(void): back to where kernel_switch_to_thread was called. */
    .section .text.kernel_switch_to_dispatcher, "ax"
    .global kernel_switch_to_dispatcher
    .type kernel_switch_to_dispatcher, %function
    .thumb_func
kernel_switch_to_dispatcher:
    push {r4-r11, lr}
    mrs r0, psp
    movs r1, #0
    msr control, r1
    isb
    pop {r4-r11, pc}

/* Where a new thread begins: r4 holds its record. */
    .section .text.kernel_thread_entry, "ax"
    .global kernel_thread_entry
    .type kernel_thread_entry, %function
    .thumb_func
kernel_thread_entry:
    mov r0, r4
    bl kernel_thread_run
    b .
