// What is the same for every instruction set: the rows of positions, sharing the rows of cells, and what is visible.
#include "label.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#include "memory.h"
#include "parallel.h"

namespace salticid {
namespace {

std::size_t number_of_scale(std::size_t scale) {
    for (std::size_t n = 0; n < label_scales; ++n)
        if (scale == std::size_t{2} << n) return n;
    throw std::invalid_argument("scale must be 2, 4, 8, 16 or 32, not " + std::to_string(scale));
}

// Cells that reach into `pixels` pixels; the first one begins half a cell before them.
std::size_t cells_in(std::size_t pixels, std::size_t scale) { return (pixels + scale / 2 + scale - 1) / scale; }

// The work on some rows of cells, one after another.
class Band {
public:
    Band(const LabelKernels& kernels, const LogitPlanes& logits, std::size_t scale, const LabelImage& labels)
        : kernels_(kernels), logits_(logits), labels_(labels), scale_(scale), number_(number_of_scale(scale)) {
        const std::size_t positions = rounded_up(logits.width + 2, label_whole_positions);
        const std::size_t logit_bytes = logits.classes * positions * sizeof(float);
        const std::size_t count = cells_in(labels.width, scale), stride = rounded_up(count * scale, memory_alignment);
        const std::size_t mixed_bytes = rounded_up(count * sizeof(std::uint32_t), memory_alignment);
        std::uint8_t* next = memory_.take(2 * (logit_bytes + 2 * positions) + mixed_bytes + scale * stride);
        const auto part = [&](std::size_t bytes) { return (next += bytes) - bytes; };
        for (LabelRow& row : rows_) {
            row.classes = logits.classes;
            row.positions = positions;
            row.logits = reinterpret_cast<float*>(part(logit_bytes));
            row.labels = part(positions);
            row.unsure = part(positions);
        }
        cells_.width = logits.width;
        cells_.count = count;
        cells_.mixed = reinterpret_cast<std::uint32_t*>(part(mixed_bytes));
        cells_.pixels = part(scale * stride);
        cells_.stride = stride;
    }

    // Labels these rows of cells; returns false at a logit that is not finite.
    bool run(std::size_t first, std::size_t last) {
        LabelRow *above = &rows_[0], *below = &rows_[1];
        if (first > 0 && !take_in(first - 1, *above)) return false;
        for (std::size_t y = first; y < last; ++y) {
            if (y < logits_.height && !take_in(y, *below)) return false;
            cells_.above = y > 0 ? above : below;
            cells_.below = y < logits_.height ? below : above;
            kernels_.label_cells[number_](cells_);
            show(y);
            std::swap(above, below);
        }
        return true;
    }

private:
    bool take_in(std::size_t y, const LabelRow& row) const {
        const float* from = logits_.values + static_cast<std::ptrdiff_t>(y) * logits_.row_stride;
        float* to = row.logits;
        for (std::size_t k = 0; k < row.classes; ++k, from += logits_.plane_stride, to += row.positions) {
            to[0] = from[0];
            std::memcpy(to + 1, from, logits_.width * sizeof *to);
            std::fill(to + 1 + logits_.width, to + row.positions, from[logits_.width - 1]);
        }
        return kernels_.find_winners(row);
    }

    // Copies what the image has of a row of cells, whose first row and column lie half a cell before it.
    void show(std::size_t cell_row) const {
        const std::size_t half = scale_ / 2, begin = std::max(cell_row * scale_, half);
        const std::size_t end = std::min((cell_row + 1) * scale_, labels_.height + half);
        for (std::size_t y = begin; y < end; ++y)
            std::memcpy(labels_.pixels + static_cast<std::ptrdiff_t>(y - half) * labels_.row_stride,
                        cells_.pixels + (y - cell_row * scale_) * cells_.stride + half, labels_.width);
    }

    const LabelKernels& kernels_;
    LogitPlanes logits_;
    LabelImage labels_;
    std::size_t scale_, number_;
    Memory memory_;
    LabelRow rows_[2];
    LabelCells cells_;
};

}  // namespace

bool upsample_argmax(const LabelKernels& kernels, const LogitPlanes& logits, std::size_t scale, std::size_t threads,
                     const LabelImage& labels) {
    number_of_scale(scale);  // throws before anything is divided by it
    std::atomic<bool> finite{true};
    for_each_band(cells_in(labels.height, scale), threads, [&](std::size_t first, std::size_t last) {
        if (!Band(kernels, logits, scale, labels).run(first, last)) finite = false;
    });
    return finite;
}

}  // namespace salticid
