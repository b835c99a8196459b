/* All ways to call the network. */
static net_planes planes_of(const picture *one)
{
    const int16_t *const data = one->data;
    const net_planes planes = {PLANES, one->width, one->height, one->stride};
    return planes;
}

static int differ_in_region(const picture *one, int32_t number)
{
    const net_planes planes = planes_of(one);
    const int32_t x = one->width / 3, y = one->height / 3;
    net_roi(&planes, x, y, one->width - x, one->height - y, found);
    return differ("roi: picture", number, one->region, (one->width - x) * (one->height - y) * NET_OUTPUTS);
}

static int differ_in_steps(const picture *one, int32_t number)
{
    const net_planes planes = planes_of(one);
    const int32_t pixels = one->width * one->height;
    for (int32_t k = 0; k < pixels; k++) {
        uint8_t inputs[NET_INPUTS];
        net_inputs(&planes, k % one->width, k / one->width, inputs);
        net_run(inputs, found + k * NET_OUTPUTS);
    }
    return differ("inputs and run: picture", number, one->outputs, pixels * NET_OUTPUTS);
}

static int check_picture(const picture *one, int32_t number)
{
    const net_planes planes = planes_of(one);
    const int32_t count = one->width * one->height * NET_OUTPUTS;
    int wrong = 0;
    net_image(&planes, found);
    wrong += differ("image: picture", number, one->outputs, count);
    net_masked(&planes, one->mask, found);
    wrong += differ("masked: picture", number, one->masked, count);
    return wrong + differ_in_region(one, number) + differ_in_steps(one, number);
}

/* Of the last picture: inside of it no tap looks beyond the border. */
static void measure(const picture *one)
{
    const net_planes planes = planes_of(one);
    const int32_t width = one->width - LEFT - RIGHT, height = one->height - ABOVE - BELOW;
    uint32_t most = 0, start = instructions();
    const uint32_t nothing = instructions() - start;
    start = instructions();
    net_roi(&planes, LEFT, ABOVE, width, height, found);
    const uint32_t inside = instructions() - start - nothing;
    for (int32_t k = 0; k < one->width * one->height; k++) {
        start = instructions();
        net_pixel(&planes, k % one->width, k / one->width, found);
        const uint32_t taken = instructions() - start - nothing;
        most = taken > most ? taken : most;
    }
    say_value("instructions", inside / (uint32_t)(width * height));
    say_value("most", most);
    stack_paint();
    net_image(&planes, found);
    say_value("stack", stack_used());
}

int check(void)
{
    int32_t pixels = 0;
    int wrong = net_selftest();
    if (wrong)
        say_value("FAIL selftest: vector", (uint32_t)wrong);
    for (int32_t k = 0; k < PICTURES; k++) {
        wrong += check_picture(pictures + k, k);
        pixels += pictures[k].width * pictures[k].height;
    }
    measure(pictures + PICTURES - 1);
    say_value("checked", (uint32_t)pixels);
    say_value("wrong", (uint32_t)wrong);
    return wrong != 0;
}
