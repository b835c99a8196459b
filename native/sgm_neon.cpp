// Semi-global matching for NEON, which every 64-bit ARM has: 16 disparities at a time.
#include <arm_neon.h>

#include "sgm_vector.h"

namespace salticid {
namespace {

struct Neon {
    static constexpr std::size_t lanes = 16;
    using Bytes = uint8x16_t;

    static Bytes zero() { return vdupq_n_u8(0); }
    static Bytes all_ones() { return vdupq_n_u8(255); }
    static Bytes broadcast(std::uint8_t value) { return vdupq_n_u8(value); }
    static Bytes load(const std::uint8_t* bytes) { return vld1q_u8(bytes); }
    static Bytes load_any(const std::uint8_t* bytes) { return vld1q_u8(bytes); }
    static void store(std::uint8_t* bytes, Bytes a) { vst1q_u8(bytes, a); }
    static void store_any(std::uint8_t* bytes, Bytes a) { vst1q_u8(bytes, a); }
    static void store_past_cache(std::uint8_t* bytes, Bytes a) { vst1q_u8(bytes, a); }  // no intrinsic asks for more

    static Bytes add(Bytes a, Bytes b) { return vaddq_u8(a, b); }
    static Bytes add_saturated(Bytes a, Bytes b) { return vqaddq_u8(a, b); }
    static Bytes subtract(Bytes a, Bytes b) { return vsubq_u8(a, b); }
    static Bytes subtract_saturated(Bytes a, Bytes b) { return vqsubq_u8(a, b); }
    static Bytes min(Bytes a, Bytes b) { return vminq_u8(a, b); }
    static Bytes max(Bytes a, Bytes b) { return vmaxq_u8(a, b); }
    static Bytes average(Bytes a, Bytes b) { return vrhaddq_u8(a, b); }
    static Bytes difference(Bytes a, Bytes b) { return vabdq_u8(a, b); }
    static Bytes exclusive_or(Bytes a, Bytes b) { return veorq_u8(a, b); }
    static Bytes popcount(Bytes a) { return vcntq_u8(a); }

    // Lane i becomes lane i - 1 of `here`; lane 0 is the last of `below`.
    static Bytes from_below(Bytes below, Bytes here) { return vextq_u8(below, here, 15); }
    // Lane i becomes lane i + 1 of `here`; the last is lane 0 of `above`.
    static Bytes from_above(Bytes here, Bytes above) { return vextq_u8(here, above, 1); }

    // The smallest lane of each vector, in as many bytes from the lowest on.
    static Bytes minima_of_2(Bytes a, Bytes b) { return minima_of_4(a, b, a, b); }
    static Bytes minima_of_4(Bytes a, Bytes b, Bytes c, Bytes d) {
        const Bytes fours = vpminq_u8(vpminq_u8(a, b), vpminq_u8(c, d));
        const Bytes twos = vpminq_u8(fours, fours);
        return vpminq_u8(twos, twos);
    }
    static Bytes broadcast_first(Bytes minima) { return vdupq_laneq_u8(minima, 0); }
    static void store_minima(std::uint8_t* to, Bytes minima) {
        const std::uint32_t four = vgetq_lane_u32(vreinterpretq_u32_u8(minima), 0);
        std::memcpy(to, &four, sizeof four);
    }

    // (cost << SHIFT) + a + b, in 16 bits.
    template <int SHIFT>
    static void store_sums(std::uint16_t* sums, Bytes cost, Bytes a, Bytes b) {
        const uint8x8_t low_a = vget_low_u8(a), low_b = vget_low_u8(b);
        vst1q_u16(sums, vaddq_u16(vshll_n_u8(vget_low_u8(cost), SHIFT), vaddl_u8(low_a, low_b)));
        vst1q_u16(sums + 8, vaddq_u16(vshll_high_n_u8(cost, SHIFT), vaddl_high_u8(a, b)));
    }

    static std::uint16_t minimum_of_sums(const std::uint16_t* sums, std::size_t count) {
        uint16x8_t least = vdupq_n_u16(65535);
        for (std::size_t d = 0; d < count; d += 8) least = vminq_u16(least, vld1q_u16(sums + d));
        return vminvq_u16(least);
    }

    static std::uint32_t equal_sums(const std::uint16_t* sums, std::uint16_t value) {
        const uint16x8_t wanted = vdupq_n_u16(value);
        const Bytes twos = vpaddq_u8(equal_16(sums, wanted), equal_16(sums + 16, wanted));
        const Bytes fours = vpaddq_u8(twos, twos);
        return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(fours, fours)), 0);
    }

private:
    // Of each sum its own bit of a byte, set where it is as wanted; adding up neighbors then makes a mask.
    static Bytes equal_16(const std::uint16_t* sums, uint16x8_t wanted) {
        static constexpr std::uint8_t bit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint16x8_t first = vceqq_u16(vld1q_u16(sums), wanted), second = vceqq_u16(vld1q_u16(sums + 8), wanted);
        return vandq_u8(vuzp1q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(second)), vld1q_u8(bit));
    }
};

}  // namespace

const SgmKernels sgm_neon = sgm_kernels<Neon>;

}  // namespace salticid
