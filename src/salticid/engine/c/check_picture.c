/* A picture for which the outputs are known: all of them, those in the mask, and those of a region. */
typedef struct {
    int32_t width, height, stride;
    const int16_t *data;
    const uint8_t *mask;
    const int16_t *outputs, *masked, *region;
} picture;
