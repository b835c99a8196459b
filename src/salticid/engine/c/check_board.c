/* An STM32F405 in QEMU: start, semihosting for text and exit, and a timer that counts instructions under -icount. */
#include "check.h"

#define SYS_WRITE0 0x04u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u
#define ACCESS_CONTROL ((volatile uint32_t *)0xE000ED88u) /* of coprocessors: the FPU is 10 and 11 */
#define TIMER2_COUNT ((volatile uint32_t *)0x40000024u)   /* QEMU counts 1 GHz: nanoseconds */
#define PAINT 0xA5C3F00Du

extern uint32_t stack_bottom[], stack_top[], data_start[], data_end[], data_source[], bss_start[], bss_end[];

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void say(const char *text)
{
    semihosting(SYS_WRITE0, text);
}

void finish(int code)
{
    const uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)code};
    semihosting(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

uint32_t instructions(void)
{
    return *TIMER2_COUNT;
}

static uint32_t *stack_pointer(void)
{
    uint32_t *found;
    __asm__ volatile("mov %0, sp" : "=r"(found));
    return found;
}

/* Not to have a frame of its own, it and `stack_used` call nothing. */
void stack_paint(void)
{
    for (volatile uint32_t *word = stack_bottom; word < stack_pointer(); word++)
        *word = PAINT;
}

uint32_t stack_used(void)
{
    const volatile uint32_t *word = stack_bottom;
    while (*word == PAINT)
        word++;
    return (uint32_t)((const char *)stack_pointer() - (const char *)word);
}

static void failed(void)
{
    say("FAIL: the processor met a fault\n");
    finish(3);
}

/* Say that figures would be wrong where another version of QEMU counts in another way. */
static void check_the_count(void)
{
    uint32_t start = instructions();
    const uint32_t nothing = instructions() - start;
    start = instructions();
    __asm__ volatile(".rept 100\n nop\n .endr");
    if (instructions() - start - nothing != 100) {
        say("FAIL: this QEMU does not count instructions as expected\n");
        finish(4);
    }
}

void reset(void)
{
    *ACCESS_CONTROL |= 0xFu << 20;
    for (uint32_t *to = data_start, *from = data_source; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    check_the_count();
    finish(check());
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, failed, failed, failed, failed, failed,
};
