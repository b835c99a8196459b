// Semi-global matching of a rectified pair.
//
//     Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "census.h"
#include "sgm_kernels.h"

namespace salticid {

struct SgmOptions {
    CensusPattern pattern;
    int paths;  // 4 or 8
    std::ptrdiff_t min_disparity;
    std::size_t num_disparities;
    std::uint8_t p1, p2, p2_least, p2_slope;  // P2 falls by p2_slope per gray level between two pixels, to p2_least
    int uniqueness_percent;                   // how much worse the second best must be
    int left_right;                           // largest difference to the right view's disparity, px; -1: no check
    std::size_t band_rows;  // 0: keep the halves of the whole image; else of so many rows, and compute them twice
};

// The image in tiles, row by row from the top left, for a search that is not the same everywhere.
constexpr std::size_t sgm_tile_width = sgm_chunk, sgm_tile_height = 8;  // px

struct SgmRange {
    std::uint32_t first;  // disparity to search, counted from min_disparity
    std::uint32_t count;  // a multiple of sgm_range_multiple, at least one; the last lies below num_disparities, rounded
};                        // up to a multiple

// What a refinement can use besides the disparity: arrays of height x width, each of them or all null.
struct SgmEvidence {
    std::uint16_t* cost;          // of the winner; 65535 where there is none, here and below
    std::uint16_t* before;        // at d - 1
    std::uint16_t* after;         // at d + 1
    std::uint16_t* second;        // the smallest farther than 1 px from the winner
    std::uint16_t* left_right;    // |difference| to the disparity of the right view's pixel, px
    std::uint16_t* disagreement;  // |difference| of the winners of the sweep down and of the sweep up, px
};

struct SgmResult {
    float* disparity;   // height x width, px, nan where unknown
    float* confidence;  // height x width, 0..1
    const SgmEvidence* evidence;  // or null
};

// The bytes that matching takes beyond views and results, with `threads` at work.
std::size_t sgm_bytes(const SgmKernels& kernels, const SgmOptions& options, std::size_t height, std::size_t width,
                      std::size_t threads, bool evidence);

// The rows of a band for which halves and saved sweeps together take the least memory, which then grows with the square
// root of the height; 0 where keeping all halves takes no more.
std::size_t sgm_thrifty_band(std::size_t height, int paths);

// Memory that one match leaves to the next.
class SgmWorkspace;
struct SgmWorkspaceDeleter {
    void operator()(SgmWorkspace* workspace) const;
};
using SgmWorkspacePointer = std::unique_ptr<SgmWorkspace, SgmWorkspaceDeleter>;
SgmWorkspacePointer make_sgm_workspace();

// Matches two images of one size. `ranges` has one for each tile, or is null: everything is searched. They need kernels
// whose vectors are no longer than sgm_range_multiple. The result is the same for every instruction set, number of
// threads and band.
void sgm_match(SgmWorkspace& workspace, const CensusKernels& census, const SgmKernels& kernels,
               const SgmOptions& options, const GrayImage& left, const GrayImage& right, const SgmRange* ranges,
               std::size_t threads, const SgmResult& result);

}  // namespace salticid
