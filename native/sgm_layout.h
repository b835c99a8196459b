// Where semi-global matching keeps what it works on: one block of memory, carved in the same way for every match.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "census.h"
#include "memory.h"
#include "sgm.h"
#include "sgm_kernels.h"

namespace salticid {

constexpr std::size_t rows_in_flight = 8;
constexpr std::size_t past_end = 128;  // kernels may write and read a vector beyond a row

struct Sizes {
    std::size_t height, width, depth, planes;
    std::size_t tiles_across, tiles_down;
    std::size_t left_stride, right_stride, right_front;
    std::size_t claims_front;  // how far left of the right view a match can lie
    std::size_t view_stride;
    std::size_t row_bytes, minima_bytes;  // what a sweep carries from row to row
    std::size_t pixel_bytes;              // of that, for one pixel

    Sizes(const SgmKernels& kernels, const SgmOptions& options, std::size_t h, std::size_t w)
        : height(h),
          width(w),
          depth(rounded_up(options.num_disparities, std::max(kernels.lanes, sgm_range_multiple))),
          planes(options.pattern.bytes + 1),
          tiles_across((w + sgm_tile_width - 1) / sgm_tile_width),
          tiles_down((h + sgm_tile_height - 1) / sgm_tile_height) {
        const std::ptrdiff_t first = options.min_disparity, end = first + static_cast<std::ptrdiff_t>(depth);
        right_front = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, -first));
        claims_front = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, end));
        left_stride = rounded_up(width + past_end, memory_alignment);
        right_stride = rounded_up(right_front + width + claims_front + past_end, memory_alignment);
        view_stride = width + 2 * census_margin;
        pixel_bytes = (options.paths == 8 ? 3 : 1) * depth;
        row_bytes = (width + 2) * pixel_bytes;  // and a pixel of zeros beyond both ends
        minima_bytes = (width + 2) * 4;
    }

    std::size_t carried_bytes() const { return rounded_up(row_bytes + minima_bytes, memory_alignment); }
};

// Hands out parts of one block of memory, or, without one, only counts them.
class Carver {
public:
    explicit Carver(std::uint8_t* base) : base_(base) {}

    template <class T>
    T* take(std::size_t count) {
        std::uint8_t* here = base_ == nullptr ? nullptr : base_ + used_;
        used_ += rounded_up(count * sizeof(T), memory_alignment);
        return reinterpret_cast<T*>(here);
    }

    std::size_t used() const { return used_; }

private:
    std::uint8_t* base_;
    std::size_t used_ = 0;
};

// A view with its border replicated at both sides, gray - 128, so that a window can be read anywhere.
class View {
public:
    View(Carver& carver, const Sizes& sizes)
        : height_(sizes.height), width_(sizes.width), stride_(sizes.view_stride),
          pixels_(carver.take<std::int8_t>(sizes.height * sizes.view_stride)) {}

    void fill(const GrayImage& image, bool mirrored, std::size_t first, std::size_t last) {
        const std::size_t width = width_;
        for (std::size_t y = first; y < last; ++y) {
            const std::uint8_t* from = image.pixels + static_cast<std::ptrdiff_t>(y) * image.row_stride;
            auto* to = reinterpret_cast<std::uint8_t*>(pixels_ + y * stride_ + census_margin);
            if (mirrored)
                reverse(from, width, to);
            else
                std::copy_n(from, width, to);
            for (std::size_t x = 0; x < width; ++x) to[x] ^= 0x80;
            std::fill_n(to - census_margin, census_margin, to[0]);
            std::fill_n(to + width, census_margin, to[width - 1]);
        }
    }

    // Row `y`, or the nearest one there is.
    const std::int8_t* row(std::ptrdiff_t y) const {
        const auto last = static_cast<std::ptrdiff_t>(height_) - 1;
        return pixels_ + static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(y, 0, last)) * stride_ + census_margin;
    }

private:
    // Eight at a time, which compilers without a hint do one by one.
    static void reverse(const std::uint8_t* from, std::size_t count, std::uint8_t* to) {
        std::size_t n = 0;
        for (; n + 8 <= count; n += 8) {
            std::uint64_t eight;
            std::memcpy(&eight, from + n, 8);
            eight = __builtin_bswap64(eight);
            std::memcpy(to + count - n - 8, &eight, 8);
        }
        std::reverse_copy(from + n, from + count, to);
    }

    std::size_t height_, width_, stride_;
    std::int8_t* pixels_;
};

// Which disparities each pixel searches, and where its halves lie: row by row from the top, no byte between them.
class Ranges {
public:
    Ranges(Carver& carver, const Sizes& sizes, const SgmRange* of_tiles)
        : sizes_(sizes), of_tiles_(of_tiles), all_{0, static_cast<std::uint32_t>(sizes.depth)},
          of_row_(carver.take<std::size_t>(sizes.height + 1)),
          of_tile_(carver.take<std::size_t>(sizes.tiles_across * sizes.tiles_down)) {}

    void add_up() {
        of_row_[0] = 0;
        for (std::size_t y = 0; y < sizes_.height; ++y) {
            std::size_t bytes = 0;
            for (std::size_t tile = 0; tile < sizes_.tiles_across; ++tile) {
                of_tile_[at(y, tile)] = bytes;
                bytes += columns(tile) * of(y, tile).count;
            }
            of_row_[y + 1] = of_row_[y] + bytes;
        }
    }

    const SgmRange& all() const { return all_; }
    const SgmRange& of(std::size_t y, std::size_t tile) const { return of_tiles_ ? of_tiles_[at(y, tile)] : all_; }
    std::size_t columns(std::size_t tile) const {
        return std::min(sgm_tile_width, sizes_.width - tile * sgm_tile_width);
    }

    // Bytes from the halves of the first pixel of row `top` to those of the first pixel of a tile in row `y`.
    std::size_t distance(std::size_t top, std::size_t y, std::size_t tile) const {
        return of_row_[y] - of_row_[top] + of_tile_[at(y, tile)];
    }

private:
    std::size_t at(std::size_t y, std::size_t tile) const { return y / sgm_tile_height * sizes_.tiles_across + tile; }

    Sizes sizes_;
    const SgmRange* of_tiles_;
    SgmRange all_;
    std::size_t* of_row_;
    std::size_t* of_tile_;  // within the row
};

// The winners of the whole image, for the fit, which looks at their surroundings: around them, rejected ones.
struct Found {
    std::size_t stride, rows;
    std::uint16_t* best;  // each from the first number of the border
    std::int16_t* rise_before;
    std::int16_t* rise_after;

    Found(Carver& carver, const Sizes& sizes)
        : stride(sizes.width + 2 * sgm_fit_radius), rows(sizes.height + 2 * sgm_fit_radius),
          best(carver.take<std::uint16_t>(rows * stride + past_end)),
          rise_before(carver.take<std::int16_t>(rows * stride + past_end)),
          rise_after(carver.take<std::int16_t>(rows * stride + past_end)) {}

    // Where pixel (0, y) is.
    std::size_t at(std::size_t y) const { return (y + sgm_fit_radius) * stride + sgm_fit_radius; }

    void reject_border() {
        const std::size_t above = sgm_fit_radius * stride;
        std::fill_n(best, above, sgm_rejected);
        std::fill_n(best + rows * stride - above, above, sgm_rejected);
        for (std::size_t y = 0; y + 2 * sgm_fit_radius <= rows; ++y)  // the end of a row and the start of the next
            std::fill_n(best + at(y) - 2 * sgm_fit_radius, 2 * sgm_fit_radius, sgm_rejected);
    }
};

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

// What one row needs while it is in flight.
struct RowState {
    std::uint8_t* left;       // planes, see SgmCostArguments
    std::uint8_t* right;
    std::uint8_t* p2;         // of four paths
    std::uint8_t* along;
    std::uint8_t* behind;
    std::uint8_t carried[2];
    std::size_t y;
    Winners winners, own, other;  // of all paths, of this sweep's and of the other's

    void carve(Carver& carver, const Sizes& sizes, bool evidence) {
        left = carver.take<std::uint8_t>(sizes.planes * sizes.left_stride);
        right = carver.take<std::uint8_t>(sizes.planes * sizes.right_stride);
        p2 = carver.take<std::uint8_t>(4 * sizes.left_stride);
        along = carver.take<std::uint8_t>(sizes.depth);
        behind = carver.take<std::uint8_t>(sizes.depth);
        for (Winners* each : {&winners, &own, &other}) {
            if (each != &winners && !evidence) continue;
            const auto numbers = [&] { return carver.take<std::uint16_t>(sizes.width); };
            const auto rises = [&] { return carver.take<std::int16_t>(sizes.width + past_end); };
            const auto only_evidence = [&] { return evidence ? numbers() : nullptr; };
            *each = {numbers(), numbers(), only_evidence(), only_evidence(), numbers(), rises(), rises()};
        }
    }
};

// One thread's own memory.
struct Worker {
    std::array<RowState, rows_in_flight> rows;
    std::uint8_t* costs;
    std::uint8_t* own_half;
    std::uint8_t* dropped;  // halves that nobody will read
    std::uint8_t* padding;  // see SgmCostArguments; of all disparities
    std::uint16_t* sums;
    SgmWinners* winners;
    SgmClaims claims;
    std::uint16_t* left_right;

    Worker(Carver& carver, const Sizes& sizes, bool evidence) {
        for (RowState& row : rows) row.carve(carver, sizes, evidence);
        costs = carver.take<std::uint8_t>(sgm_chunk * sizes.depth);
        own_half = carver.take<std::uint8_t>(sgm_chunk * sizes.depth);
        dropped = carver.take<std::uint8_t>(sizes.depth);
        padding = carver.take<std::uint8_t>(sizes.depth);
        sums = carver.take<std::uint16_t>(sgm_chunk * sizes.depth);
        winners = carver.take<SgmWinners>(1);
        claims.count = sizes.claims_front + sizes.width + sizes.right_front;
        claims.first = carver.take<std::uint32_t>(claims.count);
        claims.of_column_0 = claims.first == nullptr ? nullptr : claims.first + sizes.claims_front;
        left_right = carver.take<std::uint16_t>(sizes.width);
    }
};

// A sweep in one direction: what it carries from row to row.
struct Sweep {
    bool down;
    std::uint8_t* carried;

    Sweep(Carver& carver, const Sizes& sizes, bool goes_down)
        : down(goes_down), carried(carver.take<std::uint8_t>(sizes.carried_bytes())) {}
};

}  // namespace salticid
