#include "check.h"
#include <stdio.h>
#include <stdlib.h>

void say(const char *text)
{
    fputs(text, stdout);
}

void finish(int code)
{
    exit(code);
}

uint32_t instructions(void)
{
    return 0;
}

void stack_paint(void)
{
}

uint32_t stack_used(void)
{
    return 0;
}

int main(void)
{
    return check();
}
