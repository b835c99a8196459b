// Where a patch network looks: taps on maps of 16-bit numbers. No patch is ever copied out of its map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace salticid {

constexpr std::size_t patch_most_units = 128;   // of a layer, and taps
constexpr std::size_t patch_most_outputs = 8;   // numbers for each pixel
constexpr std::size_t patch_vector = 64;        // a kernel reads and writes so many pixels beyond the end of a row
constexpr std::ptrdiff_t patch_most_reach = 127;
constexpr std::int16_t patch_most_input = 127;

constexpr std::int16_t patch_middle = 64;  // the input of a tap that equals what it is compared with

// One input of one row: clamp(((values[x] - center[x]) >> shift) + 64, 0, 127), or clamp(values[x] >> shift, 0, 127).
struct TapRow {
    const std::int16_t* values;
    const std::int16_t* center;  // or null
    int shift;
};

struct Tap {
    std::size_t plane;
    std::ptrdiff_t dy, dx;
    std::ptrdiff_t center;  // a plane, or -1 for none
    int shift;
};

// A map, height x width; see PatchRunner for the room that one needs around it.
struct Plane {
    const std::int16_t* pixels;  // of the first row
    std::ptrdiff_t stride;
};

class PatchTaps {
public:
    // Throws std::invalid_argument where there are none or too many, or one cannot be.
    PatchTaps(std::vector<Tap> taps, std::size_t planes);

    std::size_t size() const { return taps_.size(); }
    const Tap& operator[](std::size_t number) const { return taps_[number]; }
    std::size_t planes() const { return planes_; }
    std::ptrdiff_t reach() const { return reach_; }  // px, of the farthest tap to the side

private:
    std::vector<Tap> taps_;
    std::size_t planes_;
    std::ptrdiff_t reach_ = 0;
};

}  // namespace salticid
