/* A board for the tests of the QEMU lines and of the emulated target: a bare lm3s6965evb that flips
 * PF0 when PF1 falls and PF2 when PE0 falls, says so on UART0, and obeys the lines that it is sent
 * there: "lock" locks the processor up, "seed" shows some bytes of the seed, "talk" talks at
 * length, and anything else is echoed. It knows nothing of networks. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t*)(uintptr_t)(address))
#define PORT_E 0x40024000u
#define PORT_F 0x40025000u
#define UART0 0x4000C000u
#define PIN(port, pin) REGISTER((port) + ((1u << (pin)) << 2))

enum { masked = 0x410, raw = 0x414, clear = 0x41C, direction = 0x400, digital = 0x51C };
enum { line_max = 32, stack_words = 512 };

static uint32_t stack[stack_words];
static char line[line_max];
static uint32_t length;
static uint32_t presses;

static void put(char c) {
    REGISTER(UART0) = (uint8_t)c;
}

static void print(const char* text) {
    while (*text != '\0') {
        put(*text++);
    }
}

static void print_hex(uint32_t value) {
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[(value >> shift) & 15u]);
    }
}

static void flip(uint32_t led) {
    PIN(PORT_F, led) = ~PIN(PORT_F, led);
    print("press ");
    print_hex(++presses);
    print("\n");
}

static void port_e_interrupt(void) {
    REGISTER(PORT_E + clear) = REGISTER(PORT_E + raw);
    flip(2);
}

static void port_f_interrupt(void) {
    REGISTER(PORT_F + clear) = REGISTER(PORT_F + raw);
    flip(0);
}

static int line_is(const char* word) {
    uint32_t i = 0;
    while (i < length && word[i] == line[i]) {
        ++i;
    }
    return i == length && word[i] == '\0';
}

static void obey(void) {
    if (line_is("lock")) {
        REGISTER(0xE000ED08u) = 0x30000000u; /* no vectors there, so no fault can be served */
        __asm volatile("udf #0");
    } else if (line_is("seed")) {
        print_hex(REGISTER(0x20000000u));
        print_hex(REGISTER(0x2000003Cu));
        print("\n");
    } else if (line_is("talk")) {
        for (int i = 0; i < 1000; ++i) {
            print("talking\n");
        }
    } else {
        for (uint32_t i = 0; i < length; ++i) {
            put(line[i]);
        }
        print("\n");
    }
    length = 0;
}

static void uart_interrupt(void) {
    REGISTER(UART0 + 0x44u) = 0x50u;
    while ((REGISTER(UART0 + 0x18u) & 0x10u) == 0) {
        const char c = (char)REGISTER(UART0);
        if (c == '\n') {
            obey();
        } else if (length < line_max) {
            line[length++] = c;
        }
    }
}

static void start(void) {
    presses = 0;
    length = 0;
    REGISTER(0x400FE108u) = 0x30u; /* ports E and F */
    REGISTER(0x400FE104u) = 0x01u; /* UART0 */
    REGISTER(UART0 + 0x2Cu) = 0x70u;
    REGISTER(UART0 + 0x38u) = 0x50u;
    REGISTER(UART0 + 0x30u) = 0x301u;
    REGISTER(PORT_F + direction) = 0x05u;
    REGISTER(PORT_F + digital) = 0x07u;
    REGISTER(PORT_E + digital) = 0x01u;
    REGISTER(PORT_F + clear) = 0xFFu;
    REGISTER(PORT_E + clear) = 0xFFu;
    REGISTER(PORT_F + masked) = 0x02u;
    REGISTER(PORT_E + masked) = 0x01u;
    REGISTER(0xE000E100u) = 1u << 30 | 1u << 5 | 1u << 4;
    print("ready\n");
    for (;;) {
        __asm volatile("wfi");
    }
}

/* 16 of the processor's own, then the interrupts: port E is 4, UART0 5, port F 30. */
__attribute__((section(".vectors"), used)) static const void* const vectors[16 + 44] = {
    [0] = &stack[stack_words],
    [1] = (const void*)start,
    [16 + 4] = (const void*)port_e_interrupt,
    [16 + 5] = (const void*)uart_interrupt,
    [16 + 30] = (const void*)port_f_interrupt,
};
