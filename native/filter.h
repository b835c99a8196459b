// Filters of disparity maps. A pixel is known where its value is finite; what is unknown comes out as nan.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

// The medians of one row of `width` pixels, from it and the rows above and below; `result` overlaps none of them.
using MedianRow = void (*)(const float* above, const float* here, const float* below, std::size_t width, float* result);

struct FilterKernels {
    MedianRow median;
};

extern const FilterKernels filter_scalar;
extern const FilterKernels filter_avx2;
extern const FilterKernels filter_avx512;

template <class Pixel>
struct MapRows {
    Pixel* pixels;
    std::ptrdiff_t stride;      // pixels from one row to the next, of either sign
    std::size_t height, width;  // both at least 1
};

// Writes for every known pixel of `map` the lower median of the known pixels in its 3x3 window, cut off at the border.
void median_of_known(const FilterKernels& kernels, const MapRows<const float>& map, std::size_t threads,
                     const MapRows<float>& result);

// Makes islands of at most `area` pixels unknown. Two pixels, one beside or above the other, are of one island where
// both are known and differ by at most `range`. The result does not depend on `threads`.
//
// Memory: 16 bytes for each run, a part of a row that hangs together. There is room for one per pixel, but what is not
// needed is never touched: a map of 1456x1088 pixels has some 50 000 runs, which take 1 MB; where no two neighbors are
// alike, every pixel is a run: 25 MB.
void remove_speckles(const MapRows<float>& map, std::size_t area, float range, std::size_t threads);

}  // namespace salticid
