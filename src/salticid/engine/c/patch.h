/*
 * Maps, row after row; `stride` values lie between the starts of two rows. Beyond the border counts the nearest pixel.
 */
typedef struct {
NET_MEMBERS
    int32_t width, height, stride;
} net_planes;

/* One pixel, 0 <= x < width and 0 <= y < height: NET_OUTPUTS numbers. */
void net_pixel(const net_planes *planes, int32_t x, int32_t y, int16_t *outputs);

/* All pixels, row after row: NET_OUTPUTS numbers each. */
void net_image(const net_planes *planes, int16_t *outputs);

/* The pixels of a rectangle inside the image, row after row without gaps. */
void net_roi(const net_planes *planes, int32_t x, int32_t y, int32_t width, int32_t height, int16_t *outputs);

/* All pixels of which `mask` (width * height bytes, no gaps) is not 0; the outputs of the others are 0. */
void net_masked(const net_planes *planes, const uint8_t *mask, int16_t *outputs);

/* The two halves of net_pixel: NET_INPUTS numbers 0..127, and what the network makes of them. */
void net_inputs(const net_planes *planes, int32_t x, int32_t y, uint8_t *inputs);
void net_run(const uint8_t *inputs, int16_t *outputs);

/* Returns 0, or the number of the first test vector that does not give the bits it should. */
#ifndef NET_NO_SELFTEST
int net_selftest(void);
#endif
