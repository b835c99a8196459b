// What is the same for every instruction set: replicating the border, and sharing the rows among threads.
#include "census.h"

#include <algorithm>
#include <array>
#include <vector>

#include "parallel.h"

namespace salticid {
namespace {

// The rows of a window that moves down an image, each with its border replicated on both sides.
template <std::size_t HEIGHT>
class MovingWindow {
public:
    MovingWindow(const GrayImage& image, std::size_t first_row)
        : image_(image), stride_(image.width + 2 * census_margin), buffer_(HEIGHT * stride_), rows_() {
        for (std::size_t slot = 0; slot < HEIGHT; ++slot) rows_[slot] = &buffer_[slot * stride_ + census_margin];
        next_ = static_cast<std::ptrdiff_t>(first_row) - radius;
        for (std::size_t slot = 1; slot < HEIGHT; ++slot) move_down();
    }

    // Drops the top row and takes in the next one at the bottom.
    const std::int8_t* const* move_down() {
        std::rotate(rows_.begin(), rows_.begin() + 1, rows_.end());
        const auto last = static_cast<std::ptrdiff_t>(image_.height) - 1;
        fill(rows_.back(), std::clamp<std::ptrdiff_t>(next_++, 0, last));
        return rows_.data();
    }

private:
    static constexpr std::ptrdiff_t radius = HEIGHT / 2;

    void fill(std::int8_t* row, std::ptrdiff_t y) const {
        const std::uint8_t* pixels = image_.pixels + y * image_.row_stride;
        const std::size_t width = image_.width;  // a local: bytes may alias members, which keeps a loop scalar
        for (std::size_t x = 0; x < width; ++x) row[x] = static_cast<std::int8_t>(pixels[x] ^ 0x80);
        std::fill_n(row - census_margin, census_margin, row[0]);
        std::fill_n(row + width, census_margin, row[width - 1]);
    }

    GrayImage image_;
    std::size_t stride_;
    std::vector<std::int8_t> buffer_;
    std::array<std::int8_t*, HEIGHT> rows_;
    std::ptrdiff_t next_;  // the image row that comes in next; it may lie outside
};

template <std::size_t HEIGHT>
void census(CensusRow row, const GrayImage& image, std::size_t threads, std::uint64_t* codes) {
    for_each_band(image.height, threads, [&](std::size_t first, std::size_t last) {
        MovingWindow<HEIGHT> window(image, first);
        for (std::size_t y = first; y < last; ++y) row(window.move_down(), image.width, codes + y * image.width);
    });
}

}  // namespace

void census_5x5(const CensusKernels& kernels, const GrayImage& image, std::size_t threads, std::uint64_t* codes) {
    census<5>(kernels.row_5x5, image, threads, codes);
}

void census_9x7(const CensusKernels& kernels, const GrayImage& image, std::size_t threads, std::uint64_t* codes) {
    census<7>(kernels.row_9x7, image, threads, codes);
}

}  // namespace salticid
