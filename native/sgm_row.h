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
};

// Memory for the pixels of the right view that a match can point to, also beyond its ends.
struct Claims {
    std::uint32_t* first;
    std::size_t count;
    std::uint32_t* of_column_0;
};

// Writes the disparity and the confidence of a row, and how far the right view's disparity is off (65535 where the match
// lies outside).
void disparity_row(const Winners& winners, std::size_t width, const SgmOptions& options, const Claims& claims,
                   float* disparity, float* confidence, std::uint16_t* left_right);

}  // namespace salticid
