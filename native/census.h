// The census transform: what the kernels of every instruction set provide, and the call that uses them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

// Writes the codes of one row of `width` pixels. `rows` points to the first pixel of each row of the window, top
// first; every row can be read from `census_margin` pixels before its first to `census_margin` after its last.
// A pixel is stored as gray - 128, because AVX2 compares signed bytes only.
using CensusRow = void (*)(const std::int8_t* const* rows, std::size_t width, std::uint64_t* codes);

constexpr std::size_t census_margin = 128;  // a vector that starts at the last pixel, and half a window

// Writes the codes of one row byte by byte: byte n of every pixel to `planes` + n * `stride`, up to `census_margin`
// bytes past the last pixel too.
using CensusPlanes = void (*)(const std::int8_t* const* rows, std::size_t width, std::uint8_t* planes,
                              std::size_t stride);

struct CensusKernels;

// Which neighbors take part, and in how many bytes. Checkered: every second one, for codes that say nearly as much in
// half the bits. In an image whose columns are reversed, so are the neighbors.
struct CensusPattern {
    std::size_t height, bytes;
    CensusPlanes CensusKernels::*planes;
    CensusPlanes CensusKernels::*mirrored;
};

struct CensusKernels {
    CensusRow row_5x5;
    CensusRow row_9x7;
    CensusPlanes planes_5x5, mirrored_5x5;            // all 24 neighbors, 3 bytes
    CensusPlanes checkered_7x7, mirrored_checkered_7x7;  // 24 of 48, 3 bytes
    CensusPlanes checkered_9x7, mirrored_checkered_9x7;  // 32 of 62, 4 bytes
    // Makes `count` comparisons on the 1024 pixels given and nothing else: the speed that no census can pass here.
    std::uint64_t (*compare_only)(const std::int8_t* pixels, std::size_t count);
};

extern const CensusKernels census_scalar;
extern const CensusKernels census_avx2;
extern const CensusKernels census_avx512;
extern const CensusKernels census_neon;

struct GrayImage {
    const std::uint8_t* pixels;
    std::ptrdiff_t row_stride;  // bytes from one row to the next, of either sign
    std::size_t height, width;  // both at least 1
};

// Writes the census codes of `image`, its border replicated, to `codes` (height x width, contiguous).
void census_5x5(const CensusKernels& kernels, const GrayImage& image, std::size_t threads, std::uint64_t* codes);
void census_9x7(const CensusKernels& kernels, const GrayImage& image, std::size_t threads, std::uint64_t* codes);

constexpr CensusPattern census_pattern_5x5 = {5, 3, &CensusKernels::planes_5x5, &CensusKernels::mirrored_5x5};
constexpr CensusPattern census_checkered_7x7 = {7, 3, &CensusKernels::checkered_7x7,
                                                &CensusKernels::mirrored_checkered_7x7};
constexpr CensusPattern census_checkered_9x7 = {7, 4, &CensusKernels::checkered_9x7,
                                                &CensusKernels::mirrored_checkered_9x7};

}  // namespace salticid
