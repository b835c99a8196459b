/* What a check needs of the machine that it runs on. */
#include <stdint.h>

void say(const char *text);
void finish(int code);
uint32_t instructions(void); /* executed so far; 0 where they are not counted */
void stack_paint(void);
uint32_t stack_used(void); /* bytes below the caller's since they were painted; 0 where that is not known */
int check(void);           /* 0 when all was right */
