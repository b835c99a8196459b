#if defined(__GNUC__)
#define NET_INLINE static inline __attribute__((always_inline))
#else
#define NET_INLINE static inline
#endif

/* Few words without a jump between them are worth their flash; whole layers are not. */
#if defined(__GNUC__) && !defined(__clang__)
#define NET_UNROLLED _Pragma("GCC unroll 8")
#define NET_LOOP _Pragma("GCC unroll 1")
#else
#define NET_UNROLLED
#define NET_LOOP
#endif

/* The build ends here where a right shift of a negative number does not keep its sign. */
typedef char net_shifts_keep_the_sign[((int32_t)-1 >> 1) == -1 ? 1 : -1];

/*
 * Arithmetic on words of two numbers of 16 bits, the first in the low half, whatever the order of bytes in memory:
 *
 *   net_dot         sum + the products of the halves of a and b
 *   net_low_bytes   the low byte of each half, with its sign
 *   net_activation  a value within 0..127
 */
#if defined(__ARM_FEATURE_SIMD32) && !defined(NET_PORTABLE)
#define NET_DSP
#include <arm_acle.h>

NET_INLINE int32_t net_dot(uint32_t a, uint32_t b, int32_t sum)
{
    return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

NET_INLINE uint32_t net_low_bytes(uint32_t a)
{
    return (uint32_t)__sxtb16((int8x4_t)a);
}

NET_INLINE uint16_t net_activation(int32_t value)
{
    return (uint16_t)__usat(value, 7);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* in GCC's own definition of __ssat */
NET_INLINE int16_t net_output(int32_t value)
{
    return (int16_t)__ssat(value, 16);
}
#pragma GCC diagnostic pop
#else
NET_INLINE int32_t net_dot(uint32_t a, uint32_t b, int32_t sum)
{
    sum += (int32_t)(int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu);
    return sum + (int32_t)(int16_t)(a >> 16) * (int16_t)(b >> 16);
}

NET_INLINE uint32_t net_low_bytes(uint32_t a)
{
    return (uint16_t)(int8_t)(a & 0xFFu) | (uint32_t)(uint16_t)(int8_t)(a >> 16 & 0xFFu) << 16;
}

NET_INLINE uint16_t net_activation(int32_t value)
{
    return (uint16_t)(value < 0 ? 0 : value > 127 ? 127 : value);
}

NET_INLINE int16_t net_output(int32_t value)
{
    return (int16_t)(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}
#endif

/* Two activations as a word; compilers make it one load. */
NET_INLINE uint32_t net_two(const uint16_t *x)
{
    return x[0] | (uint32_t)x[1] << 16;
}

/* The next four words, and what follows them. Compilers do not find the one instruction for that, LDM. */
NET_INLINE const uint32_t *net_load(const uint32_t *words, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
#if defined(NET_DSP) && defined(__GNUC__) && defined(__thumb2__)
    register uint32_t r4 __asm__("r4"), r5 __asm__("r5"), r6 __asm__("r6"), r8 __asm__("r8");
    __asm__("ldmia %0!, {%1, %2, %3, %4}"
            : "+r"(words), "=r"(r4), "=r"(r5), "=r"(r6), "=r"(r8)
            : "m"(words[0]), "m"(words[1]), "m"(words[2]), "m"(words[3]));
    *a = r4;
    *b = r5;
    *c = r6;
    *d = r8;
    return words;
#else
    *a = words[0];
    *b = words[1];
    *c = words[2];
    *d = words[3];
    return words + 4;
#endif
}

/* Zeros behind the activations, for which the weights are zero too. Not volatile, it would become a call of memset. */
NET_INLINE void net_fill_up(volatile uint16_t *x, int32_t from, int32_t length)
{
    for (int32_t k = from; k < length; k++)
        x[k] = 0;
}

typedef struct {
    const uint32_t *weights;
    const int32_t *start;    /* what the sums start from: the biases */
    const uint8_t *shifts;   /* of a layer without ReLU, one for each unit */
    int32_t units;           /* summed up four at a time */
    int32_t pairs;           /* of activations that come in */
    int32_t unroll;          /* pairs taken without a jump: a divisor of `pairs` */
    int wide;                /* weights of 16 bits */
    int shift;               /* of a layer with ReLU */
} net_layer;

/* Four sums with weights of 16 bits: for each pair of activations a word for each unit. Returns what comes next. */
NET_INLINE const uint32_t *net_sums_wide(
    const net_layer *layer, const uint16_t *x, const uint32_t *weights, const int32_t *start, int32_t *sums)
{
    const uint16_t *const end = x + 2 * layer->pairs;
    int32_t first = start[0], second = start[1], third = start[2], fourth = start[3];
    NET_LOOP
    do {
        NET_UNROLLED
        for (int32_t k = 0; k < layer->unroll; k++) {
            const uint32_t two = net_two(x);
            uint32_t a, b, c, d;
            weights = net_load(weights, &a, &b, &c, &d);
            first = net_dot(a, two, first);
            second = net_dot(b, two, second);
            third = net_dot(c, two, third);
            fourth = net_dot(d, two, fourth);
            x += 2;
        }
    } while (x != end);
    sums[0] = first;
    sums[1] = second;
    sums[2] = third;
    sums[3] = fourth;
    return weights;
}

/*
 * Four sums with weights of 8 bits: a half word is 256 * a + b, the weights of two units for one activation. As it is
 * it adds up to 256 * A + B, its low byte alone to B; the difference is 256 * A. The exporter has checked that
 * 256 * A + B fits 32 bits.
 */
NET_INLINE const uint32_t *net_sums_narrow(
    const net_layer *layer, const uint16_t *x, const uint32_t *weights, const int32_t *start, int32_t *sums)
{
    const uint16_t *const end = x + 2 * layer->pairs;
    int32_t both = start[0], second = start[1], others = start[2], fourth = start[3];
    NET_LOOP
    do {
        NET_UNROLLED
        for (int32_t k = 0; k < layer->unroll; k++) {
            const uint32_t two = net_two(x);
            const uint32_t pair = weights[0], other = weights[1];
            both = net_dot(pair, two, both);
            second = net_dot(net_low_bytes(pair), two, second);
            others = net_dot(other, two, others);
            fourth = net_dot(net_low_bytes(other), two, fourth);
            weights += 2;
            x += 2;
        }
    } while (x != end);
    sums[0] = (both - second) >> 8;
    sums[1] = second;
    sums[2] = (others - fourth) >> 8;
    sums[3] = fourth;
    return weights;
}

NET_INLINE const uint32_t *net_sums(
    const net_layer *layer, const uint16_t *x, const uint32_t *weights, const int32_t *start, int32_t *sums)
{
    if (layer->wide)
        return net_sums_wide(layer, x, weights, start, sums);
    return net_sums_narrow(layer, x, weights, start, sums);
}

/* A layer with ReLU; its units are filled up to a multiple of four. */
NET_INLINE void net_hidden(const net_layer *layer, const uint16_t *x, uint16_t *y)
{
    const uint32_t *weights = layer->weights;
    const int32_t *start = layer->start, *const end = start + layer->units;
    int32_t sums[4];
    NET_LOOP
    do {
        weights = net_sums(layer, x, weights, start, sums);
        NET_UNROLLED
        for (int32_t k = 0; k < 4; k++)
            *y++ = net_activation(sums[k] >> layer->shift);
        start += 4;
    } while (start < end);
}

/* The layer without ReLU; outputs are `step` apart. */
NET_INLINE void net_last(const net_layer *layer, const uint16_t *x, int16_t *y, int32_t step)
{
    const uint32_t *weights = layer->weights;
    int32_t sums[4];
    NET_LOOP
    for (int32_t unit = 0; unit < layer->units; unit += 4) {
        weights = net_sums(layer, x, weights, layer->start + unit, sums);
        NET_UNROLLED
        for (int32_t k = 0; k < 4; k++)
            if (unit + k < layer->units)
                y[(unit + k) * step] = net_output(sums[k] >> layer->shifts[unit + k]);
    }
}
