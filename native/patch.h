// A small dense network that looks at the surroundings of every pixel, in the arithmetic of salticid.engine.integer:
// u7 activations, s8 weights, 32-bit sums, a shift and a clamp after each layer.
//
// Its inputs are taps on maps of 16-bit numbers; no patch is ever copied out of its map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace salticid {

constexpr std::size_t patch_most_units = 128;   // of a layer, and taps
constexpr std::size_t patch_most_outputs = 8;   // numbers for each pixel
constexpr std::size_t patch_vector = 64;        // a kernel reads and writes so many pixels beyond the end of a row
constexpr std::ptrdiff_t patch_most_reach = 127;

// One input of one row: clamp(((values[x] - center[x]) >> shift) + middle, 0, 127), the difference cut off at 16 bits.
struct TapRow {
    const std::int16_t* values;
    const std::int16_t* center;
    std::int16_t middle;
    std::int16_t shift;
};

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
};

extern const PatchKernels patch_scalar;
extern const PatchKernels patch_avx2;
extern const PatchKernels patch_avx512;
extern const PatchKernels patch_neon;

struct Tap {
    std::size_t plane;
    std::ptrdiff_t dy, dx;
    std::ptrdiff_t center;  // a plane, or -1 for none
    int shift;
};

// A layer as it is written down: weights[output * inputs + input].
struct LayerGiven {
    const std::int8_t* weights;
    const std::int32_t* bias;
    const std::int32_t* shift;
    std::size_t inputs, outputs;
};

class PatchNetwork {
public:
    // Throws std::invalid_argument where the layers do not fit each other or are too large.
    PatchNetwork(const PatchKernels& kernels, std::vector<Tap> taps, const std::vector<LayerGiven>& layers,
                 std::size_t planes);

    const PatchKernels& kernels() const { return kernels_; }
    std::size_t planes() const { return planes_; }
    std::size_t outputs() const { return outputs_; }
    std::ptrdiff_t reach() const { return reach_; }  // px, of the farthest tap to the side

    const std::vector<Tap>& taps() const { return taps_; }
    const std::vector<DenseLayer>& layers() const { return layers_; }

private:
    std::vector<Tap> taps_;
    std::vector<DenseLayer> layers_;
    const PatchKernels& kernels_;
    Memory weights_;
    std::vector<std::vector<std::int32_t>> numbers_;
    std::vector<std::vector<std::uint8_t>> fits_;
    std::size_t planes_, outputs_;
    std::ptrdiff_t reach_ = 0;
};

// A map with room around it: at least the network's reach before and after each row, where the nearest pixel is
// repeated, and patch_vector more pixels to read behind. Beyond the first and last row counts the nearest one.
struct Plane {
    const std::int16_t* pixels;  // of the first row
    std::ptrdiff_t stride;
};

// What a thread needs to look at one row after another.
class PatchRunner {
public:
    PatchRunner(const PatchNetwork& network, const Plane* planes, std::size_t height,
                std::size_t width);

    // The outputs of row `y`: of all pixels, or of those that are not 0 in `mask`; the others are left as they were.
    void run(std::size_t y, const std::uint8_t* mask);
    const std::int16_t* output(std::size_t number) const { return outputs_[number]; }

private:
    struct Run {  // pixels side by side
        std::size_t column, count;
    };

    void point_at(std::size_t y);
    void run_gathered(std::size_t count);
    void gather(const std::int16_t* from, std::int16_t* to) const;
    void run_kernel(const std::vector<TapRow>& taps, std::size_t width, std::int16_t* const* outputs) const;

    const PatchNetwork& network_;
    std::vector<Plane> planes_;
    std::size_t height_, width_;
    Memory memory_;
    std::int16_t* zeros_;
    std::vector<TapRow> taps_, gathered_;  // on the row, and on pixels that were brought together
    std::vector<std::int16_t*> outputs_, found_, near_values_, near_centers_;
    std::vector<const std::int16_t*> centers_;  // the row of every plane
    std::vector<Run> runs_;
};

// The network for every pixel of maps that lie in memory without room around them: `outputs` has, pixel by pixel, all
// outputs of the network; 0 for pixels that are 0 in `mask`, unless it is null.
void run_patches(const PatchNetwork& network, const Plane* planes, std::size_t height, std::size_t width,
                 const std::uint8_t* mask, std::size_t threads, std::int16_t* outputs);

}  // namespace salticid
