// The kernels of semi-global matching, written once and compiled for every instruction set.
//
//     Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)
//
// A vector holds V::lanes neighboring disparities of one pixel, so equation 13 needs its neighbors at d - 1 and d + 1,
// the same vectors shifted by one lane. V is the vector type of the file that includes this one.
//
// Everything here has internal linkage, and nothing of the standard library that makes code is used: a function that
// the linker merges across files would carry one instruction set into the others.
#pragma once

#include <cstring>

#include "sgm_judge.h"
#include "sgm_kernels.h"

namespace salticid {
namespace {

// ---- Rows

// Gray values of a view, which is stored as gray - 128.
template <class V>
typename V::Bytes gray(const std::int8_t* pixels) {
    return V::exclusive_or(V::load_any(reinterpret_cast<const std::uint8_t*>(pixels)), V::broadcast(0x80));
}

template <class V>
void gradients(const SgmGradientArguments& a) {
    const auto column = [&](std::ptrdiff_t x) {
        return V::average(V::average(gray<V>(a.above + x), gray<V>(a.below + x)), gray<V>(a.here + x));
    };
    const std::ptrdiff_t to_right = a.mirrored ? -1 : 1;
    for (std::size_t x = 0; x < a.width; x += V::lanes) {
        const auto here = static_cast<std::ptrdiff_t>(x);
        const auto right = column(here + to_right), left = column(here - to_right);
        const auto rise = V::subtract_saturated(right, left), fall = V::subtract_saturated(left, right);
        V::store_any(a.gradient + x, V::subtract_saturated(V::add_saturated(V::broadcast(128), rise), fall));
    }
}

template <class V>
void penalties(const SgmPenaltyArguments& a) {
    for (std::size_t x = 0; x < a.width; x += V::lanes) {
        const auto step = V::difference(gray<V>(a.here + x), gray<V>(a.there + x));
        auto p2 = V::broadcast(a.highest);
        for (int n = 0; n < a.slope; ++n) p2 = V::subtract_saturated(p2, step);
        V::store_any(a.penalty + x, V::max(p2, V::broadcast(a.least)));
    }
}

// ---- Costs: bits of the census codes that differ, and how much the gradients differ, up to a cap; then weighted 1-2-1
// along the row. As in AD-census (Mei et al. 2011, "On building an accurate stereo matching system on graphics
// hardware"), but of gradients, which do not mind if one view is brighter.

// Two vectors of V as one, for what both have in common is then loaded once.
template <class V>
struct Twice {
    static constexpr std::size_t lanes = 2 * V::lanes;
    struct Bytes {
        typename V::Bytes low, high;
    };

    static Bytes broadcast(std::uint8_t value) { return {V::broadcast(value), V::broadcast(value)}; }
    static Bytes load_any(const std::uint8_t* bytes) { return {V::load_any(bytes), V::load_any(bytes + V::lanes)}; }
    static void store(std::uint8_t* bytes, Bytes a) { V::store(bytes, a.low), V::store(bytes + V::lanes, a.high); }
    static Bytes add(Bytes a, Bytes b) { return {V::add(a.low, b.low), V::add(a.high, b.high)}; }
    static Bytes min(Bytes a, Bytes b) { return {V::min(a.low, b.low), V::min(a.high, b.high)}; }
    static Bytes max(Bytes a, Bytes b) { return {V::max(a.low, b.low), V::max(a.high, b.high)}; }
    static Bytes average(Bytes a, Bytes b) { return {V::average(a.low, b.low), V::average(a.high, b.high)}; }
    static Bytes difference(Bytes a, Bytes b) { return {V::difference(a.low, b.low), V::difference(a.high, b.high)}; }
    static Bytes exclusive_or(Bytes a, Bytes b) {
        return {V::exclusive_or(a.low, b.low), V::exclusive_or(a.high, b.high)};
    }
    static Bytes popcount(Bytes a) { return {V::popcount(a.low), V::popcount(a.high)}; }
};

// Of one pixel, from the entries of its planes in both rows.
template <class V, int PLANES>
__attribute__((always_inline)) inline typename V::Bytes pixel_cost(const SgmCostArguments& a, const std::uint8_t* left,
                                                                   const std::uint8_t* right) {
    const auto gradient = V::broadcast(left[PLANES * a.left_stride]);
    const auto steps = V::difference(gradient, V::load_any(right + PLANES * a.right_stride));
    auto cost = V::min(steps, V::broadcast(sgm_gradient_cap));
    for (int plane = 0; plane < PLANES; ++plane) {
        const auto code = V::broadcast(left[plane * a.left_stride]);
        const auto differing = V::exclusive_or(code, V::load_any(right + plane * a.right_stride));
        cost = V::add(cost, V::popcount(differing));
    }
    return cost;
}

// Of as many disparities as fit a vector. Beside the first and the last pixel of a row stands the same one again.
template <class V, int PLANES>
void costs_at(const SgmCostArguments& a, std::size_t offset) {
    const std::uint8_t* left = a.left + a.x;
    const std::uint8_t* right = a.right + (a.width - 1 - a.x) + offset;
    const auto cost_at = [&](std::ptrdiff_t n) {
        return pixel_cost<V, PLANES>(a, left + n * a.step, right - n * a.step);
    };
    const auto count = static_cast<std::ptrdiff_t>(a.count), last = static_cast<std::ptrdiff_t>(a.width) - 1;
    const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(a.x), to = from + (count - 1) * a.step;
    const bool begins = from == (a.step > 0 ? 0 : last), ends = to == (a.step > 0 ? last : 0);
    const auto padding = V::load_any(a.padding + offset);

    auto here = cost_at(0), before = begins ? here : cost_at(-1);
    std::uint8_t* out = a.costs + offset;
    const auto put = [&](typename V::Bytes after) {
        V::store(out, V::max(V::average(V::average(before, after), here), padding));
        out += a.depth;
        before = here;
        here = after;
    };
    for (std::ptrdiff_t n = 1; n < count; ++n) put(cost_at(n));
    put(ends ? here : cost_at(count));
}

template <class V, int PLANES>
void costs(const SgmCostArguments& arguments) {
    const SgmCostArguments a = arguments;  // a local: bytes may alias it otherwise
    std::size_t offset = 0;
    for (; offset + Twice<V>::lanes <= a.depth; offset += Twice<V>::lanes) costs_at<Twice<V>, PLANES>(a, offset);
    if (offset < a.depth) costs_at<V, PLANES>(a, offset);
}

// ---- Paths

// One path on its way through the disparities of a pixel: min over d' of L(p - r, d') + penalty(d, d'), less min L.
template <class V>
struct Path {
    using Bytes = typename V::Bytes;

    Bytes minimum, highest;  // min L(p - r, .), and that + P2
    Bytes below, here;       // L(p - r, .) at the vectors before d and at d
    Bytes smallest;          // of L(p, .), so far, lane by lane

    Path(Bytes first, Bytes least, std::uint8_t p2)
        : minimum(least),
          highest(V::add(least, V::broadcast(p2))),
          below(V::all_ones()),
          here(first),
          smallest(first) {}

    Bytes advance(Bytes above, Bytes p1) {  // Hirschmueller 2008, eq. 13, without C(p, d)
        const Bytes neighbors = V::min(V::from_below(below, here), V::from_above(here, above));
        const Bytes least = V::min(V::min(here, V::add_saturated(neighbors, p1)), highest);
        below = here;
        here = above;
        return V::subtract(least, minimum);
    }

    Bytes total(Bytes cost, Bytes added, bool first) {
        const Bytes sum = V::add(cost, added);
        smallest = first ? sum : V::min(smallest, sum);
        return sum;
    }
};

// Path costs of a pixel in memory; above the last vector there is nothing.
template <class V>
struct Stored {
    std::uint8_t* costs;
    std::size_t depth;

    typename V::Bytes at(std::size_t d) const { return d < depth ? V::load_any(costs + d) : V::all_ones(); }
    void set(std::size_t d, typename V::Bytes value) const { V::store_any(costs + d, value); }
};

// Those of the pixel before in the row, which are needed at once: where their number is known they stay in registers.
template <class V, int BLOCKS>
struct Along {
    typename V::Bytes vectors[BLOCKS];

    explicit Along(const Stored<V>& from) {
        for (int n = 0; n < BLOCKS; ++n) vectors[n] = from.at(n * V::lanes);
    }
    typename V::Bytes at(std::size_t d) const { return d < BLOCKS * V::lanes ? vectors[d / V::lanes] : V::all_ones(); }
    void set(std::size_t d, typename V::Bytes value) { vectors[d / V::lanes] = value; }
    void keep(const Stored<V>& to) const {
        for (int n = 0; n < BLOCKS; ++n) to.set(n * V::lanes, vectors[n]);
    }
};

template <class V>
struct Along<V, 0> : Stored<V> {
    explicit Along(const Stored<V>& from) : Stored<V>(from) {}
    void keep(const Stored<V>&) const {}
};

struct StoreHalf {
    template <class V>
    static void take(const SgmSweepArguments& a, std::size_t n, std::size_t d, typename V::Bytes, typename V::Bytes half) {
        std::uint8_t* of_pixel = a.half + static_cast<std::ptrdiff_t>(n) * a.half_step + d;
        if (a.past_cache)
            V::store_past_cache(of_pixel, half);
        else
            V::store(of_pixel, half);
    }
};

// Halves come from far away, and rows take turns too often for the hardware to guess what is next.
constexpr std::ptrdiff_t prefetched_pixels = 16;

template <int SHIFT>
struct Finish {
    template <class V>
    static void take(const SgmSweepArguments& a, std::size_t n, std::size_t d, typename V::Bytes cost,
                     typename V::Bytes half) {
        const std::uint8_t* of_pixel = a.half + static_cast<std::ptrdiff_t>(n) * a.half_step + d;
        __builtin_prefetch(of_pixel + prefetched_pixels * a.half_step);
        const auto other = V::load(of_pixel);
        V::template store_sums<SHIFT>(a.sums + n * a.depth + d, cost, half, other);
        if (a.own_half != nullptr) V::store(a.own_half + n * a.depth + d, half);
    }
};

// BLOCKS is the number of vectors of a pixel, or 0 where it is known at run time only.
template <class V, class Sink, int BLOCKS>
void sweep_4(const SgmSweepArguments& a) {
    const std::size_t depth = BLOCKS > 0 ? BLOCKS * V::lanes : a.depth;
    const auto p1 = V::broadcast(a.p1);
    const Stored<V> before{a.along, depth};
    Along<V, BLOCKS> along(before);
    auto along_minimum = V::broadcast(a.carried[0]);
    for (std::size_t n = 0; n < a.count; ++n) {
        const Stored<V> above{a.row + n * a.stride, depth};
        std::uint8_t* minima = a.minima + 4 * n;
        const std::uint8_t* p2 = a.p2 + static_cast<std::ptrdiff_t>(n) * a.step;
        Path<V> side(along.at(0), along_minimum, p2[0]);
        Path<V> up(above.at(0), V::broadcast(minima[1]), p2[a.p2_stride]);
#pragma GCC unroll 4
        for (std::size_t d = 0; d < depth; d += V::lanes) {
            const auto cost = V::load(a.costs + n * depth + d);
            const auto added_side = side.advance(along.at(d + V::lanes), p1);
            const auto added_up = up.advance(above.at(d + V::lanes), p1);
            along.set(d, side.total(cost, added_side, d == 0));
            above.set(d, up.total(cost, added_up, d == 0));
            Sink::template take<V>(a, n, d, cost, V::add(added_side, added_up));
        }
        const auto least = V::minima_of_2(side.smallest, up.smallest);
        along_minimum = V::broadcast_first(least);
        V::store_minima(minima, least);
    }
    along.keep(before);
    a.carried[0] = a.minima[4 * a.count - 4];
}

template <class V, class Sink, int BLOCKS>
void sweep_8(const SgmSweepArguments& a) {
    const std::size_t depth = BLOCKS > 0 ? BLOCKS * V::lanes : a.depth;
    const auto p1 = V::broadcast(a.p1);
    const Stored<V> before{a.along, depth}, behind{a.behind, depth};
    Along<V, BLOCKS> along(before);
    auto along_minimum = V::broadcast(a.carried[0]);
    std::uint8_t behind_minimum = a.carried[1];
    for (std::size_t n = 0; n < a.count; ++n) {
        std::uint8_t* here = a.row + n * 3 * a.stride;
        const Stored<V> above{here, depth}, left{here + a.stride, depth}, right{here + 2 * a.stride, depth};
        const Stored<V> ahead{here + 5 * a.stride, depth};
        std::uint8_t* minima = a.minima + 4 * n;
        const std::uint8_t* p2 = a.p2 + static_cast<std::ptrdiff_t>(n) * a.step;
        Path<V> side(along.at(0), along_minimum, p2[0]);
        Path<V> up(above.at(0), V::broadcast(minima[1]), p2[a.p2_stride]);
        Path<V> back(behind.at(0), V::broadcast(behind_minimum), p2[2 * a.p2_stride]);
        Path<V> fore(ahead.at(0), V::broadcast(minima[7]), p2[3 * a.p2_stride]);
        behind_minimum = minima[2];
#pragma GCC unroll 4
        for (std::size_t d = 0; d < depth; d += V::lanes) {
            const std::size_t next = d + V::lanes;
            const auto cost = V::load(a.costs + n * depth + d);
            const auto added_side = side.advance(along.at(next), p1), added_up = up.advance(above.at(next), p1);
            const auto added_back = back.advance(behind.at(next), p1), added_fore = fore.advance(ahead.at(next), p1);
            along.set(d, side.total(cost, added_side, d == 0));
            above.set(d, up.total(cost, added_up, d == 0));
            behind.set(d, left.at(d));
            left.set(d, back.total(cost, added_back, d == 0));
            right.set(d, fore.total(cost, added_fore, d == 0));
            const auto half = V::add(V::add(added_side, added_up), V::add(added_back, added_fore));
            Sink::template take<V>(a, n, d, cost, half);
        }
        const auto least = V::minima_of_4(side.smallest, up.smallest, back.smallest, fore.smallest);
        along_minimum = V::broadcast_first(least);
        V::store_minima(minima, least);
    }
    along.keep(before);
    a.carried[0] = a.minima[4 * a.count - 4];
    a.carried[1] = behind_minimum;
}

template <int COUNT>
struct Known {  // at compile time
    static constexpr int value = COUNT;
};

template <class V, class Sink, int PATHS>
void sweep(const SgmSweepArguments& arguments) {
    const SgmSweepArguments a = arguments;
    constexpr auto of = [](auto blocks, const SgmSweepArguments& given) {
        if constexpr (PATHS == 4)
            sweep_4<V, Sink, decltype(blocks)::value>(given);
        else
            sweep_8<V, Sink, decltype(blocks)::value>(given);
    };
    switch (a.depth / V::lanes) {
        case 1: return of(Known<1>{}, a);
        case 2: return of(Known<2>{}, a);
        case 3: return of(Known<3>{}, a);
        case 4: return of(Known<4>{}, a);
        default: return of(Known<0>{}, a);
    }
}

// The sums along the paths of one sweep alone.
template <class V>
void add_up(const SgmSweepArguments& arguments, std::uint8_t paths, const std::uint8_t* half, std::ptrdiff_t half_step) {
    const SgmSweepArguments a = arguments;
    for (std::size_t n = 0; n < a.count; ++n) {
        const std::uint8_t* of_pixel = half + static_cast<std::ptrdiff_t>(n) * half_step;
        for (std::size_t d = 0; d < a.depth; d += V::lanes) {
            const auto cost = V::load(a.costs + n * a.depth + d), added = V::load(of_pixel + d);
            std::uint16_t* sums = a.sums + n * a.depth + d;
            if (paths == 4)
                V::template store_sums<1>(sums, cost, added, V::zero());
            else
                V::template store_sums<2>(sums, cost, added, V::zero());
        }
    }
}

// ---- The winner of each pixel

// GROUPS is how many times sgm_range_multiple sums a pixel has, or 0 where that is known at run time only.
template <class V, int GROUPS>
void select_best(const SgmSelectArguments& a, std::size_t depth) {
    const std::uint16_t* sums = a.sums;
    std::uint16_t *best = a.winners->best, *cost = a.winners->cost;
    for (std::size_t n = 0; n < a.count; ++n, sums += depth) {
        const std::uint16_t least = V::minimum_of_sums(sums, depth);
        std::uint32_t equal = V::equal_sums(sums, least);  // of the first group that has the smallest sum
        std::size_t group = 0;
        while (GROUPS != 1 && equal == 0) equal = V::equal_sums(sums + (group += sgm_range_multiple), least);
        best[n] = static_cast<std::uint16_t>(group + static_cast<std::size_t>(__builtin_ctz(equal)));
        cost[n] = least;
    }
}

// How much worse the neighbors of the best are. All three are then taken out, for those who look for the second.
inline void rise(const SgmSelectArguments& a, std::size_t depth) {
    constexpr std::uint16_t none = 65535;
    const std::uint8_t* costs = a.costs;
    std::uint16_t* sums = a.sums;
    SgmWinners& to = *a.winners;
    for (std::size_t n = 0; n < a.count; ++n, sums += depth, costs += depth) {
        const std::size_t best = to.best[n], low = best - (best > 0), high = best + (best < a.last);
        const int inside = (low < best) & (best < high) ? -1 : 0;
        const int before = sums[low] - sums[best] + a.cost_weight * (costs[low] - costs[best]);
        const int after = sums[high] - sums[best] + a.cost_weight * (costs[high] - costs[best]);
        to.rise_before[n] = static_cast<std::int16_t>(before & inside);
        to.rise_after[n] = static_cast<std::int16_t>(after & inside);
        to.before[n] = low < best ? sums[low] : none;
        to.after[n] = best < high ? sums[high] : none;
        sums[low] = sums[best] = sums[high] = none;
    }
}

// By now what was stored in between the sums has arrived, and can be read in whole vectors.
template <class V>
void select_second(const SgmSelectArguments& a, std::size_t depth) {
    const std::uint16_t* sums = a.sums;
    std::uint16_t *best = a.winners->best, *second = a.winners->second;
    for (std::size_t n = 0; n < a.count; ++n, sums += depth) second[n] = V::minimum_of_sums(sums, depth);
    for (std::size_t n = 0; n < a.count; ++n) {
        second[n] = second[n] < a.padding_sum ? second[n] : 65535;
        best[n] = static_cast<std::uint16_t>(best[n] + a.first);
    }
}

template <class V>
void select(const SgmSelectArguments& arguments) {
    const SgmSelectArguments a = arguments;
    constexpr auto of = [](auto groups, const SgmSelectArguments& given) {
        constexpr int known = decltype(groups)::value;
        const std::size_t depth = known > 0 ? known * sgm_range_multiple : given.depth;
        select_best<V, known>(given, depth);
        rise(given, depth);
        select_second<V>(given, depth);
    };
    switch (a.depth / sgm_range_multiple) {
        case 1: return of(Known<1>{}, a);
        case 2: return of(Known<2>{}, a);
        case 4: return of(Known<4>{}, a);
        default: return of(Known<0>{}, a);
    }
}

// ---- The surroundings of each winner

// Words of 16 bits in a vector of V; of GCC and Clang. Unsigned, so that sums may wrap: those of rejected pixels mean
// nothing, and those of others fit 16 bits with a sign.
template <class V>
struct Words {
    typedef std::uint16_t Vector __attribute__((vector_size(V::lanes)));
    static constexpr std::size_t lanes = V::lanes / 2;

    static Vector load(const void* words) {
        Vector a;
        std::memcpy(&a, words, sizeof a);
        return a;
    }
    static void store(std::int16_t* words, Vector a) { std::memcpy(words, &a, sizeof a); }
};

template <class V>
void gather(const SgmGatherArguments& arguments) {
    using W = Words<V>;
    using Vector = typename W::Vector;
    const SgmGatherArguments a = arguments;
    constexpr auto radius = static_cast<std::ptrdiff_t>(sgm_fit_radius);
    const auto stride = static_cast<std::ptrdiff_t>(a.stride);
    for (std::size_t x = 0; x < a.width; x += W::lanes) {
        const Vector best = W::load(a.best + x);
        Vector before = {}, after = {};
        for (std::ptrdiff_t row = -radius; row <= radius; ++row)
            for (std::ptrdiff_t column = -radius; column <= radius; ++column) {
                const std::ptrdiff_t near = static_cast<std::ptrdiff_t>(x) + row * stride + column;
                const Vector same = reinterpret_cast<Vector>(W::load(a.best + near) == best);
                before += W::load(a.rise_before + near) & same;
                after += W::load(a.rise_after + near) & same;
            }
        W::store(a.total_before + x, before);
        W::store(a.total_after + x, after);
    }
}

template <class V>
constexpr SgmKernels sgm_kernels = {V::lanes,
                                    gradients<V>,
                                    penalties<V>,
                                    costs<V, 3>,
                                    costs<V, 4>,
                                    sweep<V, StoreHalf, 4>,
                                    sweep<V, StoreHalf, 8>,
                                    sweep<V, Finish<2>, 4>,
                                    sweep<V, Finish<3>, 8>,
                                    add_up<V>,
                                    select<V>,
                                    judge,
                                    gather<V>,
                                    fit};

}  // namespace
}  // namespace salticid
