// What becomes of the winners of one row: loops that a compiler turns into vectors, for every instruction set anew.
//
// Floats are the same everywhere: no sum is contracted with a product (see CMakeLists.txt), and division is exact.
#pragma once

#include "sgm_kernels.h"

namespace salticid {
namespace {

// Lets every pixel of the right view choose among the pixels that match it, as its disparity that of the smallest cost.
// What matches outside of the right view has a pixel there too; its answer is thrown away later.
inline void claim(const SgmJudgeArguments& a) {
    constexpr std::uint32_t unclaimed = 0xffffffff;
    std::uint32_t* claimed = a.claims.of_column_0 - a.min_disparity;
    for (std::size_t n = 0; n < a.claims.count; ++n) a.claims.first[n] = unclaimed;
    const std::uint16_t *best = a.best, *cost = a.cost;
    for (std::size_t x = 0; x < a.width; ++x) {
        std::uint32_t& claim = claimed[static_cast<std::ptrdiff_t>(x) - best[x]];
        const std::uint32_t ours = std::uint32_t{cost[x]} << 16 | best[x];
        claim = ours < claim ? ours : claim;
    }
    std::uint16_t* chosen = a.left_right;
    for (std::size_t x = 0; x < a.width; ++x)
        chosen[x] = static_cast<std::uint16_t>(claimed[static_cast<std::ptrdiff_t>(x) - best[x]]);
}

inline void judge(const SgmJudgeArguments& arguments) {
    const SgmJudgeArguments a = arguments;
    claim(a);
    constexpr int none = 65535;
    const int allowed = a.left_right_px < 0 ? none - 1 : a.left_right_px, margin = 100 + a.uniqueness_percent;
    const int width = static_cast<int>(a.width), shift = static_cast<int>(a.min_disparity);
    const std::uint16_t* __restrict best = a.best;
    const std::uint16_t* __restrict costs = a.cost;
    const std::uint16_t* __restrict seconds = a.second;
    std::uint16_t* __restrict left_right = a.left_right;
    std::uint16_t* __restrict judged = a.judged;
    float* __restrict confidence = a.confidence;
    for (int x = 0; x < width; ++x) {
        const int column = x - best[x] - shift, apart = left_right[x] - best[x];
        const bool inside = (column >= 0) & (column < width);
        const int difference = inside ? apart < 0 ? -apart : apart : none;
        const int cost = costs[x], second = seconds[x];
        const bool known = (difference <= allowed) & (100 * second >= cost * margin);
        left_right[x] = static_cast<std::uint16_t>(difference);
        judged[x] = known ? best[x] : sgm_rejected;
        // The naive peak ratio (Hu and Mordohai 2012, "A quantitative evaluation of confidence measures for stereo
        // vision", IEEE TPAMI 34(11)), as 1 - 1 / ratio.
        const float sure = 1.0f - static_cast<float>(cost) / static_cast<float>(second > 0 ? second : 1);
        confidence[x] = known & (second != none) & (second > cost) ? sure : 0.0f;
    }
}

// The part of a pixel by which the minimum lies beside the winner, from the rises on both sides: between two straight
// lines of equal slope it is ratio / 2; costs of census codes are steeper near the minimum, and this bends them straight.
// The form is that of Haller and Nedevschi 2012, "Design of interpolation functions for subpixel-accuracy
// stereo-vision systems", IEEE TIP 21(2); the bend was fitted to simulated scenes.
inline float offset(float before, float after) {
    const float steep = before > after ? before : after;
    const float raw = (before - after) / (steep > 1.0f ? steep : 1.0f);
    const float ratio = raw > 1.0f ? 1.0f : raw < -1.0f ? -1.0f : raw;
    return ratio * (3.0f - __builtin_fabsf(ratio)) * 0.25f;
}

inline void fit(const SgmFitArguments& a) {
    const auto first = static_cast<float>(a.min_disparity);
    const std::uint16_t* __restrict best = a.best;
    const std::int16_t* __restrict before = a.before;
    const std::int16_t* __restrict after = a.after;
    float* __restrict disparity = a.disparity;
    for (std::size_t x = 0; x < a.width; ++x) {
        const float at = first + static_cast<float>(best[x]) + offset(before[x], after[x]);
        disparity[x] = best[x] != sgm_rejected ? at : __builtin_nanf("");
    }
}

}  // namespace
}  // namespace salticid
