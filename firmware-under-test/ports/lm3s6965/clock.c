#include "clock.h"

#include "handlers.h"
#include "kernel.h"
#include "registers.h"
#include "time_base.h"
#include "wiced_rtos.h"

#define RCC_BYPASS (1u << 11)
#define RCC_USESYSDIV (1u << 22)
#define RCC_SYSDIV_4 (3u << 23)
#define RCC_XTAL_8MHZ (0xEu << 6)
#define RCC_XTAL_MASK (0xFu << 6)
#define RCC_OSCSRC_MASK (3u << 4)
#define RCC_PWRDN (1u << 13)
#define RCC_MOSCDIS 1u

#define RCGC1_TIMER0 (1u << 16)

static volatile uint32_t wraps;

void clock_boot(void) {
    SYSCTL_RCC |= RCC_BYPASS;
    SYSCTL_RCC &= ~RCC_USESYSDIV;
    uint32_t rcc = SYSCTL_RCC & ~(RCC_XTAL_MASK | RCC_OSCSRC_MASK | RCC_PWRDN | RCC_MOSCDIS);
    SYSCTL_RCC = rcc | RCC_XTAL_8MHZ;
    SYSCTL_RCC = (SYSCTL_RCC & ~(0xFu << 23)) | RCC_SYSDIV_4 | RCC_USESYSDIV;
    while ((SYSCTL_RIS & SYSCTL_RIS_PLL_LOCKED) == 0) {
    }
    SYSCTL_RCC &= ~RCC_BYPASS;

    SYST_RVR = TIME_BASE_COUNTER_MAX;
    SYST_CVR = 0;
    SYST_CSR = 7; /* the processor's clock, interrupt at each wrap, on */

    SYSCTL_RCGC1 |= RCGC1_TIMER0;
    GPTM_CTL(GPTM0) = 0;
    GPTM_CFG(GPTM0) = 0;
    GPTM_TAMR(GPTM0) = GPTM_TAMR_ONE_SHOT;
    GPTM_IMR(GPTM0) = 1;
    interrupt_enable(IRQ_TIMER0A);
}

void handle_systick(void) {
    ++wraps;
}

void handle_timer0(void) {
    GPTM_ICR(GPTM0) = 1;
}

uint64_t kernel_now_ns(void) {
    kernel_lock();
    uint32_t counter = SYST_CVR;
    bool is_pending = (SCB_ICSR & SCB_ICSR_PENDSTSET) != 0;
    if (is_pending) {
        counter = SYST_CVR;
    }
    uint64_t cycles = time_base_cycles(wraps, is_pending, counter);
    kernel_unlock();
    return time_base_ns(cycles);
}

uint64_t kernel_deadline_ns(uint32_t timeout_ms) {
    if (timeout_ms == WICED_NEVER_TIMEOUT) {
        return KERNEL_NO_DEADLINE;
    }
    return kernel_now_ns() + (uint64_t)timeout_ms * 1000000u;
}

void clock_wake_at(uint64_t until_ns) {
    GPTM_CTL(GPTM0) = 0;
    GPTM_ICR(GPTM0) = 1;
    if (until_ns != KERNEL_NO_DEADLINE) {
        GPTM_TAILR(GPTM0) = time_base_timer_cycles(kernel_now_ns(), until_ns, TIME_BASE_HZ);
        GPTM_CTL(GPTM0) = 1;
    }
}
