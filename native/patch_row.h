// The network over one row, written once for a vector type V and compiled for every instruction set.
//
// A lane is a pixel. V::Words holds 16-bit numbers of V::pixels pixels; two V::Sums hold 32-bit numbers of as many, the
// pixels in an order that V::weave makes and V::narrowed undoes. As Sums, an activation vector holds four bytes a pixel.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include <cstring>

#include "patch.h"

namespace salticid {
namespace {

template <class V>
struct Activations {
    typename V::Sums four[patch_most_units / 4][2];  // units 4n to 4n + 3
};

template <class V>
typename V::Words tapped(const TapRow& tap, std::size_t x) {
    auto input = V::load(tap.values + x);
    if (tap.center != nullptr) input = V::subtract(input, V::load(tap.center + x));
    if (tap.shift != 0) input = V::shifted(input, tap.shift);
    return tap.center != nullptr ? V::add(input, V::broadcast(patch_middle)) : input;
}

template <class V>
void gather(const PatchRow& a, std::size_t x, Activations<V>& inputs) {
    const std::size_t groups = a.layers[0].inputs / 4;
    for (std::size_t n = 0; n < groups; ++n) {
        const TapRow* tap = a.taps + 4 * n;
        V::weave(tapped<V>(tap[0], x), tapped<V>(tap[1], x), tapped<V>(tap[2], x), tapped<V>(tap[3], x),
                 inputs.four[n]);
    }
}

// The sums of FOURS times four outputs from `first` on, each for VECTORS vectors of pixels from `half` on.
template <class V, std::size_t FOURS, std::size_t VECTORS>
struct Tile {
    static constexpr std::size_t four = 4 * V::repeats, group = 4 * four;  // bytes of the weights of four inputs

    typename V::Sums sums[4 * FOURS][VECTORS];

    void add_up(const DenseLayer& layer, std::size_t first, std::size_t half, const Activations<V>& inputs) {
        const std::size_t groups = layer.inputs / 4;
        const std::int8_t* weights = layer.weights + V::repeats * first * layer.inputs;
        for (std::size_t k = 0; k < 4 * FOURS; ++k)
            for (std::size_t v = 0; v < VECTORS; ++v) sums[k][v] = V::broadcast_sum(layer.bias[first + k]);
        std::size_t n = 0;
        if constexpr (V::adds_two && FOURS == 1)
            if (layer.two_fit[first / 4])
                for (; n + 1 < groups; n += 2) add_two(weights + group * n, half, inputs.four + n);
        for (; n < groups; ++n) add_one(weights + group * n, groups, half, inputs.four[n]);
    }

    void add_one(const std::int8_t* weights, std::size_t groups, std::size_t half, const typename V::Sums (&inputs)[2]) {
#pragma GCC unroll 8
        for (std::size_t k = 0; k < 4 * FOURS; ++k) {
            const auto weight = V::weights_of_four(weights + k / 4 * group * groups + k % 4 * four);
#pragma GCC unroll 2
            for (std::size_t v = 0; v < VECTORS; ++v) sums[k][v] = V::dot(sums[k][v], inputs[half + v], weight);
        }
    }

    void add_two(const std::int8_t* weights, std::size_t half, const typename V::Sums (*inputs)[2]) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < 4; ++k) {
            const auto one = V::weights_of_four(weights + four * k),
                       other = V::weights_of_four(weights + group + four * k);
#pragma GCC unroll 2
            for (std::size_t v = 0; v < VECTORS; ++v)
                sums[k][v] = V::dot_two(sums[k][v], inputs[0][half + v], one, inputs[1][half + v], other);
        }
    }

    void activate(const DenseLayer& layer, std::size_t first, std::size_t half, Activations<V>& to) const {
        for (std::size_t k = 0; k < FOURS; ++k)
            for (std::size_t v = 0; v < VECTORS; ++v)
                to.four[first / 4 + k][half + v] =
                    V::activated(sums[4 * k][v], sums[4 * k + 1][v], sums[4 * k + 2][v], sums[4 * k + 3][v],
                                 layer.shift[0]);
    }
};

template <class V, std::size_t FOURS>
std::size_t hidden(const DenseLayer& layer, std::size_t first, const Activations<V>& from, Activations<V>& to) {
    for (; first + 4 * FOURS <= layer.outputs; first += 4 * FOURS)
        for (std::size_t half = 0; half < 2; half += V::vectors) {
            Tile<V, FOURS, V::vectors> tile;
            tile.add_up(layer, first, half, from);
            tile.activate(layer, first, half, to);
        }
    return first;
}

template <class V>
void output(const DenseLayer& layer, const Activations<V>& from, std::size_t x, std::int16_t* const* to) {
    for (std::size_t first = 0; first < layer.outputs; first += 4) {
        Tile<V, 1, 2> tile;
        tile.add_up(layer, first, 0, from);
        for (std::size_t k = 0; k < 4; ++k)
            V::store(to[first + k] + x, V::narrowed(tile.sums[k][0], tile.sums[k][1], layer.shift[first + k]));
    }
}

template <class V>
void run_patch_row(const PatchRow& given) {
    const PatchRow a = given;
    Activations<V> one, other;
    for (std::size_t x = 0; x < a.width; x += V::pixels) {
        Activations<V>*from = &one, *to = &other;
        gather<V>(a, x, *from);
        for (std::size_t n = 0; n + 1 < a.layer_count; ++n) {
            hidden<V, 1>(a.layers[n], hidden<V, V::fours>(a.layers[n], 0, *from, *to), *from, *to);
            Activations<V>* const swapped = from;
            from = to;
            to = swapped;
        }
        output<V>(a.layers[a.layer_count - 1], *from, x, a.outputs);
    }
}

// Of nothing in particular, so that no sum is left out.
template <class V, std::size_t FOURS, std::size_t VECTORS>
std::int32_t total(const Tile<V, FOURS, VECTORS>& tile) {
    std::int32_t sum = 0;
#pragma GCC unroll 8
    for (std::size_t k = 0; k < 4 * FOURS; ++k)
#pragma GCC unroll 2
        for (std::size_t v = 0; v < VECTORS; ++v) {
            std::int32_t first;
            std::memcpy(&first, &tile.sums[k][v], sizeof first);
            sum += first;
        }
    return sum;
}

template <class V>
std::int32_t multiply_only(const std::int8_t* numbers, std::size_t count) {
    constexpr std::size_t units = 4 * V::fours, bytes = sizeof(typename V::Sums);
    constexpr std::size_t at_once = V::adds_two ? 2 : 1, products = units * V::vectors * at_once * bytes;
    decltype(V::weights_of_four(numbers)) weights[units * at_once];
    for (std::size_t k = 0; k < units * at_once; ++k) weights[k] = V::weights_of_four(numbers + k * bytes % 1024);
    Tile<V, V::fours, V::vectors> tile{};
    for (std::size_t done = 0; done < count; done += products) {
        const std::int8_t* from = numbers + done % 512;
#pragma GCC unroll 2
        for (std::size_t v = 0; v < V::vectors; ++v) {
            typename V::Sums one, other;
            std::memcpy(&one, from + v * at_once * bytes, bytes);
            if constexpr (V::adds_two) std::memcpy(&other, from + (v * at_once + 1) * bytes, bytes);
#pragma GCC unroll 8
            for (std::size_t k = 0; k < units; ++k)
                if constexpr (V::adds_two)
                    tile.sums[k][v] = V::dot_two(tile.sums[k][v], one, weights[2 * k], other, weights[2 * k + 1]);
                else
                    tile.sums[k][v] = V::dot(tile.sums[k][v], one, weights[k]);
        }
    }
    return total(tile);
}

template <class V>
constexpr PatchKernels patch_kernels = {run_patch_row<V>, V::repeats, multiply_only<V>};

}  // namespace
}  // namespace salticid
