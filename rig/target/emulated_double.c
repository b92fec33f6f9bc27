/* A board for the tests of the QEMU lines and of the emulated target: a bare lm3s6965evb that flips
 * PF0 when PF1 falls and PF2 when PE0 falls, says so on UART0, and obeys the lines that it is sent
 * there: "lock" locks the processor up, "seed" shows some bytes of the seed, "talk" talks at
 * length, "knock 6c3c" asks 10.0.2.2 for a TCP connection to that port, and anything else is
 * echoed. Of its network it is 10.0.2.15 and knows one thing: to say "segment", the two ports and
 * the flags of each TCP segment that comes. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t*)(uintptr_t)(address))
#define PORT_E 0x40024000u
#define PORT_F 0x40025000u
#define UART0 0x4000C000u
#define MAC 0x40048000u
#define PIN(port, pin) REGISTER((port) + ((1u << (pin)) << 2))

enum { masked = 0x410, raw = 0x414, clear = 0x41C, direction = 0x400, digital = 0x51C };
enum { interrupts = 0x00, control = 0x08, send_control = 0x0C, words = 0x10 };
enum { threshold = 0x1C, waiting = 0x34, send = 0x38 };
enum { line_max = 32, stack_words = 512, frame_max = 128 };

static uint32_t stack[stack_words];
static char line[line_max];
static uint32_t length;
static uint32_t presses;
static uint32_t frame[frame_max / 4]; /* as the controller has it: two bytes of length before it */

static void put(char c) {
    REGISTER(UART0) = (uint8_t)c;
}

static void print(const char* text) {
    while (*text != '\0') {
        put(*text++);
    }
}

static void print_digits(uint32_t value, int digits) {
    while (digits-- > 0) {
        put("0123456789abcdef"[(value >> (4 * digits)) & 15u]);
    }
}

static void print_hex(uint32_t value) {
    print_digits(value, 8);
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

/* Of the network, the high byte first. */
static uint32_t two_bytes(const uint8_t* at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static void put_two_bytes(uint8_t* at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t sum(const uint8_t* from, uint32_t size) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < size; i += 2) {
        total += two_bytes(from + i);
    }
    return total;
}

static uint32_t checksum(uint32_t total) {
    while (total >> 16 != 0) {
        total = (total & 0xFFFFu) + (total >> 16);
    }
    return ~total & 0xFFFFu;
}

static void copy(uint8_t* to, const uint8_t* from, uint32_t size) {
    while (size-- > 0) {
        *to++ = *from++;
    }
}

/* The frame behind its two bytes, which count what follows its header of 14. */
static void send_frame(const uint8_t* bytes, uint32_t size) {
    uint8_t* const start = (uint8_t*)frame;
    start[0] = (uint8_t)(size - 14);
    start[1] = 0;
    copy(start + 2, bytes, size);
    for (uint32_t i = 0; i < (2 + size + 3) / 4; ++i) {
        REGISTER(MAC + words) = frame[i];
    }
    REGISTER(MAC + send) = 1u;
}

/* Says whose address 10.0.2.15 is: what answers it asks nobody then. */
static void announce(void) {
    static const uint8_t announcement[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0, 0,  0,
                                           0x01, 0x08, 0x06, 0,    1,    0x08, 0,    6, 4, 0,  1,
                                           0x02, 0,    0,    0,    0,    0x01, 10,   0, 2, 15, 0,
                                           0,    0,    0,    0,    0,    10,   0,    2, 15};
    send_frame(announcement, sizeof announcement);
}

static void knock(uint32_t port) {
    static const uint8_t request[] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0,  0, 0, 0x01, 0x08, 0x00, /* Ethernet */
        0x45, 0,    0,    40,   0,    0,    0,    0, 64, 6, 0, 0,                /* IPv4 */
        10,   0,    2,    15,   10,   0,    2,    2,                             /* from, to */
        0x50, 0x00, 0,    0,    0,    0,    0,    1, 0,  0, 0, 0,                /* TCP */
        0x50, 0x02, 0x10, 0,    0,    0,    0,    0};                            /* SYN */
    enum { ip = 14, tcp = 34, tcp_size = 20, tcp_number = 6 };
    uint8_t bytes[sizeof request];
    copy(bytes, request, sizeof request);
    put_two_bytes(bytes + tcp + 2, port);
    put_two_bytes(bytes + ip + 10, checksum(sum(bytes + ip, 20)));
    put_two_bytes(bytes + tcp + 16, checksum(sum(bytes + ip + 12, 8) + tcp_number + tcp_size +
                                             sum(bytes + tcp, tcp_size)));
    send_frame(bytes, sizeof bytes);
}

/* The first word of the controller's begins with the frame's length, these two bytes and the four
 * of the CRC included. */
static void ethernet_interrupt(void) {
    REGISTER(MAC + interrupts) = 1u;
    while (REGISTER(MAC + waiting) != 0) {
        uint32_t size = 4;
        for (uint32_t done = 0; done < size; done += 4) {
            const uint32_t word = REGISTER(MAC + words);
            size = done == 0 ? word & 0xFFFFu : size;
            if (done < frame_max) {
                frame[done / 4] = word;
            }
        }
        const uint8_t* const ip = (const uint8_t*)frame + 2 + 14;
        if (two_bytes(ip - 2) == 0x0800u && ip[0] == 0x45 && ip[9] == 6) {
            print("segment ");
            print_digits(two_bytes(ip + 20), 4);
            print(" ");
            print_digits(two_bytes(ip + 22), 4);
            print(" ");
            print_digits(ip[33], 2);
            print("\n");
        }
    }
}

static uint32_t digit(char c) {
    return (uint32_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

static int line_begins(const char* words_of_it) {
    uint32_t i = 0;
    while (words_of_it[i] != '\0' && i < length && words_of_it[i] == line[i]) {
        ++i;
    }
    return words_of_it[i] == '\0';
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
    } else if (line_begins("knock ")) {
        uint32_t port = 0;
        for (uint32_t i = 6; i < length; ++i) {
            port = port << 4 | digit(line[i]);
        }
        knock(port);
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
    REGISTER(0x400FE108u) = 0x50000030u; /* ports E and F, Ethernet */
    REGISTER(0x400FE104u) = 0x01u;       /* UART0 */
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
    REGISTER(MAC + control) = 0x10u; /* nothing waits */
    REGISTER(MAC + control) = 0x03u;
    REGISTER(MAC + send_control) = 0x17u;
    REGISTER(MAC + threshold) = 0x3Fu;
    REGISTER(MAC + 0x04u) = 0x01u; /* a frame has come */
    announce();
    REGISTER(0xE000E100u) = 1u << 30 | 1u << 5 | 1u << 4;
    REGISTER(0xE000E104u) = 1u << (42 - 32);
    print("ready\n");
    for (;;) {
        __asm volatile("wfi");
    }
}

/* 16 of the processor's own, then the interrupts: port E is 4, UART0 5, port F 30, Ethernet 42. */
__attribute__((section(".vectors"), used)) static const void* const vectors[16 + 44] = {
    [0] = &stack[stack_words],
    [1] = (const void*)start,
    [16 + 4] = (const void*)port_e_interrupt,
    [16 + 5] = (const void*)uart_interrupt,
    [16 + 30] = (const void*)port_f_interrupt,
    [16 + 42] = (const void*)ethernet_interrupt,
};
