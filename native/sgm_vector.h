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

// Neighboring vectors of a pixel; what is the same for both is loaded once. Without BOTH the second means nothing.
template <class V>
struct Pair {
    typename V::Bytes first, second;
};

template <class V, bool BOTH, class Step>
Pair<V> each(Step step) {
    Pair<V> made;
    made.first = step(0);
    if constexpr (BOTH)
        made.second = step(V::lanes);
    else
        made.second = made.first;
    return made;
}

template <class V, int PLANES, bool BOTH>
Pair<V> pixel_costs(const SgmCostArguments& a, std::size_t x, std::size_t offset) {
    const std::uint8_t* left = a.left + x;
    const std::uint8_t* right = a.right + (a.width - 1 - x) + offset;
    const auto gradient = V::broadcast(left[PLANES * a.left_stride]), cap = V::broadcast(sgm_gradient_cap);
    Pair<V> cost = each<V, BOTH>([&](std::size_t lane) {
        return V::min(V::difference(gradient, V::load_any(right + PLANES * a.right_stride + lane)), cap);
    });
    for (int plane = 0; plane < PLANES; ++plane) {
        const auto code = V::broadcast(left[plane * a.left_stride]);
        const std::uint8_t* codes = right + plane * a.right_stride;
        const auto differing = [&](std::size_t lane) {
            return V::popcount(V::exclusive_or(code, V::load_any(codes + lane)));
        };
        cost.first = V::add(cost.first, differing(0));
        if constexpr (BOTH) cost.second = V::add(cost.second, differing(V::lanes));
    }
    return cost;
}

template <class V, int PLANES, bool BOTH>
void costs_at(const SgmCostArguments& a, std::size_t offset) {
    const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(a.width) - 1;
    const auto clamped = [last](std::ptrdiff_t x) { return static_cast<std::size_t>(x < 0 ? 0 : x > last ? last : x); };
    const auto smooth = [](typename V::Bytes before, typename V::Bytes here, typename V::Bytes after) {
        return V::average(V::average(before, after), here);
    };
    const auto padding_at = [&](std::size_t d) { return d + V::lanes == a.depth ? V::load_any(a.padding) : V::zero(); };
    const auto padding = padding_at(offset), padding_second = padding_at(offset + V::lanes);
    std::ptrdiff_t x = static_cast<std::ptrdiff_t>(a.x);
    Pair<V> before = pixel_costs<V, PLANES, BOTH>(a, clamped(x - a.step), offset);
    Pair<V> here = pixel_costs<V, PLANES, BOTH>(a, clamped(x), offset);
    std::uint8_t* out = a.costs + offset;
    for (std::size_t n = 0; n < a.count; ++n, out += a.depth) {
        x += a.step;
        const Pair<V> after = pixel_costs<V, PLANES, BOTH>(a, clamped(x), offset);
        V::store(out, V::max(smooth(before.first, here.first, after.first), padding));
        if constexpr (BOTH)
            V::store(out + V::lanes, V::max(smooth(before.second, here.second, after.second), padding_second));
        before = here;
        here = after;
    }
}

template <class V, int PLANES>
void costs(const SgmCostArguments& arguments) {
    const SgmCostArguments a = arguments;  // a local: bytes may alias it otherwise
    std::size_t offset = 0;
    for (; offset + 2 * V::lanes <= a.depth; offset += 2 * V::lanes) costs_at<V, PLANES, true>(a, offset);
    if (offset < a.depth) costs_at<V, PLANES, false>(a, offset);
}

// ---- Paths

// One path on its way through the disparities of a pixel: min over d' of L(p - r, d') + penalty(d, d'), less min L.
template <class V>
struct Path {
    using Bytes = typename V::Bytes;

    const std::uint8_t* from;  // L(p - r, .)
    Bytes minimum, highest;    // min L(p - r, .), and that + P2
    Bytes below, here;         // the vectors at d - lanes and d
    Bytes smallest;            // of L(p, .), so far, lane by lane

    Path(const std::uint8_t* costs, Bytes least, std::uint8_t p2)
        : from(costs),
          minimum(least),
          highest(V::add(least, V::broadcast(p2))),
          below(V::all_ones()),
          here(V::load(costs)),
          smallest(V::all_ones()) {}

    Bytes advance(std::size_t next, bool more, Bytes p1) {  // Hirschmueller 2008, eq. 13, without C(p, d)
        const Bytes above = more ? V::load(from + next) : V::all_ones();
        const Bytes neighbors = V::min(V::from_below(below, here), V::from_above(here, above));
        const Bytes least = V::min(V::min(here, V::add_saturated(neighbors, p1)), highest);
        below = here;
        here = above;
        return V::subtract(least, minimum);
    }

    Bytes total(Bytes cost, Bytes added) {
        const Bytes sum = V::add(cost, added);
        smallest = V::min(smallest, sum);
        return sum;
    }
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
        V::template store_sums<SHIFT>(a.sums + n * a.sums_stride + d, cost, half, other);
        if (a.own_half != nullptr) V::store(a.own_half + n * a.depth + d, half);
    }
};

// BLOCKS is the number of vectors of a pixel, or 0 where it is known at run time only.
template <class V, class Sink, int BLOCKS>
void sweep_4(const SgmSweepArguments& a) {
    const std::size_t depth = BLOCKS > 0 ? BLOCKS * V::lanes : a.depth;
    const auto p1 = V::broadcast(a.p1);
    auto along_minimum = V::broadcast(a.carried[0]);
    for (std::size_t n = 0; n < a.count; ++n) {
        std::uint8_t* here = a.row + n * depth;
        std::uint8_t* minima = a.minima + 4 * n;
        const std::uint8_t* p2 = a.p2 + static_cast<std::ptrdiff_t>(n) * a.step;
        Path<V> side(a.along, along_minimum, p2[0]);
        Path<V> up(here, V::broadcast(minima[1]), p2[a.p2_stride]);
        for (std::size_t d = 0; d < depth; d += V::lanes) {
            const std::size_t next = d + V::lanes;
            const bool more = next < depth;
            const auto cost = V::load(a.costs + n * depth + d);
            const auto added_side = side.advance(next, more, p1), added_up = up.advance(next, more, p1);
            V::store(a.along + d, side.total(cost, added_side));
            V::store(here + d, up.total(cost, added_up));
            Sink::template take<V>(a, n, d, cost, V::add(added_side, added_up));
        }
        const auto least = V::minima_of_2(side.smallest, up.smallest);
        along_minimum = V::broadcast_first(least);
        V::store_minima(minima, least);
    }
    a.carried[0] = a.minima[4 * a.count - 4];
}

template <class V, class Sink, int BLOCKS>
void sweep_8(const SgmSweepArguments& a) {
    const std::size_t depth = BLOCKS > 0 ? BLOCKS * V::lanes : a.depth;
    const auto p1 = V::broadcast(a.p1);
    auto along_minimum = V::broadcast(a.carried[0]);
    std::uint8_t behind_minimum = a.carried[1];
    for (std::size_t n = 0; n < a.count; ++n) {
        std::uint8_t* here = a.row + n * 3 * depth;
        std::uint8_t* minima = a.minima + 4 * n;
        const std::uint8_t* p2 = a.p2 + static_cast<std::ptrdiff_t>(n) * a.step;
        Path<V> side(a.along, along_minimum, p2[0]);
        Path<V> up(here, V::broadcast(minima[1]), p2[a.p2_stride]);
        Path<V> back(a.behind, V::broadcast(behind_minimum), p2[2 * a.p2_stride]);
        Path<V> fore(here + 5 * depth, V::broadcast(minima[7]), p2[3 * a.p2_stride]);
        behind_minimum = minima[2];
        for (std::size_t d = 0; d < depth; d += V::lanes) {
            const std::size_t next = d + V::lanes;
            const bool more = next < depth;
            const auto cost = V::load(a.costs + n * depth + d);
            const auto added_side = side.advance(next, more, p1), added_up = up.advance(next, more, p1);
            const auto added_back = back.advance(next, more, p1), added_fore = fore.advance(next, more, p1);
            V::store(a.along + d, side.total(cost, added_side));
            V::store(here + d, up.total(cost, added_up));
            V::store(a.behind + d, V::load(here + depth + d));
            V::store(here + depth + d, back.total(cost, added_back));
            V::store(here + 2 * depth + d, fore.total(cost, added_fore));
            const auto half = V::add(V::add(added_side, added_up), V::add(added_back, added_fore));
            Sink::template take<V>(a, n, d, cost, half);
        }
        const auto least = V::minima_of_4(side.smallest, up.smallest, back.smallest, fore.smallest);
        along_minimum = V::broadcast_first(least);
        V::store_minima(minima, least);
    }
    a.carried[0] = a.minima[4 * a.count - 4];
    a.carried[1] = behind_minimum;
}

template <int COUNT>
struct Blocks {
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
        case 1: return of(Blocks<1>{}, a);
        case 2: return of(Blocks<2>{}, a);
        case 4: return of(Blocks<4>{}, a);
        default: return of(Blocks<0>{}, a);
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
            std::uint16_t* sums = a.sums + n * a.sums_stride + d;
            if (paths == 4)
                V::template store_sums<1>(sums, cost, added, V::zero());
            else
                V::template store_sums<2>(sums, cost, added, V::zero());
        }
    }
}

// ---- The winner of each pixel

// GROUPS is how many times sgm_sums_multiple sums a pixel has, or 0 where that is known at run time only.
template <class V, int GROUPS>
void select_in(const SgmSelectArguments& a) {
    constexpr std::uint16_t none = 65535;
    const std::size_t stride = GROUPS > 0 ? GROUPS * sgm_sums_multiple : a.stride;
    const std::uint8_t* costs = a.costs;
    const std::uint16_t* sums = a.sums;
    SgmWinners& to = *a.winners;
    for (std::size_t n = 0; n < a.count; ++n, sums += stride, costs += a.depth) {
        const std::uint16_t least = V::minimum_of_sums(sums, stride);
        std::uint64_t equal = 0;  // of the first group that has the smallest sum
        std::size_t group = 0;
        for (std::size_t d = stride; d > 0;) {
            d -= sgm_sums_multiple;
            const std::uint64_t here = V::equal_sums(sums + d, least);
            equal = here != 0 ? here : equal;
            group = here != 0 ? d : group;
        }
        const std::size_t best = group + static_cast<std::size_t>(__builtin_ctzll(equal));
        const std::uint16_t second = V::minimum_apart(sums, stride, best);
        to.best[n] = static_cast<std::uint16_t>(best);
        to.cost[n] = least;
        to.second[n] = second < a.padding_sum ? second : none;
        to.before[n] = best > 0 ? sums[best - 1] : none;
        to.after[n] = best < a.last ? sums[best + 1] : none;
        const bool inside = best > 0 && best < a.last;
        const std::uint8_t* cost = costs + best;
        const int before = to.before[n] - least + a.cost_weight * (cost[-1] - cost[0]);
        const int after = to.after[n] - least + a.cost_weight * (cost[1] - cost[0]);
        to.rise_before[n] = static_cast<std::int16_t>(inside ? before : 0);
        to.rise_after[n] = static_cast<std::int16_t>(inside ? after : 0);
    }
}

template <class V>
void select(const SgmSelectArguments& arguments) {
    const SgmSelectArguments a = arguments;
    switch (a.stride / sgm_sums_multiple) {
        case 1: return select_in<V, 1>(a);
        case 2: return select_in<V, 2>(a);
        case 4: return select_in<V, 4>(a);
        default: return select_in<V, 0>(a);
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
                                    gather<V>};

}  // namespace
}  // namespace salticid
