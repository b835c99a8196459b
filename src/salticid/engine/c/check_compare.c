static int16_t found[FOUND];

static void say_number(int32_t value)
{
    char text[12], *at = text + sizeof text;
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    *--at = 0;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    say(at);
}

static void say_value(const char *name, uint32_t value)
{
    say(name);
    say(" ");
    say_number((int32_t)value);
    say("\n");
}

static void say_difference(const char *call, int32_t number, int32_t output, int16_t right)
{
    say("FAIL ");
    say(call);
    say(" ");
    say_number(number);
    say(", output ");
    say_number(output);
    say(": ");
    say_number(found[output]);
    say(" instead of ");
    say_number(right);
    say("\n");
}

/* Return how many numbers were found to be wrong, say which is the first, and forget them. */
static int differ(const char *call, int32_t number, const int16_t *expected, int32_t count)
{
    int wrong = 0;
    for (int32_t k = 0; k < count; k++) {
        if (found[k] != expected[k] && !wrong++)
            say_difference(call, number, k, expected[k]);
        found[k] = 0x5A5A;
    }
    return wrong;
}
