// The patch network for AVX-512 with VNNI: 32 pixels at a time.
#include <immintrin.h>

#include <cstring>

#include "patch_row.h"

namespace salticid {
namespace {

struct Avx512 {
    static constexpr std::size_t pixels = 32, fours = 2, vectors = 2;
    static constexpr std::size_t repeats = 1;
    static constexpr bool adds_two = false;
    using Words = __m512i;
    using Sums = __m512i;

    static Words load(const std::int16_t* from) { return _mm512_loadu_si512(from); }
    static void store(std::int16_t* to, Words a) { _mm512_storeu_si512(to, a); }
    static Words broadcast(std::int16_t value) { return _mm512_set1_epi16(value); }
    static Words add(Words a, Words b) { return _mm512_adds_epi16(a, b); }
    static Words subtract(Words a, Words b) { return _mm512_subs_epi16(a, b); }
    static Words shifted(Words a, int by) { return _mm512_sra_epi16(a, _mm_cvtsi32_si128(by)); }

    // Four bytes for each pixel, clamped to 0..127: of 0 to 3, 8 to 11, 16 to 19 and 24 to 27, and of the others.
    static void weave(Words a, Words b, Words c, Words d, Sums* to) {
        const auto ab = clamped(a, b), cd = clamped(c, d);  // of each 8 pixels, first the one and then the other
        const auto ac = _mm512_unpacklo_epi8(ab, cd), bd = _mm512_unpackhi_epi8(ab, cd);
        to[0] = _mm512_unpacklo_epi8(ac, bd);
        to[1] = _mm512_unpackhi_epi8(ac, bd);
    }
    static Words clamped(Words a, Words b) { return _mm512_min_epu8(_mm512_packus_epi16(a, b), _mm512_set1_epi8(127)); }
    static Words narrowed(Sums a, Sums b, int shift) {
        const __m512i by = _mm512_set1_epi32(shift);
        return _mm512_packs_epi32(_mm512_srav_epi32(a, by), _mm512_srav_epi32(b, by));
    }

    static Sums broadcast_sum(std::int32_t value) { return _mm512_set1_epi32(value); }
    static Sums weights_of_four(const std::int8_t* from) {
        std::int32_t four;
        std::memcpy(&four, from, sizeof four);
        return _mm512_set1_epi32(four);
    }
    static Sums dot(Sums sum, Sums activations, Sums weights) {
#ifdef __AVX512VNNI__
        // What GCC makes of the intrinsic copies every sum twice around a loop.
        asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(activations), "v"(weights));
        return sum;
#else
        return _mm512_dpbusd_epi32(sum, activations, weights);
#endif
    }
    static Sums activated(Sums a, Sums b, Sums c, Sums d, int shift) {
        const __m512i by = _mm512_set1_epi32(shift);
        const __m512i ab = _mm512_packs_epi32(_mm512_srav_epi32(a, by), _mm512_srav_epi32(b, by));
        const __m512i cd = _mm512_packs_epi32(_mm512_srav_epi32(c, by), _mm512_srav_epi32(d, by));
        const __m512i bytes = _mm512_min_epu8(_mm512_packus_epi16(ab, cd), _mm512_set1_epi8(127));
        const __m128i by_pixel = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        return _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(by_pixel));
    }
};

}  // namespace

const PatchKernels patch_avx512 = patch_kernels<Avx512>;

}  // namespace salticid
