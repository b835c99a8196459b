NET_INLINE int32_t net_within(int32_t value, int32_t length)
{
    return value < 0 ? 0 : value < length ? value : length - 1;
}

/* What the inputs of a group are relative to, with what makes an equal value 64. */
NET_INLINE int32_t net_origin(const int16_t *center, int32_t here, int shift)
{
    return center[here] - ((int32_t)64 << shift);
}

/* The inputs of a pixel, as the tables say; `inside`: no tap lies beyond the border. */
NET_INLINE void net_gather_by_table(const net_planes *planes, int32_t x, int32_t y, int inside, uint16_t *inputs)
{
    const int16_t *const all[] = {NET_PLANE_LIST(planes)};
    const int32_t stride = planes->stride, here = y * stride + x;
    const net_tap *tap = net_taps;
    const net_group *group = net_groups;
    NET_LOOP
    do {
        const int16_t *const plane = all[group->plane];
        const int shift = group->shift;
        const int32_t from = group->center == NET_NO_CENTER ? 0 : net_origin(all[group->center], here, shift);
        const net_tap *const end = tap + group->taps;
        NET_LOOP
        do {
            const int32_t at = inside ? here + tap->dy * stride + tap->dx
                                      : net_within(y + tap->dy, planes->height) * stride
                                            + net_within(x + tap->dx, planes->width);
            *inputs++ = net_activation((plane[at] - from) >> shift);
        } while (++tap != end);
    } while (++group != net_groups + NET_GROUPS);
}
