// The plain network for NEON, which every 64-bit ARM has: 4 pixels and 8 outputs at a time.
#include <arm_neon.h>

#include <cstring>

#include "plain_net_row.h"

namespace salticid {
namespace {

struct Neon {
    static constexpr std::size_t lanes = 4, vectors = 2, pixels = 4;
    static constexpr std::int32_t lowered = 128;  // there is no product of unsigned and signed bytes
    static constexpr WeightOrder order = WeightOrder::by_output;
    using Sums = int32x4_t;
    using Weights = int8x16_t;
    using Inputs = int8x16_t;

    static Sums load_sums(const std::int32_t* from) { return vld1q_s32(from); }
    static Weights load_weights(const std::int8_t* from) { return vld1q_s8(from); }
    static Inputs broadcast(const std::uint8_t* from) {
        std::uint32_t four;
        std::memcpy(&four, from, sizeof four);
        return vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080));
    }
    template <std::size_t VECTORS>
    static void add(Sums (&sums)[VECTORS], Inputs one, Inputs other, const Weights (&for_one)[VECTORS],
                    const Weights (&for_other)[VECTORS]) {
        for (std::size_t v = 0; v < VECTORS; ++v) sums[v] = dot(dot(sums[v], one, for_one[v]), other, for_other[v]);
    }
    // Products are added up in pairs, those to pairs of pairs.
    static Sums dot(Sums sum, Inputs inputs, Weights weights) {
        const int16x8_t low = vmull_s8(vget_low_s8(inputs), vget_low_s8(weights));
        return vpadalq_s16(sum, vpaddq_s16(low, vmull_high_s8(inputs, weights)));
    }

    template <std::size_t VECTORS>
    static void store(std::uint8_t* to, const Sums (&sums)[VECTORS], const float* multiplier) {
        for (std::size_t v = 0; v < VECTORS; ++v) {
            const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(sums[v]), vld1q_f32(multiplier + v * lanes));
            const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(scaled));
            const uint8x8_t bytes = vqmovun_s16(vcombine_s16(words, words));
            std::memcpy(to + v * lanes, &bytes, lanes);
        }
    }
};

}  // namespace

const PlainNetKernels plain_net_neon = plain_net_kernels<Neon>;

}  // namespace salticid
