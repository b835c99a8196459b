void net_inputs(const net_planes *planes, int32_t x, int32_t y, uint8_t *inputs)
{
    uint16_t even[NET_EVEN];
    net_gather(planes, x, y, even);
    NET_LOOP
    for (int32_t k = 0; k < NET_INPUTS; k++)
        inputs[k] = (uint8_t)even[k];
}

void net_run(const uint8_t *inputs, int16_t *outputs)
{
    uint16_t even[NET_EVEN];
    net_widen(inputs, NET_INPUTS, even);
    net_forward(even, outputs);
}

void net_pixel(const net_planes *planes, int32_t x, int32_t y, int16_t *outputs)
{
    uint16_t even[NET_EVEN];
    net_gather(planes, x, y, even);
    net_forward(even, outputs);
}

/* Not volatile, it would become a call of memset. */
NET_INLINE void net_clear(volatile int16_t *outputs)
{
    for (int32_t k = 0; k < NET_OUTPUTS; k++)
        outputs[k] = 0;
}

/* The pixels of a rectangle; with a mask, a byte for each of them, only those for which it is not 0. */
static void net_walk(
    const net_planes *planes, const uint8_t *mask, int32_t x, int32_t y, int32_t width, int32_t height,
    int16_t *outputs)
{
    const int32_t right = x + width, below = y + height;
    for (; y < below; y++)
        for (int32_t column = x; column < right; column++, outputs += NET_OUTPUTS)
            if (mask == 0 || *mask++)
                net_pixel(planes, column, y, outputs);
            else
                net_clear(outputs);
}

void net_roi(const net_planes *planes, int32_t x, int32_t y, int32_t width, int32_t height, int16_t *outputs)
{
    net_walk(planes, 0, x, y, width, height, outputs);
}

void net_image(const net_planes *planes, int16_t *outputs)
{
    net_walk(planes, 0, 0, 0, planes->width, planes->height, outputs);
}

void net_masked(const net_planes *planes, const uint8_t *mask, int16_t *outputs)
{
    net_walk(planes, mask, 0, 0, planes->width, planes->height, outputs);
}
