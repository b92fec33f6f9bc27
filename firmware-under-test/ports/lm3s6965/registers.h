/* The registers of the LM3S6965 that this port uses, by the names of its data sheet. */
#pragma once

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t*)(address))

/* The processor's own. */
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define NVIC_ISER(n) REGISTER(0xE000E100u + 4u * (n))
#define SCB_ICSR REGISTER(0xE000ED04u)
#define SCB_ICSR_PENDSTSET (1u << 26)
#define SCB_AIRCR REGISTER(0xE000ED0Cu)
#define SCB_CCR REGISTER(0xE000ED14u)
#define SCB_CCR_STKALIGN (1u << 9)
#define SCB_HFSR REGISTER(0xE000ED2Cu)
#define SCB_CFSR REGISTER(0xE000ED28u)

#define SYSCTL 0x400FE000u
#define SYSCTL_RIS REGISTER(SYSCTL + 0x050u)
#define SYSCTL_RIS_PLL_LOCKED (1u << 6)
#define SYSCTL_RCC REGISTER(SYSCTL + 0x060u)
#define SYSCTL_RCGC1 REGISTER(SYSCTL + 0x104u)
#define SYSCTL_RCGC2 REGISTER(SYSCTL + 0x108u)
#define SYSCTL_USER0 REGISTER(SYSCTL + 0x1E0u)
#define SYSCTL_USER1 REGISTER(SYSCTL + 0x1E4u)

#define UART0 0x4000C000u
#define UART1 0x4000D000u
#define UART_DR(base) REGISTER((base) + 0x00u)
#define UART_FR(base) REGISTER((base) + 0x18u)
#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)
#define UART_IBRD(base) REGISTER((base) + 0x24u)
#define UART_FBRD(base) REGISTER((base) + 0x28u)
#define UART_LCRH(base) REGISTER((base) + 0x2Cu)
#define UART_CTL(base) REGISTER((base) + 0x30u)
#define UART_IFLS(base) REGISTER((base) + 0x34u)
#define UART_IM(base) REGISTER((base) + 0x38u)
#define UART_ICR(base) REGISTER((base) + 0x44u)
#define UART_RECEIVED ((1u << 4) | (1u << 6)) /* the FIFO's level, or a rest that waits in it */

#define GPIO_DATA(base, mask) REGISTER((base) + ((uint32_t)(mask) << 2))
#define GPIO_DIR(base) REGISTER((base) + 0x400u)
#define GPIO_IS(base) REGISTER((base) + 0x404u)
#define GPIO_IBE(base) REGISTER((base) + 0x408u)
#define GPIO_IEV(base) REGISTER((base) + 0x40Cu)
#define GPIO_IM(base) REGISTER((base) + 0x410u)
#define GPIO_MIS(base) REGISTER((base) + 0x418u)
#define GPIO_ICR(base) REGISTER((base) + 0x41Cu)
#define GPIO_AFSEL(base) REGISTER((base) + 0x420u)
#define GPIO_ODR(base) REGISTER((base) + 0x50Cu)
#define GPIO_PUR(base) REGISTER((base) + 0x510u)
#define GPIO_PDR(base) REGISTER((base) + 0x514u)
#define GPIO_DEN(base) REGISTER((base) + 0x51Cu)

#define GPTM0 0x40030000u
#define GPTM_CFG(base) REGISTER((base) + 0x00u)
#define GPTM_TAMR(base) REGISTER((base) + 0x04u)
#define GPTM_TAMR_ONE_SHOT 1u
#define GPTM_CTL(base) REGISTER((base) + 0x0Cu)
#define GPTM_IMR(base) REGISTER((base) + 0x18u)
#define GPTM_ICR(base) REGISTER((base) + 0x24u)
#define GPTM_TAILR(base) REGISTER((base) + 0x28u)

#define MAC 0x40048000u
#define MAC_IACK REGISTER(MAC + 0x00u)
#define MAC_IM REGISTER(MAC + 0x04u)
#define MAC_IM_RECEIVED 1u
#define MAC_RCTL REGISTER(MAC + 0x08u)
#define MAC_TCTL REGISTER(MAC + 0x0Cu)
#define MAC_DATA REGISTER(MAC + 0x10u)
#define MAC_IA0 REGISTER(MAC + 0x14u)
#define MAC_IA1 REGISTER(MAC + 0x18u)
#define MAC_THR REGISTER(MAC + 0x1Cu)
#define MAC_NP REGISTER(MAC + 0x34u)
#define MAC_TR REGISTER(MAC + 0x38u)

/* Interrupt numbers. */
#define IRQ_GPIO_A 0u
#define IRQ_GPIO_E 4u
#define IRQ_UART0 5u
#define IRQ_UART1 6u
#define IRQ_TIMER0A 19u
#define IRQ_GPIO_F 30u
#define IRQ_GPIO_G 31u
#define IRQ_ETHERNET 42u
#define IRQ_COUNT 44u

static inline void interrupt_enable(uint32_t number) {
    NVIC_ISER(number / 32u) = 1u << (number % 32u);
}
