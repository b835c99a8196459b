// Labels of an image from logits at a part of its size: bilinear upsampling and argmax in one.
//
// Between four positions of the logits lies a cell of scale x scale pixels, and around the outermost positions half a
// cell, where the nearest position counts alone. Of the logits a, b and below them c, d at its corners, a pixel has
//
//     near_y * (near_x * a + far_x * b) + far_y * (near_x * c + far_x * d)
//
// with every product and every sum rounded to a float. The scale is a power of two, so the weights are exact.
//
// Most of it need not be computed. Rounding keeps the order of two numbers, and no weight is negative: if at every
// corner one class has at least the logit of another, it has so at every pixel too. But it may have the same, since
// rounding makes different numbers equal, and then the lower class wins. So one class is taken for the loser only
// where it is `surely_below` (label_row.h) at all four corners, by more than rounding can make up for: such classes are
// left out, and a cell that one class wins in this way is filled.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

constexpr std::size_t label_most_classes = 255;
constexpr std::size_t label_scales = 5;            // 2, 4, 8, 16 and 32, in this order
constexpr std::size_t label_whole_positions = 32;  // two of the longest vectors

// The logits of one row of positions, the outermost ones repeated on both sides, and which class wins at each.
struct LabelRow {
    std::size_t classes, positions;  // a multiple of label_whole_positions
    float* logits;                   // of all positions for class 0, then for class 1, and so on
    std::uint8_t* labels;            // the class of the greatest logit, the lowest of them
    std::uint8_t* unsure;            // 1 where a lower class is not surely below, else 0
};

// The cells between two rows of positions, or, at the top and at the bottom of an image, of one row alone.
struct LabelCells {
    const LabelRow *above, *below;
    std::size_t width, count;  // positions in a row of logits; cells, from the left, width + 1 at most
    std::uint32_t* mixed;      // room for the numbers of `count` cells
    std::uint8_t* pixels;      // of the first row, whose cells lie side by side
    std::size_t stride;
};

struct LabelKernels {
    // Sets labels and unsure from the logits; returns whether these are finite.
    bool (*find_winners)(const LabelRow& row);
    void (*label_cells[label_scales])(const LabelCells& cells);
};

extern const LabelKernels label_scalar;
extern const LabelKernels label_avx2;
extern const LabelKernels label_avx512;

struct LogitPlanes {
    const float* values;
    std::ptrdiff_t plane_stride, row_stride;  // numbers, of either sign
    std::size_t classes, height, width;       // each at least 1
};

struct LabelImage {
    std::uint8_t* pixels;
    std::ptrdiff_t row_stride;
    std::size_t height, width;  // each at least 1, at most `scale` times those of the logits
};

// Writes the labels of the first rows and columns. Returns false, with nothing of use in `labels`, where a logit is not
// finite. The scale is one of `label_scales`; throws std::invalid_argument where it is not.
bool upsample_argmax(const LabelKernels& kernels, const LogitPlanes& logits, std::size_t scale, std::size_t threads,
                     const LabelImage& labels);

}  // namespace salticid
