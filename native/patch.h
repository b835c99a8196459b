// A small dense network that looks at the surroundings of every pixel, in the arithmetic of salticid.engine.integer:
// u7 activations, s8 weights, 32-bit sums, a shift and a clamp after each layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "patch_taps.h"

namespace salticid {

// Weights lie in the order in which they are used: for four outputs after another, for four inputs after another, the
// four weights of the first output, then those of the second, ... Each four are there as often as the kernel wants
// them. Counts are padded to fours by zeros.
struct DenseLayer {
    const std::int8_t* weights;
    const std::int32_t* bias;
    const std::int32_t* shift;  // of each output; one and the same in a hidden layer
    std::size_t inputs, outputs;
    const std::uint8_t* two_fit;  // for every four outputs: do the products of 2 * 2 inputs, added up, fit 16 bits
};

struct PatchRow {
    const TapRow* taps;  // a multiple of four
    const DenseLayer* layers;
    std::size_t layer_count;
    std::size_t width;            // pixels
    std::int16_t* const* outputs;  // a row for each output of the last layer
};

using RunPatchRow = void (*)(const PatchRow&);

struct PatchKernels {
    RunPatchRow run;
    std::size_t repeats;  // of each four weights, one after the other: a vector of them is then a plain operand
    // Multiplies and adds up `count` products on the 1024 bytes given, 0 to 127, and nothing else: the speed that no
    // network can pass here.
    std::int32_t (*multiply_only)(const std::int8_t* numbers, std::size_t count);
};

extern const PatchKernels patch_scalar;
extern const PatchKernels patch_avx2;
extern const PatchKernels patch_avx512;
extern const PatchKernels patch_neon;

// A layer as it is written down: weights[output * inputs + input].
struct LayerGiven {
    const std::int8_t* weights;
    const std::int32_t* bias;
    const std::int32_t* shift;
    std::size_t inputs, outputs;
};

class PatchNetwork {
public:
    using Number = std::int16_t;

    // Throws std::invalid_argument where the layers do not fit each other or are too large.
    PatchNetwork(const PatchKernels& kernels, std::vector<Tap> taps, const std::vector<LayerGiven>& layers,
                 std::size_t planes);

    const PatchTaps& taps() const { return taps_; }
    std::size_t outputs() const { return outputs_; }

    // The outputs of a row of `width` pixels; the taps are a multiple of four.
    void run(const TapRow* taps, std::size_t width, std::int16_t* const* outputs) const {
        kernels_.run({taps, layers_.data(), layers_.size(), width, outputs});
    }

private:
    PatchTaps taps_;
    std::vector<DenseLayer> layers_;
    const PatchKernels& kernels_;
    Memory weights_;
    std::vector<std::vector<std::int32_t>> numbers_;
    std::vector<std::vector<std::uint8_t>> fits_;
    std::size_t outputs_;
};

}  // namespace salticid
