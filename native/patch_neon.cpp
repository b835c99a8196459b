// The patch network for NEON, which every 64-bit ARM has: 8 pixels at a time.
#include <arm_neon.h>

#include <cstring>

#include "patch_row.h"

namespace salticid {
namespace {

struct Neon {
    static constexpr std::size_t pixels = 8, fours = 1, vectors = 2;
    static constexpr std::size_t repeats = 1;
    static constexpr bool adds_two = false;
    using Words = int16x8_t;
    using Sums = int32x4_t;

    static Words load(const std::int16_t* from) { return vld1q_s16(from); }
    static void store(std::int16_t* to, Words a) { vst1q_s16(to, a); }
    static Words broadcast(std::int16_t value) { return vdupq_n_s16(value); }
    static Words add(Words a, Words b) { return vqaddq_s16(a, b); }
    static Words subtract(Words a, Words b) { return vqsubq_s16(a, b); }
    static Words shifted(Words a, int by) { return vshlq_s16(a, vdupq_n_s16(static_cast<std::int16_t>(-by))); }

    static void weave(Words a, Words b, Words c, Words d, Sums* to) {
        const uint8x8x2_t ab = vzip_u8(clamped(a), clamped(b)), cd = vzip_u8(clamped(c), clamped(d));
        for (int half = 0; half < 2; ++half) {
            const uint16x4x2_t four = vzip_u16(vreinterpret_u16_u8(ab.val[half]), vreinterpret_u16_u8(cd.val[half]));
            to[half] = vreinterpretq_s32_u16(vcombine_u16(four.val[0], four.val[1]));
        }
    }
    static uint8x8_t clamped(Words a) { return vmin_u8(vqmovun_s16(a), vdup_n_u8(127)); }
    static Words narrowed(Sums a, Sums b, int shift) {
        const int32x4_t by = vdupq_n_s32(-shift);
        return vcombine_s16(vqmovn_s32(vshlq_s32(a, by)), vqmovn_s32(vshlq_s32(b, by)));
    }

    static Sums broadcast_sum(std::int32_t value) { return vdupq_n_s32(value); }
    static int8x16_t weights_of_four(const std::int8_t* from) {
        std::int32_t four;
        std::memcpy(&four, from, sizeof four);
        return vreinterpretq_s8_s32(vdupq_n_s32(four));
    }
    // Activations fit signed bytes. Products are added up in pairs, those to pairs of pairs.
    static Sums dot(Sums sum, Sums activations, int8x16_t weights) {
        const int8x16_t bytes = vreinterpretq_s8_s32(activations);
        const int16x8_t low = vmull_s8(vget_low_s8(bytes), vget_low_s8(weights));
        const int16x8_t high = vmull_high_s8(bytes, weights);
        return vpadalq_s16(sum, vpaddq_s16(low, high));
    }
    static Sums activated(Sums a, Sums b, Sums c, Sums d, int shift) {
        const int32x4_t by = vdupq_n_s32(-shift);
        const auto unit = [=](Sums sum) {
            return vreinterpretq_u32_s32(
                vminq_s32(vmaxq_s32(vshlq_s32(sum, by), vdupq_n_s32(0)), vdupq_n_s32(127)));
        };
        const uint32x4_t ab = vsliq_n_u32(unit(a), unit(b), 8), cd = vsliq_n_u32(unit(c), unit(d), 8);
        return vreinterpretq_s32_u32(vsliq_n_u32(ab, cd, 16));
    }
};

}  // namespace

const PatchKernels patch_neon = patch_kernels<Neon>;

}  // namespace salticid
