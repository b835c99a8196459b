// The vectors of the plain network for AVX2: 8 outputs in each.
//
// Everything here has internal linkage: see lanes.h.
#pragma once

#include <immintrin.h>

#include "plain_net_row.h"

namespace salticid {

// Two rows of a convolution at once, in tiles; a pointer, because a file for one CPU gives away data alone.
extern void (*const plain_net_tiles_avx2)(const ConvolvedRows& rows);

namespace {

struct Avx2 {
    static constexpr std::size_t lanes = 8, vectors = 2, pixels = 4;
    static constexpr std::int32_t lowered = 0;
    static constexpr WeightOrder order = WeightOrder::by_output;
    using Sums = __m256i;
    struct Weights {
        const std::int8_t* from;
        __m256i loaded;
    };
    using Inputs = __m256i;

    static Sums load_sums(const std::int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const Sums*>(from)); }
    static Weights load_weights(const std::int8_t* from) {
        return {from, _mm256_load_si256(reinterpret_cast<const __m256i*>(from))};
    }
    static Inputs broadcast(const std::uint8_t* from) {
        std::int32_t four;
        std::memcpy(&four, from, sizeof four);
        return _mm256_set1_epi32(four);
    }
    // First all products, then the sums: so that no multiplier waits for another. The last weights are loaded anew for
    // every pixel, for want of a register.
    template <std::size_t VECTORS>
    static void add(Sums (&sums)[VECTORS], Inputs one, Inputs other, const Weights (&for_one)[VECTORS],
                    const Weights (&for_other)[VECTORS]) {
        __m256i pairs[VECTORS], more[VECTORS];
        for (std::size_t v = 0; v < VECTORS; ++v) pairs[v] = _mm256_maddubs_epi16(one, for_one[v].loaded);
        for (std::size_t v = 0; v + 1 < VECTORS; ++v) more[v] = _mm256_maddubs_epi16(other, for_other[v].loaded);
        const std::int8_t* last = for_other[VECTORS - 1].from;
        asm("" : "+r"(last));
        more[VECTORS - 1] = _mm256_maddubs_epi16(other, _mm256_load_si256(reinterpret_cast<const __m256i*>(last)));
        for (std::size_t v = 0; v < VECTORS; ++v) pairs[v] = _mm256_add_epi16(pairs[v], more[v]);
        for (std::size_t v = 0; v < VECTORS; ++v) pairs[v] = _mm256_madd_epi16(pairs[v], _mm256_set1_epi16(1));
        for (std::size_t v = 0; v < VECTORS; ++v) sums[v] = _mm256_add_epi32(sums[v], pairs[v]);
    }

    static __m256i rounded(Sums sums, const float* multiplier) {
        return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(multiplier)));
    }
    static void store(std::uint8_t* to, const Sums (&sums)[1], const float* multiplier) {
        const __m256i wide = rounded(sums[0], multiplier);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
    }
    static void store(std::uint8_t* to, const Sums (&sums)[2], const float* multiplier) {
        const __m256i words = _mm256_packs_epi32(rounded(sums[0], multiplier), rounded(sums[1], multiplier + 8));
        const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
        const __m128i bytes = _mm_packus_epi16(low, high);  // outputs 0 to 3, 8 to 11, 4 to 7, 12 to 15
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi32(bytes, _MM_SHUFFLE(3, 1, 2, 0)));
    }
};

}  // namespace
}  // namespace salticid
