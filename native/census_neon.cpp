// The census kernels for NEON, which every 64-bit ARM has: 16 pixels at a time.
#include <arm_neon.h>

#include "census_row.h"
#include "weave.h"

namespace salticid {
namespace {

struct Neon {
    static constexpr std::size_t lanes = 16;
    using Bytes = uint8x16_t;

    static Bytes zero() { return vdupq_n_u8(0); }
    static Bytes load(const std::int8_t* pixels) { return vreinterpretq_u8_s8(vld1q_s8(pixels)); }
    static void store_bytes(std::uint8_t* bytes, Bytes a) { vst1q_u8(bytes, a); }

    template <int BIT>
    static Bytes set_if_less(Bytes bits, Bytes neighbor, Bytes center) {
        const Bytes less = vcltq_s8(vreinterpretq_s8_u8(neighbor), vreinterpretq_s8_u8(center));
        return vbslq_u8(vdupq_n_u8(1 << BIT), less, bits);
    }

    static Bytes low_bytes(Bytes a, Bytes b) { return vzip1q_u8(a, b); }
    static Bytes high_bytes(Bytes a, Bytes b) { return vzip2q_u8(a, b); }
    static Bytes low_pairs(Bytes a, Bytes b) { return vreinterpretq_u8_u16(vzip1q_u16(pairs(a), pairs(b))); }
    static Bytes high_pairs(Bytes a, Bytes b) { return vreinterpretq_u8_u16(vzip2q_u16(pairs(a), pairs(b))); }
    static Bytes low_fours(Bytes a, Bytes b) { return vreinterpretq_u8_u32(vzip1q_u32(fours(a), fours(b))); }
    static Bytes high_fours(Bytes a, Bytes b) { return vreinterpretq_u8_u32(vzip2q_u32(fours(a), fours(b))); }

    template <class... EightBytes>
    static void weave(std::uint64_t* words, EightBytes... bytes) {
        weave_words<Neon>(words, bytes...);
    }

    static void store(std::uint64_t* words, Bytes a, Bytes b) {
        vst1q_u64(words, vreinterpretq_u64_u8(a));
        vst1q_u64(words + 2, vreinterpretq_u64_u8(b));
    }

private:
    static uint16x8_t pairs(Bytes a) { return vreinterpretq_u16_u8(a); }
    static uint32x4_t fours(Bytes a) { return vreinterpretq_u32_u8(a); }
};

}  // namespace

const CensusKernels census_neon = census_kernels<Neon>;

}  // namespace salticid
