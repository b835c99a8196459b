/* The network on inputs for which the outputs are known. */
static uint16_t scratch[NET_SCRATCH];

int check(void)
{
    int wrong = net_selftest(scratch, found);
    uint32_t most = 0, start = instructions();
    const uint32_t nothing = instructions() - start;
    if (wrong)
        say_value("FAIL selftest: vector", (uint32_t)wrong);
    for (int32_t k = 0; k < CASES; k++) {
        start = instructions();
        net_run(cases_inputs + k * NET_INPUTS, found, scratch);
        const uint32_t taken = instructions() - start - nothing;
        most = taken > most ? taken : most;
        wrong += differ("run: input", k, cases_outputs + k * NET_OUTPUTS, NET_OUTPUTS);
    }
    stack_paint();
    net_run(cases_inputs, found, scratch);
    say_value("stack", stack_used());
    say_value("instructions", most);
    say_value("most", most);
    say_value("checked", CASES);
    say_value("wrong", (uint32_t)wrong);
    return wrong != 0;
}
