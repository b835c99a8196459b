static void net_gather(const net_planes *planes, int32_t x, int32_t y, uint16_t *inputs)
{
    if (x >= NET_LEFT && x < planes->width - NET_RIGHT && y >= NET_ABOVE && y < planes->height - NET_BELOW)
        net_gather_inside(planes, x, y, inputs);
    else
        net_gather_by_table(planes, x, y, 0, inputs);
}
