/* The part of an image that a convolution looks at; beyond the border counts `around`. */
static inline void net_window(
    const uint8_t *image, int32_t channels, int32_t height, int32_t width, int32_t top, int32_t left, int32_t rows,
    int32_t columns, uint8_t around, uint16_t *x)
{
    for (int32_t channel = 0; channel < channels; channel++, image += height * width)
        for (int32_t y = top; y < top + rows; y++) {
            const uint8_t *const line = y >= 0 && y < height ? image + y * width : 0;
            for (int32_t column = left; column < left + columns; column++)
                *x++ = line && column >= 0 && column < width ? line[column] : around;
        }
}

/* Units of one pixel into images that lie `step` apart. */
static inline void net_spread(const uint16_t *units, int32_t count, uint8_t *images, int32_t step)
{
    for (int32_t unit = 0; unit < count; unit++)
        images[unit * step] = (uint8_t)units[unit];
}
