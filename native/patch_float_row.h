// The network in floating point over one row, written once for vectors V and compiled for every instruction set.
//
// A lane is a pixel. A V is a Vector of lanes.h, with V::vectors, how many of them are worked on at once, and V::fours,
// for how many times four units. A sum begins with the bias and goes from the first input to the last; where
// `a + b * c` is one instruction, the compiler's flags say so.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include "lanes.h"
#include "patch_float.h"

namespace salticid {
namespace {

template <std::size_t BYTES, std::size_t VECTORS, std::size_t FOURS>
struct PatchVector : Vector<BYTES> {
    static constexpr std::size_t vectors = VECTORS, fours = FOURS;
    static constexpr std::size_t pixels = VECTORS * Vector<BYTES>::lanes;
    static_assert(pixels <= patch_vector);
};

template <class V>
struct FloatActivations {
    typename V::Floats units[patch_most_units][V::vectors];
};

template <class V>
typename V::Ints wide(const std::int16_t* from) {
    return __builtin_convertvector(load<typename V::Shorts>(from), typename V::Ints);
}

// Less `zero`, which is exact.
template <class V>
typename V::Floats tapped(const TapRow& tap, std::size_t x, std::int32_t zero) {
    const typename V::Ints least = typename V::Ints{} - zero, most = least + patch_most_input;
    auto input = wide<V>(tap.values + x);
    if (tap.center != nullptr) input -= wide<V>(tap.center + x);
    if (tap.shift != 0) input >>= tap.shift;
    input += (tap.center != nullptr ? patch_middle : 0) - zero;
    input = input > least ? input : least;
    return __builtin_convertvector(input < most ? input : most, typename V::Floats);
}

// Not inline: its constants would take registers from the sums.
template <class V>
[[gnu::noinline]] void gather(const FloatPatchRow& a, std::size_t x, FloatActivations<V>& inputs) {
    const std::size_t count = a.layers[0].inputs;
    for (std::size_t n = 0; n < count; ++n)
        for (std::size_t v = 0; v < V::vectors; ++v)
            inputs.units[n][v] = tapped<V>(a.taps[n], x + v * V::lanes, a.zero);
}

// The sums of UNITS outputs from `first` on.
template <class V, std::size_t UNITS>
struct FloatTile {
    typename V::Floats sums[UNITS][V::vectors];

    void add_up(const FloatDenseLayer& layer, std::size_t first, const FloatActivations<V>& inputs) {
        for (std::size_t k = 0; k < UNITS; ++k)
            for (std::size_t v = 0; v < V::vectors; ++v) sums[k][v] = broadcast<V>(layer.bias[first + k]);
        const float* weights = layer.weights + first * layer.inputs;
        for (std::size_t n = 0; n < layer.inputs; ++n) add_one(weights + 4 * n, 4 * layer.inputs, inputs.units[n]);
    }

    // Weights of one input; those of the next four units are `further` on.
    void add_one(const float* weights, std::size_t further, const typename V::Floats (&inputs)[V::vectors]) {
#pragma GCC unroll 8
        for (std::size_t k = 0; k < UNITS; ++k) {
            const float weight = weights[k / 4 * further + k % 4];
#pragma GCC unroll 4
            for (std::size_t v = 0; v < V::vectors; ++v) sums[k][v] += inputs[v] * weight;
        }
    }

    void activate(std::size_t first, FloatActivations<V>& to) const {
        const typename V::Floats none = {};
        for (std::size_t k = 0; k < UNITS; ++k)
            for (std::size_t v = 0; v < V::vectors; ++v)
                to.units[first + k][v] = sums[k][v] > none ? sums[k][v] : none;
    }
};

template <class V, std::size_t FOURS>
std::size_t hidden(const FloatDenseLayer& layer, std::size_t first, const FloatActivations<V>& from,
                   FloatActivations<V>& to) {
    for (; first + 4 * FOURS <= layer.outputs; first += 4 * FOURS) {
        FloatTile<V, 4 * FOURS> tile;
        tile.add_up(layer, first, from);
        tile.activate(first, to);
    }
    return first;
}

template <class V>
void output(const FloatDenseLayer& layer, const FloatActivations<V>& from, std::size_t x, float* const* to) {
    for (std::size_t first = 0; first < layer.outputs; first += 4) {
        FloatTile<V, 4> tile;
        tile.add_up(layer, first, from);
        for (std::size_t k = 0; k < 4; ++k)
            for (std::size_t v = 0; v < V::vectors; ++v) store(to[first + k] + x + v * V::lanes, tile.sums[k][v]);
    }
}

template <class V>
void run_patch_row(const FloatPatchRow& given) {
    const FloatPatchRow a = given;
    FloatActivations<V> one, other;
    for (std::size_t x = 0; x < a.width; x += V::pixels) {
        FloatActivations<V>*from = &one, *to = &other;
        gather<V>(a, x, *from);
        for (std::size_t n = 0; n + 1 < a.layer_count; ++n) {
            hidden<V, 1>(a.layers[n], hidden<V, V::fours>(a.layers[n], 0, *from, *to), *from, *to);
            FloatActivations<V>* const swapped = from;
            from = to;
            to = swapped;
        }
        output<V>(a.layers[a.layer_count - 1], *from, x, a.outputs);
    }
}

template <class V>
float multiply_only(const float* numbers, std::size_t count) {
    constexpr std::size_t units = 4 * V::fours, products = units * V::pixels;
    float weights[units];
    std::memcpy(weights, numbers, sizeof weights);
    FloatTile<V, units> tile{};
    for (std::size_t done = 0; done < count; done += products) {
        const float* from = numbers + done % 512;
#pragma GCC unroll 4
        for (std::size_t v = 0; v < V::vectors; ++v) {
            const auto inputs = load<typename V::Floats>(from + v * V::lanes);
#pragma GCC unroll 8
            for (std::size_t k = 0; k < units; ++k) tile.sums[k][v] += inputs * weights[k];
        }
    }
    float sum = 0;
#pragma GCC unroll 8
    for (std::size_t k = 0; k < units; ++k)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < V::vectors; ++v) sum += tile.sums[k][v][0];
    return sum;
}

template <class V>
constexpr FloatPatchKernels float_patch_kernels = {run_patch_row<V>, multiply_only<V>};

}  // namespace
}  // namespace salticid
