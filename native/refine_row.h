// Rows of a map that is refined, written once for a vector type V and compiled for every instruction set.
//
// V::Bytes holds a color of V::pixels pixels; two V::Words hold their 16-bit numbers, in the same order. A V::Mask says
// yes or no for each of the Words' lanes, a V::ByteMask for each of the Bytes'.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include "lanes.h"
#include "refine.h"

namespace salticid {
namespace {

template <bool SPARSE>
constexpr std::size_t vote_count = SPARSE ? vote_rows * vote_rows / 2 + 1 : vote_rows* vote_rows;

// A vote's weight by how much its color differs: the sum over three channels, in steps of 4 gray levels.
// 10 exp(-(4 n + 1.5) / 15), rounded. All votes together then fit a byte.
alignas(16) constexpr std::uint8_t vote_weights[16] = {9, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0};
static_assert(vote_count<false> * vote_weights[0] <= UINT8_MAX);
constexpr int vote_weight_shift = 2;

constexpr int vote_most_steps = 255;  // that a byte tells of

constexpr std::int32_t most_residual = 256;  // 1/256 px: a residual moves a disparity by 1 px at most

// The votes for V::pixels pixels, and the smallest value at which half of their weight is reached.
template <class V, bool SPARSE>
struct Votes {
    static constexpr std::size_t count = vote_count<SPARSE>;
    static_assert(count % 2 == 1);

    typename V::Words values[2][count], least[2], most[2];
    typename V::Bytes weights[count], needed;

    void collect_values(const VoteRow& a, std::size_t x, std::size_t half) {
        const std::ptrdiff_t first = first_column(a, x);
        auto* value = values[half];
        auto low = V::load_words(a.values[vote_reach] + x), high = low;
        for (std::size_t row = 0; row < vote_rows; ++row)
            for (std::size_t column = first_of(row); column < vote_rows; column += step) {
                *value = V::load_words(a.values[row] + first + static_cast<std::ptrdiff_t>(column) * a.spacing);
                low = V::min(low, *value);
                high = V::max(high, *value++);
            }
        least[half] = low;
        most[half] = high;
    }

    void collect_weights(const VoteRow& a, std::size_t x) {
        const auto red = V::load_bytes(a.colors[vote_reach][0] + x), green = V::load_bytes(a.colors[vote_reach][1] + x),
                   blue = V::load_bytes(a.colors[vote_reach][2] + x);
        auto* weight = weights;
        auto total = V::broadcast_byte(0);
        for (std::size_t row = 0; row < vote_rows; ++row) {
            const std::uint8_t* const* colors = a.colors[row];
            for (std::size_t column = first_of(row); column < vote_rows; column += step) {
                const std::ptrdiff_t at = first_column(a, x) + static_cast<std::ptrdiff_t>(column) * a.spacing;
                const auto apart = V::add_saturated(V::add_saturated(V::difference(red, V::load_bytes(colors[0] + at)),
                                                                     V::difference(green, V::load_bytes(colors[1] + at))),
                                                    V::difference(blue, V::load_bytes(colors[2] + at)));
                *weight = V::weight(apart);
                total = V::add_bytes(total, *weight++);
            }
        }
        needed = V::average_up(total, V::broadcast_byte(0));
    }

    // Of a sparse ballot every other pixel votes, as on the black fields of a chessboard.
    static constexpr std::size_t step = SPARSE ? 2 : 1;
    static std::size_t first_of(std::size_t row) { return SPARSE ? row % 2 : 0; }

    static std::ptrdiff_t first_column(const VoteRow& a, std::size_t x) {
        return static_cast<std::ptrdiff_t>(x) - static_cast<std::ptrdiff_t>(vote_reach) * a.spacing;
    }

    // A byte holds how far a vote is above the least one, in steps of 2^shift; where that is not fine enough, how far
    // above the step that was found.
    void medians(typename V::Words (&found)[2]) const {
        int shift = 0;
        const typename V::Words range[2] = {V::subtract(most[0], least[0]), V::subtract(most[1], least[1])};
        for (const auto& of_half : range)
            while (V::any_above(of_half, (vote_most_steps + 1) * (1 << shift) - 1)) ++shift;
        typename V::Bytes steps[count];
        for (std::size_t n = 0; n < count; ++n)
            steps[n] = V::narrow(V::shifted_right(V::subtract(values[0][n], least[0]), shift),
                                 V::shifted_right(V::subtract(values[1][n], least[1]), shift));
        const auto high = V::narrow(V::shifted_right(range[0], shift), V::shifted_right(range[1], shift));
        add_to(least, median(steps, high), shift, found);
        if (shift == 0) return;
        for (std::size_t n = 0; n < count; ++n)
            steps[n] = V::narrow(V::up_to_255(V::above(values[0][n], found[0])),
                                 V::up_to_255(V::above(values[1][n], found[1])));
        add_to(found, median(steps, V::broadcast_byte(static_cast<std::uint8_t>((1 << shift) - 1))), 0, found);
    }

    static void add_to(const typename V::Words (&base)[2], typename V::Bytes steps, int shift,
                       typename V::Words (&sum)[2]) {
        typename V::Words low, high;
        V::widen(steps, low, high);
        sum[0] = V::add(base[0], V::shifted_left(low, shift));
        sum[1] = V::add(base[1], V::shifted_left(high, shift));
    }

    // The range from 0 to `high` in which the median lies is halved until it is one number.
    typename V::Bytes median(typename V::Bytes (&steps)[count], typename V::Bytes high) const {
        for (auto& step : steps) step = V::comparable(step);
        const auto zero = V::broadcast_byte(0), one = V::broadcast_byte(1);
        auto low = zero;
        while (V::any_differ(low, high)) {
            const auto middle = V::average_down(low, high), next = V::add_saturated(middle, one);
            const auto limit = V::comparable(next);
            auto reached = zero, others = zero;  // two sums, so that none waits for the other
            for (std::size_t n = 0; n + 1 < count; n += 2) {
                reached = V::add_where_less(reached, steps[n], limit, weights[n]);
                others = V::add_where_less(others, steps[n + 1], limit, weights[n + 1]);
            }
            reached = V::add_where_less(reached, steps[count - 1], limit, weights[count - 1]);
            const auto enough = V::at_most(needed, V::add_bytes(reached, others));
            low = V::choose_bytes(enough, low, next);
            high = V::choose_bytes(enough, middle, high);
        }
        return low;
    }
};

template <class V, bool SPARSE>
void vote_block(const VoteRow& a, std::size_t x, Votes<V, SPARSE>& votes) {
    const std::size_t places[2] = {x, x + V::pixels / 2};
    typename V::Mask keep[2];
    for (std::size_t half = 0; half < 2; ++half) {
        votes.collect_values(a, places[half], half);
        const auto spread = V::subtract(votes.most[half], votes.least[half]);
        keep[half] = a.kept == nullptr ? V::less(spread, spread) : V::not_zero(a.kept + places[half]);
        if (a.alike > 0) keep[half] = V::either(keep[half], V::not_above(spread, a.alike));
    }
    typename V::Words chosen[2] = {V::load_words(a.values[vote_reach] + places[0]),
                                   V::load_words(a.values[vote_reach] + places[1])};
    if (!V::all(keep[0]) || !V::all(keep[1])) {
        typename V::Words medians[2];
        votes.collect_weights(a, x);
        votes.medians(medians);
        for (std::size_t half = 0; half < 2; ++half) chosen[half] = V::choose(keep[half], chosen[half], medians[half]);
    }
    for (std::size_t half = 0; half < 2; ++half) V::store_words(a.result + places[half], chosen[half]);
    if (a.settled != nullptr) V::store_bytes(a.settled + x, V::bytes_of(keep[0], keep[1]));
}

template <class V>
void keep_block(const VoteRow& a, std::size_t x) {
    std::memcpy(a.result + x, a.values[vote_reach] + x, V::pixels * sizeof *a.result);
    if (a.settled != nullptr) std::memset(a.settled + x, 1, V::pixels);
}

template <class V, bool SPARSE>
void vote_in(const VoteRow& given) {
    const VoteRow a = given;
    Votes<V, SPARSE> votes;
    for (std::size_t x = 0; x < a.width; x += V::pixels) {
        if (a.kept == nullptr || V::any_zero(V::load_bytes(a.kept + x)))
            vote_block<V, SPARSE>(a, x, votes);
        else
            keep_block<V>(a, x);
    }
}

template <class V>
void vote_row(const VoteRow& row) {
    if (row.sparse) return vote_in<V, true>(row);
    vote_in<V, false>(row);
}

// The nearest whole numbers, of two the even one; for magnitudes below 2^22.
template <class V>
typename V::Ints to_whole(typename V::Floats values) {
    const auto large = broadcast<V>(12582912);  // 1.5 * 2^23: float32 has no fractions there
    return __builtin_convertvector(values + large - large, typename V::Ints);
}

template <class V>
typename V::Floats limited(typename V::Floats low, typename V::Floats values, typename V::Floats high) {
    values = values > low ? values : low;  // nan becomes low
    return values < high ? values : high;
}

template <class V>
void store_shorts(std::int16_t* to, typename V::Ints values, std::size_t count) {
    const auto narrow = __builtin_convertvector(values, typename V::Shorts);
    if (count >= V::lanes) return store(to, narrow);
    std::memcpy(to, &narrow, count * sizeof *to);
}

template <class V>
void quantize_row(QuantizeRow& a) {
    using Ints = typename V::Ints;
    const auto zero = broadcast<V>(0), one = broadcast<V>(1), most = broadcast<V>(refine_most_disparity);
    Ints least = Ints{} + INT16_MAX, largest = Ints{} + INT16_MIN, too_large = {};
    for (std::size_t x = 0; x < a.width; x += V::lanes) {
        const std::size_t count = a.width - x;
        const auto disparity = load_part<V>(a.disparity + x, count);
        const Ints is_known = known<V>(disparity);
        const auto value = is_known ? disparity : zero;
        too_large |= (value > most) | (value < -most);
        const Ints steps = to_whole<V>(16 * limited<V>(-most, value, most));
        least = is_known & (steps < least) ? steps : least;
        largest = is_known & (steps > largest) ? steps : largest;
        store_shorts<V>(a.steps + x, steps, count);
        const auto flags = __builtin_convertvector(is_known & 1, typename V::Bytes);
        std::memcpy(a.known + x, &flags, count < V::lanes ? count : V::lanes);
        if (a.confidence == nullptr) continue;
        const auto confidence = limited<V>(zero, load_part<V>(a.confidence + x, count), one);
        store_shorts<V>(a.confident + x, to_whole<V>(127 * confidence) & is_known, count);
    }
    a.least = INT16_MAX;
    a.most = INT16_MIN;
    a.too_large = false;
    for (std::size_t lane = 0; lane < V::lanes; ++lane) {
        a.least = least[lane] < a.least ? static_cast<std::int16_t>(least[lane]) : a.least;
        a.most = largest[lane] > a.most ? static_cast<std::int16_t>(largest[lane]) : a.most;
        a.too_large |= too_large[lane] != 0;
    }
}

void split_row(const ColorRow& given) {
    const ColorRow a = given;
    if (a.channels == 1) {
        std::memcpy(a.planes[0], a.pixels, a.width);
        for (std::size_t x = 0; x < a.width; ++x) a.gray[x] = a.pixels[x];
        return;
    }
    for (std::size_t x = 0; x < a.width; ++x) {
        const int red = a.pixels[3 * x], green = a.pixels[3 * x + 1], blue = a.pixels[3 * x + 2];
        a.planes[0][x] = static_cast<std::uint8_t>(red);
        a.planes[1][x] = static_cast<std::uint8_t>(green);
        a.planes[2][x] = static_cast<std::uint8_t>(blue);
        a.gray[x] = static_cast<std::int16_t>((77 * red + 150 * green + 29 * blue + 128) >> 8);
    }
}

template <class V>
typename V::Ints load_shorts(const std::int16_t* from) {
    return __builtin_convertvector(load<typename V::Shorts>(from), typename V::Ints);
}

template <class V>
void choose_row(const ChoiceRow& given) {
    using Ints = typename V::Ints;
    const ChoiceRow a = given;
    for (std::size_t x = 0; x < a.width; x += V::lanes) {
        const std::size_t count = a.width - x;
        const Ints near_score = load_shorts<V>(a.near_score + x), far_score = load_shorts<V>(a.far_score + x);
        const Ints other = (near_score > 0) | (far_score > 0), nearer = near_score >= far_score;
        const Ints steps = other ? (nearer ? load_shorts<V>(a.near + x) : load_shorts<V>(a.far + x))
                                 : load_shorts<V>(a.filled + x);
        const Ints measured = ~other & (__builtin_convertvector(load<typename V::Bytes>(a.known + x), Ints) != 0);
        const auto rounded = __builtin_convertvector(steps, typename V::Floats) * (1.0F / 16);
        Ints residual = load_shorts<V>(a.residual + x);
        residual = residual > most_residual ? Ints{} + most_residual : residual;
        residual = residual < -most_residual ? Ints{} - most_residual : residual;
        const auto moved = __builtin_convertvector(residual, typename V::Floats) * (1.0F / 256);
        store_part<V>(a.disparity + x, (measured ? load_part<V>(a.measured + x, count) : rounded) + moved, count);
    }
    const auto [probability, shift] = a.confidence_of;
    for (std::size_t x = 0; x < a.width; ++x) {
        const int step = a.confident[x] >> shift;
        a.confidence[x] = probability[128 + (step < -128 ? -128 : step > 127 ? 127 : step)];
    }
}

template <class V>
constexpr RefineKernels refine_kernels = {vote_row<V>, quantize_row<Vector<V::pixels>>,
                                          split_row, choose_row<Vector<V::pixels>>};

}  // namespace
}  // namespace salticid
