int net_selftest(void)
{
    const int16_t *const data = net_test_data;
    const net_planes planes = {NET_TEST_PLANES, NET_TEST_WIDTH, NET_TEST_HEIGHT, NET_TEST_STRIDE};
    for (int vector = 0; vector < NET_TEST_VECTORS; vector++) {
        int16_t outputs[NET_OUTPUTS];
        net_pixel(&planes, net_test_pixels[2 * vector], net_test_pixels[2 * vector + 1], outputs);
        for (int k = 0; k < NET_OUTPUTS; k++)
            if (outputs[k] != net_test_outputs[vector * NET_OUTPUTS + k])
                return vector + 1;
    }
    return 0;
}
