// The labels of a row of cells, written once for vectors of BYTES bytes and compiled for every instruction set.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include "label.h"
#include "lanes.h"

namespace salticid {
namespace {

// What is less than this at every corner is less at every pixel, however both were rounded.
//
// Four roundings come one after another, each off by at most 2^-24 of its number: a result is off by less than
// e = 1.001 * 2^-22 of the weighted sum of the logits' magnitudes. So k stays less than m where, at every corner,
// k + e |k| < m - e |m|. As x + e |x| grows with x, that is so for every k < m - 3 e |m|. To take 2^-20 for 3 e allows
// for the rounding here, and the last term for products so small that they are not rounded in proportion, or are 0.
template <class Floats>
Floats surely_below(Floats winner) {
    const Floats magnitude = winner < 0.0f ? -winner : winner;
    return winner - magnitude * 0x1p-20f - 0x1p-100f;
}

template <class V>
bool all(typename V::Ints mask) {
    bool every = true;
    for (std::size_t n = 0; n < V::lanes; ++n) every &= mask[n] != 0;
    return every;
}

// A loop: GCC makes some instructions for every lane of the vectors' own conversion.
template <std::size_t COUNT>
void store_bytes(std::uint8_t* to, const std::int32_t (&values)[COUNT]) {
    for (std::size_t n = 0; n < COUNT; ++n) to[n] = static_cast<std::uint8_t>(values[n]);
}

template <class V>
bool find_winners(const LabelRow& row) {
    using Floats = typename V::Floats;
    constexpr std::size_t vectors = 2;  // so that one need not wait for the other
    static_assert(label_whole_positions % (vectors * V::lanes) == 0);
    Floats zeros[vectors] = {};  // 0 times anything that is not finite is nan
    for (std::size_t x = 0; x < row.positions; x += vectors * V::lanes) {
        Floats best[vectors], lower[vectors];  // lower: the greatest logit of the classes before the best
        typename V::Ints label[vectors] = {};
        for (std::size_t v = 0; v < vectors; ++v) {
            best[v] = load<Floats>(row.logits + x + v * V::lanes);
            lower[v] = broadcast<V>(-__builtin_inff());
            zeros[v] += best[v] * 0.0f;
        }
        const float* logits = row.logits + x;
        for (std::int32_t k = 1; k < static_cast<std::int32_t>(row.classes); ++k) {
            logits += row.positions;
            for (std::size_t v = 0; v < vectors; ++v) {
                const auto logit = load<Floats>(logits + v * V::lanes);
                const auto above = logit > best[v];
                lower[v] = above ? best[v] : lower[v];
                best[v] = above ? logit : best[v];
                label[v] = above ? typename V::Ints{} + k : label[v];
                zeros[v] += logit * 0.0f;
            }
        }
        std::int32_t labels[vectors * V::lanes], unsure[vectors * V::lanes];
        for (std::size_t v = 0; v < vectors; ++v) {
            store(labels + v * V::lanes, label[v]);
            store(unsure + v * V::lanes, (lower[v] >= surely_below(best[v])) & 1);
        }
        store_bytes(row.labels + x, labels);
        store_bytes(row.unsure + x, unsure);
    }
    return all<V>(zeros[0] + zeros[1] == 0.0f);
}

// The part of the way to the next position, of every pixel of a cell, row by row; at least a vector of them.
template <std::size_t SCALE>
struct CellFractions {
    static constexpr std::size_t pixels = SCALE * SCALE < 16 ? 16 : SCALE * SCALE;
    float across[pixels], down[pixels];

    constexpr CellFractions() : across(), down() {
        for (std::size_t n = 0; n < pixels; ++n) {
            across[n] = fraction(n % SCALE);
            down[n] = fraction(n / SCALE % SCALE);
        }
    }

    static constexpr float fraction(std::size_t pixel) {
        return (static_cast<float>(pixel) + 0.5f) / static_cast<float>(SCALE);
    }
};

template <std::size_t SCALE>
constexpr CellFractions<SCALE> cell_fractions;

// A cell whose corners do not surely agree: which classes can win in it, and where each does.
template <class V, std::size_t SCALE>
class MixedCell {
public:
    explicit MixedCell(std::size_t classes) : classes_(classes) {
        const std::size_t last = classes / V::lanes * V::lanes;  // where a vector may not be filled
        for (auto& corner : corners_) store(corner + last, Floats{});
    }

    void gather(const LabelCells& cells, std::size_t x) {
        const LabelRow &above = *cells.above, &below = *cells.below;
        const float *a = above.logits + x, *c = below.logits + x;
        for (std::size_t k = 0; k < classes_; ++k, a += above.positions, c += below.positions) {
            corners_[0][k] = a[0];
            corners_[1][k] = a[1];
            corners_[2][k] = c[0];
            corners_[3][k] = c[1];
        }
        alone_across_ = x == 0 || x == cells.width;
        alone_down_ = cells.above == cells.below;
    }

    // Keeps the classes that none of the corners' winners surely beats at all corners.
    void choose(const LabelCells& cells, std::size_t x) {
        const std::uint8_t *above = cells.above->labels + x, *below = cells.below->labels + x;
        const std::size_t winners[4] = {above[0], above[1], below[0], below[1]};
        float limits[4][4];
        for (std::size_t n = 0; n < 4; ++n)
            for (std::size_t corner = 0; corner < 4; ++corner)
                limits[n][corner] = surely_below(corners_[corner][winners[n]]);
        for (std::size_t k = 0; k < classes_; k += V::lanes)
            store(beaten_ + k, all_below(limits[0], k) | all_below(limits[1], k) | all_below(limits[2], k) |
                                   all_below(limits[3], k));
        chosen_ = 0;
        for (std::size_t k = 0; k < classes_; ++k) {
            candidates_[chosen_] = static_cast<std::int32_t>(k);
            chosen_ += beaten_[k] == 0;
        }
    }

    void label(std::uint8_t* pixels, std::size_t stride) {
        for (std::size_t column = 0; column < columns; ++column) {
            interpolate_across(column);
            for (std::size_t first = column; first < vectors; first += at_once * columns) label_vectors(first);
        }
        std::uint8_t bytes[vectors * V::lanes];
        store_bytes(bytes, labels_);
        for (std::size_t y = 0; y < SCALE; ++y) std::memcpy(pixels + y * stride, bytes + y * SCALE, SCALE);
    }

private:
    using Floats = typename V::Floats;
    using Ints = typename V::Ints;
    // A vector holds a part of a row of pixels, or some rows; every `columns` vectors the same columns come again.
    static constexpr std::size_t columns = SCALE > V::lanes ? SCALE / V::lanes : 1;
    static constexpr std::size_t vectors = SCALE * SCALE > V::lanes ? SCALE * SCALE / V::lanes : 1;
    static constexpr std::size_t at_once = vectors / columns < 4 ? vectors / columns : 4;  // what registers hold
    static constexpr std::size_t room = (label_most_classes + V::lanes) / V::lanes * V::lanes;

    Ints all_below(const float (&limits)[4], std::size_t k) const {
        return (load<Floats>(corners_[0] + k) < limits[0]) & (load<Floats>(corners_[1] + k) < limits[1]) &
               (load<Floats>(corners_[2] + k) < limits[2]) & (load<Floats>(corners_[3] + k) < limits[3]);
    }

    void interpolate_across(std::size_t column) {
        const auto fraction = load<Floats>(cell_fractions<SCALE>.across + column * V::lanes);
        const auto far = alone_across_ ? Floats{} : fraction, near = 1.0f - far;
        for (std::size_t n = 0; n < chosen_; ++n) {
            const std::int32_t k = candidates_[n];
            upper_[n] = near * corners_[0][k] + far * corners_[1][k];
            lower_[n] = near * corners_[2][k] + far * corners_[3][k];
        }
    }

    void label_vectors(std::size_t first) {
        Floats near[at_once], far[at_once], best[at_once];
        Ints label[at_once];
        for (std::size_t v = 0; v < at_once; ++v) {
            const auto fraction = load<Floats>(cell_fractions<SCALE>.down + (first + v * columns) * V::lanes);
            far[v] = alone_down_ ? Floats{} : fraction;
            near[v] = 1.0f - far[v];
            best[v] = near[v] * upper_[0] + far[v] * lower_[0];
            label[v] = Ints{} + candidates_[0];
        }
        for (std::size_t n = 1; n < chosen_; ++n)
            for (std::size_t v = 0; v < at_once; ++v) {
                const auto logit = near[v] * upper_[n] + far[v] * lower_[n];
                const auto above = logit > best[v];
                best[v] = above ? logit : best[v];
                label[v] = above ? Ints{} + candidates_[n] : label[v];
            }
        for (std::size_t v = 0; v < at_once; ++v) store(labels_ + (first + v * columns) * V::lanes, label[v]);
    }

    std::size_t classes_, chosen_ = 0;
    bool alone_across_ = false, alone_down_ = false;  // one position counts, and not the next one in this direction
    float corners_[4][room];
    std::int32_t beaten_[room], candidates_[room], labels_[vectors * V::lanes];
    Floats upper_[label_most_classes], lower_[label_most_classes];
};

// Whether the corners do not surely agree, for every cell.
void mark_mixed(const LabelRow& first, const LabelRow& second, std::size_t count, std::uint8_t* __restrict mixed) {
    const std::uint8_t *above = first.labels, *below = second.labels;
    const std::uint8_t *unsure = first.unsure, *unsure_below = second.unsure;
    for (std::size_t x = 0; x < count; ++x) {
        const int differ = (above[x] ^ above[x + 1]) | (above[x] ^ below[x]) | (above[x] ^ below[x + 1]);
        const int doubt = unsure[x] | unsure[x + 1] | unsure_below[x] | unsure_below[x + 1];
        mixed[x] = static_cast<std::uint8_t>(differ | doubt);
    }
}

// Writes the numbers of the cells that are marked, and returns how many there are.
std::size_t list_mixed(const std::uint8_t* marks, std::size_t count, std::uint32_t* __restrict mixed) {
    std::size_t found = 0;
    for (std::size_t x = 0; x < count; ++x) {
        mixed[found] = static_cast<std::uint32_t>(x);
        found += marks[x] != 0;
    }
    return found;
}

template <class V, std::size_t SCALE>
void label_cells(const LabelCells& cells) {
    std::uint8_t* pixels = cells.pixels;
    const std::size_t count = cells.count;  // locals: bytes may alias members, which are then read again and again
    mark_mixed(*cells.above, *cells.below, count, pixels);
    const std::size_t mixed = list_mixed(pixels, count, cells.mixed);
    const std::uint8_t* labels = cells.above->labels;
    for (std::size_t x = 0; x < count; ++x) std::memset(pixels + x * SCALE, labels[x], SCALE);
    for (std::size_t y = 1; y < SCALE; ++y) std::memcpy(pixels + y * cells.stride, pixels, count * SCALE);
    MixedCell<V, SCALE> cell(cells.above->classes);
    for (std::size_t n = 0; n < mixed; ++n) {
        const std::size_t x = cells.mixed[n];
        cell.gather(cells, x);
        cell.choose(cells, x);
        cell.label(pixels + x * SCALE, cells.stride);
    }
}

template <std::size_t BYTES>
constexpr LabelKernels label_kernels = {find_winners<Vector<BYTES>>,
                                        {label_cells<Vector<BYTES>, 2>, label_cells<Vector<BYTES>, 4>,
                                         label_cells<Vector<BYTES>, 8>, label_cells<Vector<BYTES>, 16>,
                                         label_cells<Vector<BYTES>, 32>}};

}  // namespace
}  // namespace salticid
