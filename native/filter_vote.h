// Weighted medians of one row, written once for vectors of BYTES bytes and compiled for every instruction set.
//
// A vector holds neighboring pixels; each has up to 17 x 17 votes.
#pragma once

#include "filter_row.h"

namespace salticid {
namespace {

template <class V>
struct Votes {
    static constexpr std::size_t most = (2 * guided_median_reach + 1) * (2 * guided_median_reach + 1);
    typename V::Floats values[most];  // infinite where there is none, and then
    typename V::Ints weights[most];   // of no weight
    std::size_t count = 0;
};

template <class V>
bool any(typename V::Ints mask) {
    std::uint64_t words[sizeof mask / sizeof(std::uint64_t)], all = 0;
    std::memcpy(words, &mask, sizeof mask);
    for (const std::uint64_t word : words) all |= word;
    return all != 0;
}

// One channel of V::lanes pixels.
template <class V>
typename V::Ints channel(const VoteArguments& a, std::size_t number, std::ptrdiff_t offset) {
    const std::uint8_t* plane = a.colors + static_cast<std::ptrdiff_t>(number) * a.plane;
    return __builtin_convertvector(load<typename V::Bytes>(plane + offset), typename V::Ints);
}

template <class V>
void collect(const VoteArguments& a, std::size_t x, Votes<V>& votes) {
    const auto infinite = broadcast<V>(__builtin_inff());
    const auto center = static_cast<std::ptrdiff_t>(x);
    typename V::Ints colors[guided_median_channels] = {};
    for (std::size_t n = 0; n < a.channels; ++n) colors[n] = channel<V>(a, n, center);
    votes.count = 0;
    for (std::ptrdiff_t row = -a.above; row <= a.below; ++row)
        for (std::ptrdiff_t column = -a.to_side; column <= a.to_side; ++column) {
            const std::ptrdiff_t at = center + (row * a.stride + column) * a.spacing;
            typename V::Ints apart = {};
            for (std::size_t n = 0; n < a.channels; ++n) {
                const auto other = channel<V>(a, n, at);
                apart += colors[n] > other ? colors[n] - other : other - colors[n];
            }
            std::int32_t numbers[V::lanes];
            store(numbers, apart);
            for (std::int32_t& number : numbers) number = static_cast<std::int32_t>(a.weights[number]);
            const auto value = load<typename V::Floats>(a.values + at);
            votes.values[votes.count] = known<V>(value) ? value : infinite;
            votes.weights[votes.count++] = load<typename V::Ints>(numbers) & known<V>(value);
        }
}

// The smallest value at which half of the weight is reached, nan where there is no weight. A vote is added up to only
// where it lies between the largest that was found too small and the smallest that was found large enough.
template <class V>
typename V::Floats weighted_median(const Votes<V>& votes) {
    using Ints = typename V::Ints;
    Ints total = {};
    for (std::size_t n = 0; n < votes.count; ++n) total += votes.weights[n];
    auto too_small = broadcast<V>(-__builtin_inff()), enough = broadcast<V>(__builtin_inff());
    for (std::size_t n = 0; n < votes.count; ++n) {
        const auto value = votes.values[n];
        const Ints between = (value > too_small) & (value < enough);
        if (!any<V>(between)) continue;
        Ints reached = {};
        for (std::size_t m = 0; m < votes.count; ++m) reached += votes.weights[m] & (votes.values[m] <= value);
        const Ints half = 2 * reached >= total;
        enough = between & half ? value : enough;
        too_small = between & ~half ? value : too_small;
    }
    return total > 0 ? enough : broadcast<V>(__builtin_nanf(""));
}

template <class V>
void vote_row(const VoteArguments& arguments) {
    const VoteArguments a = arguments;
    Votes<V> votes;
    for (std::size_t x = 0; x < a.width; x += V::lanes) {
        const std::size_t count = a.width - x < V::lanes ? a.width - x : V::lanes;
        typename V::Ints kept = {};
        bool all = true;
        for (std::size_t lane = 0; lane < count; ++lane) {
            kept[lane] = a.kept[x + lane] ? -1 : 0;
            all &= a.kept[x + lane];
        }
        auto values = load<typename V::Floats>(a.values + x);
        if (!all) {
            collect(a, x, votes);
            values = kept ? values : weighted_median(votes);
        }
        store_part<V>(a.result + x, values, count);
    }
}

template <std::size_t BYTES>
constexpr FilterKernels filter_kernels = {median_row<Vector<BYTES>>, vote_row<Vector<BYTES>>};

}  // namespace
}  // namespace salticid
