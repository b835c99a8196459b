/* Bytes as activations. */
static void net_widen(const uint8_t *values, int32_t count, uint16_t *x)
{
    NET_LOOP
    for (int32_t k = 0; k < count; k++)
        x[k] = values[k];
}
