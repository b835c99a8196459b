// Holes of a disparity map filled, its edges set right by the image, and a small network that chooses.
//
// Disparities are whole numbers of 1/16 px here, so every instruction set makes the same of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "patch.h"

namespace salticid {

constexpr std::size_t vote_reach = 2;          // rows and columns of votes to each side
constexpr std::size_t vote_rows = 2 * vote_reach + 1;
constexpr std::size_t refine_most_reach = 64;  // px to either side: the taps of a network
constexpr std::size_t refine_candidates = 3;   // disparities to choose from: filled, near, far
constexpr float refine_most_disparity = 2047;  // px, either way: what 16 bits hold

// Pixels vote on a disparity; those of the same color have more weight.
struct VoteRow {
    const std::int16_t* values[vote_rows];     // pixel 0 of each row of votes
    const std::uint8_t* colors[vote_rows][3];  // and its colors
    std::ptrdiff_t spacing;    // px between neighboring votes
    bool sparse;               // every other pixel votes, as on the black fields of a chessboard
    const std::uint8_t* kept;  // 1 for pixels that keep their value, else 0; or null for none
    int alike;                 // pixels whose votes differ by no more keep their value; 0: none
    std::size_t width;
    std::int16_t* result;   // written to the end of the last vector, as is
    std::uint8_t* settled;  // 1 for pixels that kept their value, or null
};

// A row of the map in whole numbers.
struct QuantizeRow {
    const float* disparity;   // px; not finite where unknown
    const float* confidence;  // 0..1, or null
    std::size_t width;
    std::int16_t* steps;       // 1/16 px, 0 where unknown
    std::uint8_t* known;       // 1 or 0
    std::int16_t* confident;   // 0..127, 0 where unknown
    std::int16_t least, most;  // of the known ones
    bool too_large;            // one of them is beyond refine_most_disparity
};

struct ColorRow {
    const std::uint8_t* pixels;
    std::size_t channels, width;
    std::uint8_t* planes[3];  // equal for an image of one channel
    std::int16_t* gray;
};

// What the last output of a network stands for.
struct RefineConfidence {
    const float* probability;  // 256 of them
    int shift;
};

// What the network says of a row, in the order of its outputs, and what is made of it.
struct ChoiceRow {
    const std::int16_t* near_score;  // beside 0 for `filled`
    const std::int16_t* far_score;
    const std::int16_t* residual;   // 1/256 px
    const std::int16_t* confident;  // shifted, and limited to 8 bits, the index of `probability`, from -128 on
    RefineConfidence confidence_of;
    const float* measured;          // px; what is known of `filled` exactly
    const std::uint8_t* known;
    const std::int16_t *filled, *near, *far;  // 1/16 px
    std::size_t width;
    float *disparity, *confidence;
};

struct RefineKernels {
    void (*vote)(const VoteRow&);
    void (*quantize)(QuantizeRow&);
    void (*split)(const ColorRow&);
    void (*choose)(const ChoiceRow&);
};

extern const RefineKernels refine_scalar;
extern const RefineKernels refine_avx2;
extern const RefineKernels refine_avx512;
extern const RefineKernels refine_neon;

// A map and the image that it belongs to, both height x width.
struct RefineInput {
    const float* disparity;
    const float* confidence;  // or null
    std::ptrdiff_t stride;    // of both, in pixels
    const std::uint8_t* image;
    std::ptrdiff_t image_stride;  // bytes
    std::size_t channels;         // 1 or 3
    std::size_t height, width;
};

struct RefineResult {
    float* disparity;
    float* confidence;
    std::ptrdiff_t stride;
};

// The maps that the network looks at, in this order.
enum RefinePlane { plane_rows, plane_filled, plane_near, plane_far, plane_confidence, plane_gray, refine_planes };

// Memory that one frame leaves to the next.
class RefineWorkspace;
struct RefineWorkspaceDeleter {
    void operator()(RefineWorkspace* workspace) const;
};
using RefineWorkspacePointer = std::unique_ptr<RefineWorkspace, RefineWorkspaceDeleter>;
RefineWorkspacePointer make_refine_workspace();

// Each of these returns false, with nothing of use in the result, where a disparity is beyond refine_most_disparity.
// Where nothing is known, all of `filled` is 0. Results do not depend on kernels or threads.

// Known pixels as they are, the others from `filled`.
bool refine_fill(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                 std::size_t threads, const RefineResult& result);

// The same, then `near` where the votes differ.
bool refine_smooth(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                   std::size_t threads, const RefineResult& result);

// The maps that a network looks at, each height x width without gaps.
bool refine_maps(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                 std::size_t threads, std::int16_t* const* maps);

// What `network` chooses, for the pixels that are not 0 in `mask` (null: all). The others are as from refine_smooth,
// with the confidence that they had.
bool refine_choose(RefineWorkspace& workspace, const RefineKernels& kernels, const PatchNetwork& network,
                   const RefineConfidence& confidence, const RefineInput& input, const std::uint8_t* mask,
                   std::size_t threads, const RefineResult& result);

}  // namespace salticid
