// The patch network for AVX2: 16 pixels at a time.
#include <immintrin.h>

#include "patch_row.h"

namespace salticid {
namespace {

struct Avx2 {
    static constexpr std::size_t pixels = 16, fours = 1, vectors = 1;
    static constexpr std::size_t repeats = 8;
    static constexpr bool adds_two = true;
    using Words = __m256i;
    using Sums = __m256i;

    static Words load(const std::int16_t* from) { return _mm256_loadu_si256(reinterpret_cast<const Words*>(from)); }
    static void store(std::int16_t* to, Words a) { _mm256_storeu_si256(reinterpret_cast<Words*>(to), a); }
    static Words broadcast(std::int16_t value) { return _mm256_set1_epi16(value); }
    static Words add(Words a, Words b) { return _mm256_adds_epi16(a, b); }
    static Words subtract(Words a, Words b) { return _mm256_subs_epi16(a, b); }
    static Words shifted(Words a, int by) { return _mm256_sra_epi16(a, _mm_cvtsi32_si128(by)); }

    // Four bytes for each pixel, clamped to 0..127: of 0 to 3 and 8 to 11, and of the others.
    static void weave(Words a, Words b, Words c, Words d, Sums* to) {
        const auto ab = clamped(a, b), cd = clamped(c, d);  // of each 8 pixels, first the one and then the other
        const auto ac = _mm256_unpacklo_epi8(ab, cd), bd = _mm256_unpackhi_epi8(ab, cd);
        to[0] = _mm256_unpacklo_epi8(ac, bd);
        to[1] = _mm256_unpackhi_epi8(ac, bd);
    }
    static Words clamped(Words a, Words b) { return _mm256_min_epu8(_mm256_packus_epi16(a, b), _mm256_set1_epi8(127)); }
    static Words narrowed(Sums a, Sums b, int shift) {
        const __m128i by = _mm_cvtsi32_si128(shift);
        return _mm256_packs_epi32(_mm256_sra_epi32(a, by), _mm256_sra_epi32(b, by));
    }

    static Sums broadcast_sum(std::int32_t value) { return _mm256_set1_epi32(value); }
    static Sums weights_of_four(const std::int8_t* from) {
        return _mm256_load_si256(reinterpret_cast<const Sums*>(from));
    }
    // Two products are at most 2 * 127 * 127: the 16 bits that they are added up in suffice.
    static Sums dot(Sums sum, Sums activations, Sums weights) {
        const __m256i pairs = _mm256_maddubs_epi16(activations, weights);
        return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    // The same of eight bytes a pixel, where their weights are small enough for the 16 bits.
    static Sums dot_two(Sums sum, Sums one, Sums weights, Sums other, Sums other_weights) {
        const __m256i pairs = _mm256_maddubs_epi16(one, weights), more = _mm256_maddubs_epi16(other, other_weights);
        return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_add_epi16(pairs, more), _mm256_set1_epi16(1)));
    }
    static Sums activated(Sums a, Sums b, Sums c, Sums d, int shift) {
        const __m128i by = _mm_cvtsi32_si128(shift);
        const __m256i ab = _mm256_packs_epi32(_mm256_sra_epi32(a, by), _mm256_sra_epi32(b, by));
        const __m256i cd = _mm256_packs_epi32(_mm256_sra_epi32(c, by), _mm256_sra_epi32(d, by));
        const __m256i bytes = _mm256_min_epu8(_mm256_packus_epi16(ab, cd), _mm256_set1_epi8(127));
        const __m256i by_pixel = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,  //
                                                  0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        return _mm256_shuffle_epi8(bytes, by_pixel);
    }
};

}  // namespace

const PatchKernels patch_avx2 = patch_kernels<Avx2>;

}  // namespace salticid
