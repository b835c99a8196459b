int net_selftest(uint16_t *scratch, int16_t *outputs)
{
    for (int32_t vector = 0; vector < NET_TEST_VECTORS; vector++) {
        net_run(net_test_inputs + vector * NET_INPUTS, outputs, scratch);
        for (int32_t k = 0; k < NET_OUTPUTS; k++)
            if (outputs[k] != net_test_outputs[vector * NET_OUTPUTS + k])
                return (int)vector + 1;
    }
    return 0;
}
