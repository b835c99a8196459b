// Patch networks over rows of maps, whatever numbers they reckon with.
//
// A Network has Number, the type of its outputs; taps(); outputs(), how many there are; and run(taps, width, outputs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "patch.h"
#include "patch_float.h"
#include "patch_taps.h"

namespace salticid {

// What a thread needs to look at one row after another.
//
// Maps have room around them: at least the network's reach before and after each row, where the nearest pixel is
// repeated, and patch_vector more pixels to read behind. Beyond the first and last row counts the nearest one.
template <class Network>
class PatchRunner {
public:
    using Number = typename Network::Number;

    PatchRunner(const Network& network, const Plane* planes, std::size_t height, std::size_t width);

    // The outputs of row `y`: of all pixels, or of those that are not 0 in `mask`; the others are left as they were.
    void run(std::size_t y, const std::uint8_t* mask);
    const Number* output(std::size_t number) const { return outputs_[number]; }

private:
    struct Run {  // pixels side by side
        std::size_t column, count;
    };

    void point_at(std::size_t y);
    void run_gathered(std::size_t count);
    void gather(const std::int16_t* from, std::int16_t* to) const;

    const Network& network_;
    std::vector<Plane> planes_;
    std::size_t height_, width_;
    Memory map_memory_, output_memory_;
    std::vector<TapRow> taps_, gathered_;  // on the row, and on pixels that were brought together
    std::vector<Number*> outputs_, found_;
    std::vector<std::int16_t*> near_values_, near_centers_;
    std::vector<const std::int16_t*> centers_;  // the row of every plane
    std::vector<Run> runs_;
};

extern template class PatchRunner<PatchNetwork>;
extern template class PatchRunner<FloatPatchNetwork>;

// The network for every pixel of maps that lie in memory without room around them: `outputs` has, pixel by pixel, all
// outputs of the network; 0 for pixels that are 0 in `mask`, unless it is null. `memory` holds copies of the maps that have
// room around them.
template <class Network>
void run_patches(const Network& network, Memory& memory, const Plane* planes, std::size_t height, std::size_t width,
                 const std::uint8_t* mask, std::size_t threads, typename Network::Number* outputs);

}  // namespace salticid
