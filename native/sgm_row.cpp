#include "sgm_row.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace salticid {
namespace {

constexpr std::uint16_t none = 65535;
constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint32_t unclaimed = 0xffffffff;

// The part of a pixel by which the minimum lies beside the winner, from the rises on both sides: between two straight
// lines of equal slope it is ratio / 2; costs of census codes are steeper near the minimum, and this bends them straight.
// The form is that of Haller and Nedevschi 2012, "Design of interpolation functions for subpixel-accuracy
// stereo-vision systems", IEEE TIP 21(2); the bend was fitted to simulated scenes.
float offset(float before, float after) {
    const float steep = before > after ? before : after;
    const float raw = (before - after) / (steep > 1.0f ? steep : 1.0f);
    const float ratio = raw > 1.0f ? 1.0f : raw < -1.0f ? -1.0f : raw;
    return ratio * (3.0f - std::fabs(ratio)) * 0.25f;
}

// Lets every pixel of the right view choose among the pixels that match it, as its disparity that of the smallest cost,
// and compares. What matches outside of the right view has a pixel there too, and its answer is thrown away.
void compare_views(const Winners& winners, std::size_t width, const SgmOptions& options, const Claims& claims,
                   std::uint16_t* left_right) {
    const std::uint16_t* best = winners.best;
    const std::uint16_t* cost = winners.cost;
    std::uint32_t* claimed = claims.of_column_0 - options.min_disparity;
    std::fill_n(claims.first, claims.count, unclaimed);
    for (std::size_t x = 0; x < width; ++x) {
        std::uint32_t& claim = claimed[static_cast<std::ptrdiff_t>(x) - best[x]];
        const std::uint32_t ours = std::uint32_t{cost[x]} << 16 | best[x];
        claim = ours < claim ? ours : claim;
    }
    const auto columns = static_cast<std::ptrdiff_t>(width);
    for (std::ptrdiff_t x = 0; x < columns; ++x) {
        const std::ptrdiff_t column = x - best[x] - options.min_disparity;
        const int other = static_cast<int>(claims.of_column_0[column] & 0xffff);
        const bool seen = (column >= 0) & (column < columns);
        left_right[x] = seen ? static_cast<std::uint16_t>(std::abs(other - best[x])) : none;
    }
}

}  // namespace

void judge_row(const Winners& winners, std::size_t width, const SgmOptions& options, const Claims& claims,
               std::uint16_t* best, float* confidence, std::uint16_t* left_right) {
    compare_views(winners, width, options, claims, left_right);
    const int allowed = options.left_right < 0 ? none - 1 : options.left_right;
    const int margin = 100 + options.uniqueness_percent;
    for (std::size_t x = 0; x < width; ++x) {
        const int cost = winners.cost[x], second = winners.second[x];
        const bool known = (left_right[x] <= allowed) & (100 * second >= cost * margin);
        best[x] = known ? winners.best[x] : rejected;
        // The naive peak ratio (Hu and Mordohai 2012, "A quantitative evaluation of confidence measures for stereo
        // vision", IEEE TPAMI 34(11)), as 1 - 1 / ratio.
        const float sure = 1.0f - static_cast<float>(cost) / static_cast<float>(second > 0 ? second : 1);
        confidence[x] = known & (second != none) & (second > cost) ? sure : 0.0f;
    }
}

void fit_row(const std::uint16_t* best, const std::int16_t* before, const std::int16_t* after, std::size_t width,
             const SgmOptions& options, float* disparity) {
    const auto first = static_cast<float>(options.min_disparity);
    for (std::size_t x = 0; x < width; ++x) {
        const float at = first + static_cast<float>(best[x]) + offset(before[x], after[x]);
        disparity[x] = best[x] != rejected ? at : unknown;
    }
}

}  // namespace salticid
