// Semi-global matching in plain C++: what every machine can run, 16 disparities at a time where it has such vectors.
#include "sgm_vector.h"

namespace salticid {
namespace {

struct Scalar {
    static constexpr std::size_t lanes = 16;
    typedef std::uint8_t Bytes __attribute__((vector_size(lanes)));  // of GCC and Clang; a loop where the CPU has none

    static Bytes zero() { return Bytes{}; }
    static Bytes all_ones() { return ~Bytes{}; }
    static Bytes broadcast(std::uint8_t value) { return Bytes{} + value; }
    static Bytes load(const std::uint8_t* bytes) { return load_any(bytes); }
    static Bytes load_any(const std::uint8_t* bytes) {
        Bytes a;
        std::memcpy(&a, bytes, lanes);
        return a;
    }
    static void store(std::uint8_t* bytes, Bytes a) { std::memcpy(bytes, &a, lanes); }
    static void store_any(std::uint8_t* bytes, Bytes a) { store(bytes, a); }
    static void store_past_cache(std::uint8_t* bytes, Bytes a) { store(bytes, a); }

    static Bytes add(Bytes a, Bytes b) { return a + b; }
    static Bytes add_saturated(Bytes a, Bytes b) {
        const Bytes sum = a + b;
        return sum < a ? all_ones() : sum;
    }
    static Bytes subtract(Bytes a, Bytes b) { return a - b; }
    static Bytes subtract_saturated(Bytes a, Bytes b) { return max(a, b) - b; }
    static Bytes min(Bytes a, Bytes b) { return a < b ? a : b; }
    static Bytes max(Bytes a, Bytes b) { return a < b ? b : a; }
    static Bytes average(Bytes a, Bytes b) { return (a | b) - ((a ^ b) >> 1); }
    static Bytes difference(Bytes a, Bytes b) { return max(a, b) - min(a, b); }
    static Bytes exclusive_or(Bytes a, Bytes b) { return a ^ b; }
    static Bytes popcount(Bytes a) {
        a = a - ((a >> 1) & 0x55);
        a = (a & 0x33) + ((a >> 2) & 0x33);
        return (a + (a >> 4)) & 0x0f;
    }

    // Lane i becomes lane i - 1 of `here`; lane 0 is the last of `below`.
    static Bytes from_below(Bytes below, Bytes here) { return window(below, here, lanes - 1); }
    // Lane i becomes lane i + 1 of `here`; the last is lane 0 of `above`.
    static Bytes from_above(Bytes here, Bytes above) { return window(here, above, 1); }

    // The smallest lane of each vector, the first one's in the lowest byte.
    static std::uint32_t minima_of_2(Bytes a, Bytes b) {
        return smallest(a) | static_cast<std::uint32_t>(smallest(b)) << 8;
    }
    static std::uint32_t minima_of_4(Bytes a, Bytes b, Bytes c, Bytes d) {
        return minima_of_2(a, b) | minima_of_2(c, d) << 16;
    }
    static Bytes broadcast_first(std::uint32_t minima) { return broadcast(static_cast<std::uint8_t>(minima)); }
    static void store_minima(std::uint8_t* to, std::uint32_t minima) {
        for (int n = 0; n < 4; ++n) to[n] = static_cast<std::uint8_t>(minima >> 8 * n);
    }

    // (cost << SHIFT) + a + b, in 16 bits.
    template <int SHIFT>
    static void store_sums(std::uint16_t* sums, Bytes cost, Bytes a, Bytes b) {
        for (std::size_t i = 0; i < lanes; ++i)
            sums[i] = static_cast<std::uint16_t>((cost[i] << SHIFT) + a[i] + b[i]);
    }

    static std::uint16_t minimum_of_sums(const std::uint16_t* sums, std::size_t count) {
        std::uint16_t least = 65535;
        for (std::size_t d = 0; d < count; ++d) least = sums[d] < least ? sums[d] : least;
        return least;
    }

    static std::uint32_t equal_sums(const std::uint16_t* sums, std::uint16_t value) {
        std::uint32_t equal = 0;
        for (std::size_t d = 0; d < sgm_range_multiple; ++d) equal |= std::uint32_t{sums[d] == value} << d;
        return equal;
    }

private:
    static Bytes window(Bytes low, Bytes high, std::size_t first) {
        std::uint8_t both[2 * lanes];
        std::memcpy(both, &low, lanes);
        std::memcpy(both + lanes, &high, lanes);
        return load_any(both + first);
    }

    static std::uint8_t smallest(Bytes a) {
        std::uint8_t least = 255;
        for (std::size_t i = 0; i < lanes; ++i) least = a[i] < least ? a[i] : least;
        return least;
    }
};

}  // namespace

const SgmKernels sgm_scalar = sgm_kernels<Scalar>;

}  // namespace salticid
