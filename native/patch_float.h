// The same kind of network in floating point: inputs 0 to 127 less their zero, weights and sums of 32 bits.
//
// Instruction sets that multiply and add in one step round once instead of twice, so results differ between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "patch_taps.h"

namespace salticid {

// Weights lie in the order in which they are used: for four outputs after another, for one input after another, the
// weights of the four outputs. Outputs are padded to fours by zeros.
struct FloatDenseLayer {
    const float* weights;
    const float* bias;
    std::size_t inputs, outputs;
};

struct FloatPatchRow {
    const TapRow* taps;
    std::int32_t zero;  // what is taken off each input
    const FloatDenseLayer* layers;
    std::size_t layer_count;
    std::size_t width;       // pixels
    float* const* outputs;  // a row for each output of the last layer
};

struct FloatPatchKernels {
    void (*run)(const FloatPatchRow&);
    // Multiplies and adds up `count` products on the 1024 numbers given and nothing else: the speed that no network
    // can pass here.
    float (*multiply_only)(const float* numbers, std::size_t count);
};

extern const FloatPatchKernels patch_float_scalar;
extern const FloatPatchKernels patch_float_avx2;
extern const FloatPatchKernels patch_float_avx512;
extern const FloatPatchKernels patch_float_neon;

// A layer as it is written down: weights[output * inputs + input].
struct FloatLayerGiven {
    const float* weights;
    const float* bias;
    std::size_t inputs, outputs;
};

class FloatPatchNetwork {
public:
    using Number = float;

    // A real input is (u7 - zero) * scale. Throws std::invalid_argument where the layers do not fit each other or are
    // too large.
    FloatPatchNetwork(const FloatPatchKernels& kernels, std::vector<Tap> taps,
                      const std::vector<FloatLayerGiven>& layers, std::size_t planes, float scale, int zero);

    const PatchTaps& taps() const { return taps_; }
    std::size_t outputs() const { return outputs_; }

    // The outputs of a row of `width` pixels.
    void run(const TapRow* taps, std::size_t width, float* const* outputs) const {
        kernels_.run({taps, zero_, layers_.data(), layers_.size(), width, outputs});
    }

private:
    PatchTaps taps_;
    std::vector<FloatDenseLayer> layers_;
    const FloatPatchKernels& kernels_;
    Memory numbers_;
    std::size_t outputs_;
    std::int32_t zero_;
};

}  // namespace salticid
