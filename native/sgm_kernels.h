// Semi-global matching: what the kernels of every instruction set provide.
//
// The words used here and in sgm_vector.h:
//
//     depth      disparities of a pixel in memory: their number rounded up to whole vectors and to whole groups of
//                `sgm_range_multiple`. What was added costs `sgm_padding_cost`, so no path ever goes there and no result
//                depends on the width of a vector.
//     path       one of the 4 or 8 directions from which costs are added up. A sweep down the image follows the paths
//                from the left, from above and, of 8, from above left and above right; a sweep up follows the others.
//     range      the disparities that are searched at a pixel: all of them, or whole groups from some first one on. Paths
//                go to no disparity outside, and come from none there.
//     half       what the paths of one sweep add to a pixel's own cost: at most 4 x P2 per disparity, which is a byte.
//     scan order the order in which a sweep visits pixels: row by row from the top left, or the reverse of that.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

constexpr std::size_t sgm_chunk = 64;                // pixels that one call of a kernel works on, at most
constexpr std::size_t sgm_range_multiple = 32;       // disparities of a range come in whole groups of so many
constexpr std::uint8_t sgm_padding_cost = 128;       // more than any cost; with any penalty still less than 256
constexpr std::uint8_t sgm_max_penalty = 63;         // four paths then fit a byte
constexpr std::uint8_t sgm_nowhere = 255;            // the path cost of a disparity outside of the range
constexpr std::uint8_t sgm_gradient_cap = 8;         // gradients differ by at most this, in cost

// The rows of a view, gray - 128, can be read `census_margin` pixels beyond both ends; what is written, a vector beyond.
struct SgmGradientArguments {
    const std::int8_t* above;
    const std::int8_t* here;
    const std::int8_t* below;
    std::size_t width;
    bool mirrored;           // the view's columns are reversed
    std::uint8_t* gradient;  // 128 + how much brighter the pixel to the right is than the one to the left, in 0..255,
};                           // both weighted 1-2-1 with those above and below

struct SgmPenaltyArguments {
    const std::int8_t* here;
    const std::int8_t* there;  // the pixels that the path comes from
    std::size_t width;
    std::uint8_t highest, least, slope;
    std::uint8_t* penalty;  // P2: `slope` less for each level of gray between the two, but at least `least`
};

// The costs of pixels one after the other in scan order, smoothed along the row. Disparities are those of the range.
struct SgmCostArguments {
    const std::uint8_t* left;      // planes of the left row: bytes of the census codes, then the gradient
    std::size_t left_stride;       // from plane to plane
    const std::uint8_t* right;     // planes of the right row, mirrored: pixel x meets entry width - 1 - x + d at d
    std::size_t right_stride;
    std::size_t width;             // pixels of the row
    std::size_t x;                 // the first pixel
    std::ptrdiff_t step;           // 1 or -1: from pixel to pixel
    std::size_t count;
    const std::uint8_t* padding;   // the least cost of each disparity
    std::size_t depth;             // of the range
    std::uint8_t* costs;           // count x depth
};

struct SgmSweepArguments {
    const std::uint8_t* costs;        // count x depth
    std::size_t count, depth;         // pixels, and disparities of the range
    std::size_t stride;               // path costs of a pixel in `row`; it and the buffers below start with the range
    std::uint8_t p1;
    const std::uint8_t* p2;           // of the four paths, `p2_stride` apart, at the first pixel
    std::size_t p2_stride;
    std::ptrdiff_t step;              // from pixel to pixel of `p2`
    std::uint8_t* row;                // path costs that the row before left at these pixels; replaced by ours
    std::uint8_t* minima;             // smallest of them: 4 bytes a pixel, one for each path
    std::uint8_t* along;              // path costs of the pixel before in this row
    std::uint8_t* behind;             // what the row before had left there; only of 8 paths
    std::uint8_t* carried;            // 2 bytes: the smallest of `along` and of `behind`
    std::uint8_t* half;               // what this sweep adds, or what the other one added, at the first pixel
    std::ptrdiff_t half_step;         // bytes to the next pixel's
    bool past_cache;                  // `half` will be read so late that it should not push anything out of a cache
    std::uint16_t* sums;              // count x depth
    std::uint8_t* own_half;           // count x depth, or null
};

// What is known of the winners of a chunk of pixels, in scan order.
struct SgmWinners {
    std::uint16_t best[sgm_chunk];        // the first disparity with the smallest sum, counted from the whole search's first
    std::uint16_t cost[sgm_chunk];        // that sum
    std::uint16_t before[sgm_chunk];      // the sums beside it, 65535 where there is none in the range
    std::uint16_t after[sgm_chunk];
    std::uint16_t second[sgm_chunk];      // the smallest sum farther than 1 from the best, 65535 where there is none
    std::int16_t rise_before[sgm_chunk];  // from the best to those beside it: of the sum and, weighted, of the cost;
    std::int16_t rise_after[sgm_chunk];   // 0 where one of the two is missing
};

struct SgmSelectArguments {
    std::uint16_t* sums;        // count x depth; destroyed
    const std::uint8_t* costs;  // count x depth
    std::size_t count, depth;
    std::size_t first;          // disparity of the range, counted from the first of the whole search
    std::size_t last;           // disparity that is no padding, counted from the first of the range
    int cost_weight;            // how often a cost counts in a rise, besides its share in the sum
    std::uint16_t padding_sum;  // no other sum is so large
    SgmWinners* winners;
};

constexpr std::size_t sgm_fit_radius = 2;  // the fit looks at 5 x 5 pixels

// Of each pixel of a row, the rises of all pixels around it that have the same disparity. A vector beyond what is named
// can be read and written.
struct SgmGatherArguments {
    const std::uint16_t* best;         // of this row; `stride` numbers from row to row, and as many rows and columns as
    const std::int16_t* rise_before;   // the fit looks at can be read around it
    const std::int16_t* rise_after;
    std::size_t stride, width;
    std::int16_t* total_before;
    std::int16_t* total_after;
};

// Memory for the pixels of the right view that a match can point to, also beyond its ends.
struct SgmClaims {
    std::uint32_t* first;
    std::size_t count;
    std::uint32_t* of_column_0;
};

constexpr std::uint16_t sgm_rejected = 65535;  // instead of a disparity

// The best disparities of a row become `judged`: `sgm_rejected` where the other view, a rival or the end of the view
// speaks against them. `left_right` is how far the right view's disparity is off, 65535 where the match lies outside.
struct SgmJudgeArguments {
    const std::uint16_t* best;
    const std::uint16_t* cost;
    const std::uint16_t* second;
    std::size_t width;
    std::ptrdiff_t min_disparity;
    int left_right_px, uniqueness_percent;  // see SgmOptions
    SgmClaims claims;
    std::uint16_t* judged;
    std::uint16_t* left_right;
    float* confidence;
};

// The disparity of a row, finer than a pixel, from the best ones and the rises of the sums on both sides.
struct SgmFitArguments {
    const std::uint16_t* best;
    const std::int16_t* before;
    const std::int16_t* after;
    std::size_t width;
    std::ptrdiff_t min_disparity;
    float* disparity;
};

struct SgmKernels {
    std::size_t lanes;  // bytes of a vector
    void (*gradients)(const SgmGradientArguments&);
    void (*penalties)(const SgmPenaltyArguments&);
    void (*costs_of_3)(const SgmCostArguments&);   // of codes of 3 bytes
    void (*costs_of_4)(const SgmCostArguments&);
    void (*store_4)(const SgmSweepArguments&);     // 4 paths in all, 2 of them in this sweep: writes `half`
    void (*store_8)(const SgmSweepArguments&);
    void (*finish_4)(const SgmSweepArguments&);    // reads `half`, writes `sums` and, unless null, `own_half`
    void (*finish_8)(const SgmSweepArguments&);
    void (*add_up)(const SgmSweepArguments&, std::uint8_t paths, const std::uint8_t* half, std::ptrdiff_t half_step);
    void (*select)(const SgmSelectArguments&);
    void (*judge)(const SgmJudgeArguments&);
    void (*gather)(const SgmGatherArguments&);
    void (*fit)(const SgmFitArguments&);
};

extern const SgmKernels sgm_scalar;
extern const SgmKernels sgm_avx2;
extern const SgmKernels sgm_avx512;
extern const SgmKernels sgm_narrow_avx512;  // with vectors of 32 bytes
extern const SgmKernels sgm_neon;

}  // namespace salticid
