// Filters of disparity maps. A pixel is known where its value is finite; what is unknown comes out as nan.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

// The medians of one row of `width` pixels, from it and the rows above and below; `result` overlaps none of them.
using MedianRow = void (*)(const float* above, const float* here, const float* below, std::size_t width, float* result);

// A row of a map and its surroundings, in which pixels vote that look alike in an image.
struct VoteArguments {
    const float* values;         // pixel 0 of the row; `stride` values from row to row
    const std::uint8_t* colors;  // the same of the first channel; `plane` bytes to the next one
    std::ptrdiff_t stride, plane;
    std::size_t channels;
    const std::uint32_t* weights;           // for each sum of differences of two pixels' channels
    std::ptrdiff_t above, below;            // rows of votes: so many, `spacing` apart
    std::ptrdiff_t to_side, spacing;        // and columns of votes to either side. A vector beyond can be read
    const bool* kept;                       // pixels that keep their value
    std::size_t width;
    float* result;
};

// Writes the weighted medians of a row; a value that is not finite has no vote.
using VoteRow = void (*)(const VoteArguments&);

constexpr std::size_t guided_median_reach = 8;           // votes to each side, at most
constexpr std::size_t guided_median_channels = 4;        // of a pixel, at most
constexpr std::uint32_t guided_median_weight = 1000000;  // of a vote, at most

struct FilterKernels {
    MedianRow median;
    VoteRow vote;
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

// A map whose holes were filled somehow, and the image that is to correct them.
struct GuidedMedian {
    MapRows<const float> map;
    MapRows<const bool> kept;           // pixels that stay as they are
    MapRows<const std::uint8_t> image;  // `channels` bytes a pixel; its stride counts bytes
    std::size_t channels;
    const std::uint32_t* weights;  // for each sum of differences of two pixels' channels
    std::size_t reach, spacing;    // 2 * reach + 1 rows and columns of votes, so many pixels apart
};

// Writes for every pixel that is not kept the weighted median of the known pixels on a grid around it: the smallest
// value at which half of their weight is reached. Takes a copy of map and image, as wide as the votes reach beyond them.
void guided_median(const FilterKernels& kernels, const GuidedMedian& given, std::size_t threads,
                   const MapRows<float>& result);

}  // namespace salticid
