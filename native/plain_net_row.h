// Rows of a convolution in 8 bits, written once for a vector type V and compiled for every instruction set.
//
// A lane is an output: V::Sums holds the sums of V::lanes of them for one pixel, V::Weights four weights of each, and
// V::Inputs four inputs of the pixel, the same for all lanes. Some pixels and some vectors of outputs are summed at
// once, as many as there are registers for: weights then serve several pixels, and inputs several vectors.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include <cstring>

#include "plain_net.h"

namespace salticid {
namespace {

// The steps of one of three rows of inputs, for the first pixel: pairs that lie side by side, and then one pair whose
// second step is of the next row, or null.
struct RowSteps {
    const std::uint8_t* first;
    std::size_t pairs;
    const std::uint8_t *one, *other;
};

struct ConvolvedRow {
    const PackedConvolution* layer;
    RowSteps rows[3];
    std::size_t stride, pixels;
    std::uint8_t* to;
    std::size_t to_stride;
};

template <class V, std::size_t VECTORS>
__attribute__((noinline)) void store_part(std::uint8_t* to, const typename V::Sums (&sums)[VECTORS],
                                          const float* multiplier, std::size_t count) {
    std::uint8_t bytes[VECTORS * V::lanes];
    V::store(bytes, sums, multiplier);
    std::memcpy(to, bytes, count);
}

// The outputs from vector `first` on, those that there are. In line, so that sums need not leave their registers.
template <class V, std::size_t VECTORS>
inline __attribute__((always_inline)) void store_pixel(const PackedConvolution& layer, std::size_t first,
                                                       const typename V::Sums (&sums)[VECTORS], std::uint8_t* pixel) {
    const std::size_t begin = first * V::lanes, left = layer.outputs - begin;
    if (left < VECTORS * V::lanes) return store_part<V>(pixel + begin, sums, layer.multiplier + begin, left);
    V::store(pixel + begin, sums, layer.multiplier + begin);
}

template <class V, std::size_t VECTORS, std::size_t PIXELS>
struct Block {
    static constexpr std::size_t step = 4 * V::lanes;  // bytes of the weights of a vector for four inputs

    typename V::Sums sums[PIXELS][VECTORS];

    void add_up(const ConvolvedRow& a, std::size_t first, std::size_t x) {
        const PackedConvolution& layer = *a.layer;
        for (std::size_t p = 0; p < PIXELS; ++p)
            for (std::size_t v = 0; v < VECTORS; ++v) sums[p][v] = V::load_sums(layer.bias + (first + v) * V::lanes);
        const std::size_t apart = 2 * step * layer.pairs;
        const std::int8_t* weights = layer.weights + first * apart;
        for (const RowSteps& row : a.rows) {
            const std::uint8_t* from = row.first + x * a.stride;
            for (std::size_t left = row.pairs; left > 0; --left, from += 8, weights += 2 * step)
                add_pair(from, from + 4, a.stride, weights, apart);
            if (row.one == nullptr) continue;
            add_pair(row.one + x * a.stride, row.other + x * a.stride, a.stride, weights, apart);
            weights += 2 * step;
        }
    }

    void add_pair(const std::uint8_t* one, const std::uint8_t* other, std::size_t stride, const std::int8_t* weights,
                  std::size_t apart) {
        typename V::Weights for_one[VECTORS], for_other[VECTORS];
        for (std::size_t v = 0; v < VECTORS; ++v) {
            for_one[v] = V::load_weights(weights + v * apart);
            for_other[v] = V::load_weights(weights + v * apart + step);
        }
        for (std::size_t p = 0; p < PIXELS; ++p)
            V::add(sums[p], V::broadcast(one + p * stride), V::broadcast(other + p * stride), for_one, for_other);
    }

    void store(const ConvolvedRow& a, std::size_t first, std::size_t x) const {
        for (std::size_t p = 0; p < PIXELS; ++p)
            store_pixel<V>(*a.layer, first, sums[p], a.to + (x + p) * a.to_stride);
    }
};

template <class V, std::size_t VECTORS, std::size_t PIXELS>
void convolve_block(const ConvolvedRow& a, std::size_t first, std::size_t x) {
    Block<V, VECTORS, PIXELS> block;
    block.add_up(a, first, x);
    block.store(a, first, x);
}

// All pixels. The last ones may be computed twice, so that the block is whole.
template <class V, std::size_t VECTORS>
void convolve_pixels(const ConvolvedRow& a, std::size_t first) {
    std::size_t x = 0;
    for (; x + V::pixels <= a.pixels; x += V::pixels) convolve_block<V, VECTORS, V::pixels>(a, first, x);
    if (x == a.pixels) return;
    if (x > 0) return convolve_block<V, VECTORS, V::pixels>(a, first, a.pixels - V::pixels);
    for (; x < a.pixels; ++x) convolve_block<V, VECTORS, 1>(a, first, x);
}

// All outputs from vector `first` on, VECTORS vectors at a time, and fewer for what is left.
template <class V, std::size_t VECTORS>
void convolve_vectors(const ConvolvedRow& a, std::size_t first) {
    for (; first + VECTORS <= a.layer->vectors; first += VECTORS) convolve_pixels<V, VECTORS>(a, first);
    if constexpr (VECTORS > 1) convolve_vectors<V, VECTORS - 1>(a, first);
}

// Of the inputs from row `first` on.
inline ConvolvedRow row_of(const ConvolvedRows& a, std::size_t first) {
    const std::size_t steps = 3 * a.stride / 4;
    ConvolvedRow row = {a.layer, {}, a.stride, a.pixels, a.to[first], a.to_stride};
    for (std::size_t k = 0; k < 3; ++k) {
        const std::uint8_t* from = a.inputs[first + k];
        const std::size_t taken = k * steps % 2, left = steps - taken;  // by the row before
        row.rows[k] = {from + 4 * taken, left / 2, nullptr, nullptr};
        if (left % 2 == 0) continue;
        row.rows[k].one = from + 4 * (steps - 1);
        row.rows[k].other = a.inputs[first + (k + 1) % 3];  // after the last step there is none: its weights are 0
    }
    return row;
}

template <class V>
void convolve_rows(const ConvolvedRows& a) {
    for (std::size_t n = 0; n < 2; ++n)
        if (a.to[n] != nullptr) convolve_vectors<V, V::vectors>(row_of(a, n), 0);
}

template <class V>
constexpr PlainNetKernels plain_net_kernels = {V::lanes, V::lowered, V::order, false, convolve_rows<V>};

}  // namespace
}  // namespace salticid
