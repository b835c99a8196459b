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
