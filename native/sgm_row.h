// What becomes of the winners of one row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sgm.h"

namespace salticid {

// Of each pixel of a row, what SgmKernels::select found.
struct Winners {
    std::uint16_t* best;
    std::uint16_t* cost;
    std::uint16_t* before;
    std::uint16_t* after;
    std::uint16_t* second;
    std::int16_t* rise_before;
    std::int16_t* rise_after;
};

constexpr std::uint16_t rejected = 65535;  // instead of a disparity

// Memory for the pixels of the right view that a match can point to, also beyond its ends.
struct Claims {
    std::uint32_t* first;
    std::size_t count;
    std::uint32_t* of_column_0;
};

// Writes the best disparities of a row, `rejected` where the other view, a rival or the end of the view speaks against
// it, their confidence, and how far the right view's disparity is off (65535 where the match lies outside).
void judge_row(const Winners& winners, std::size_t width, const SgmOptions& options, const Claims& claims,
               std::uint16_t* best, float* confidence, std::uint16_t* left_right);

// Writes the disparity of a row, finer than a pixel, from the best ones and the rises of the sums on both sides.
void fit_row(const std::uint16_t* best, const std::int16_t* before, const std::int16_t* after, std::size_t width,
             const SgmOptions& options, float* disparity);

}  // namespace salticid
