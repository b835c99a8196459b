// The medians of one row, written once for vectors of BYTES bytes and compiled for every instruction set.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include "filter.h"
#include "lanes.h"

namespace salticid {
namespace {

constexpr std::size_t median_chunk = 512;  // pixels whose columns stay in the nearest cache

template <class Floats>
Floats lesser(Floats a, Floats b) {
    return a < b ? a : b;
}

template <class Floats>
Floats greater(Floats a, Floats b) {
    return a > b ? a : b;
}

template <class Floats>
struct Three {
    Floats first, second, third;
};

template <class Floats>
Three<Floats> sorted(Floats a, Floats b, Floats c) {
    const Floats low = lesser(a, b), high = greater(a, b), rest = lesser(high, c);
    return {lesser(low, rest), greater(low, rest), greater(high, c)};
}

// Three pixels one above the other, sorted; those unknown count as infinite. Entry i is column i - 1 of the chunk.
template <class V>
struct Columns {
    static constexpr std::size_t size = median_chunk + 2 + V::lanes;
    float low[size], middle[size], high[size];
    std::int32_t known[size];  // minus how many of them are
};

template <class V>
void sort_columns(const float* above, const float* here, const float* below, std::size_t count, std::size_t to,
                  Columns<V>& columns) {
    const auto infinite = broadcast<V>(__builtin_inff());
    for (std::size_t x = 0; x < count; x += V::lanes, to += V::lanes) {
        const auto a = load_part<V>(above + x, count - x), b = load_part<V>(here + x, count - x);
        const auto c = load_part<V>(below + x, count - x);
        const auto known_a = known<V>(a), known_b = known<V>(b), known_c = known<V>(c);
        const auto column = sorted(known_a ? a : infinite, known_b ? b : infinite, known_c ? c : infinite);
        store(columns.low + to, column.first);
        store(columns.middle + to, column.second);
        store(columns.high + to, column.third);
        store(columns.known + to, known_a + known_b + known_c);
    }
}

template <class V>
void set_unknown(Columns<V>& columns, std::size_t at) {
    columns.low[at] = columns.middle[at] = columns.high[at] = __builtin_inff();
    columns.known[at] = 0;
}

// Of three columns, the lows, the middles and the highs are sorted again. That leaves rows of three in which no pixel
// is greater than those to its right and below it:
//
//     low.first     low.second     low.third
//     middle.first  middle.second  .
//     high.first    .              .
//
// Before a dot come five others at least, so the five smallest are the first five of those with a name. Of n known
// pixels the lower median is number (n + 1) / 2, one of these five.
template <class V>
typename V::Floats median(const Columns<V>& columns, std::size_t x) {
    using Ints = typename V::Ints;
    const auto sorted_at = [x](const float* row) {
        using Floats = typename V::Floats;
        return sorted(load<Floats>(row + x), load<Floats>(row + x + 1), load<Floats>(row + x + 2));
    };
    const auto low = sorted_at(columns.low), middle = sorted_at(columns.middle), high = sorted_at(columns.high);
    const std::int32_t* known = columns.known + x;
    const Ints n = -(load<Ints>(known) + load<Ints>(known + 1) + load<Ints>(known + 2));

    // Two pairs in order, inner up to middle.second and outer up to outermost, are merged.
    const auto inner = greater(low.second, middle.first);
    const auto outer = lesser(low.third, high.first), outermost = greater(low.third, high.first);
    const auto a = greater(inner, outer), b = lesser(middle.second, outermost);

    auto chosen = n > 2 ? lesser(low.second, middle.first) : low.first;
    chosen = n > 4 ? lesser(inner, outer) : chosen;
    chosen = n > 6 ? lesser(a, b) : chosen;
    return n > 8 ? greater(a, b) : chosen;
}

template <class V>
void median_row(const float* above, const float* here, const float* below, std::size_t width, float* result) {
    const auto nan = broadcast<V>(__builtin_nanf(""));
    Columns<V> columns;
    for (std::size_t first = 0; first < width; first += median_chunk) {
        const std::size_t count = width - first < median_chunk ? width - first : median_chunk;
        const std::size_t begin = first > 0 ? first - 1 : 0;
        const std::size_t end = first + count < width ? first + count + 1 : width;
        sort_columns<V>(above + begin, here + begin, below + begin, end - begin, begin + 1 - first, columns);
        if (first == 0) set_unknown(columns, 0);
        if (first + count == width) set_unknown(columns, count + 1);
        for (std::size_t x = 0; x < count; x += V::lanes) {
            const auto center = load_part<V>(here + first + x, count - x);
            store_part<V>(result + first + x, known<V>(center) ? median<V>(columns, x) : nan, count - x);
        }
    }
}

template <std::size_t BYTES>
constexpr FilterKernels filter_kernels = {median_row<Vector<BYTES>>};

}  // namespace
}  // namespace salticid
