// Vectors of 32 disparities, for AVX2; what comes later shares most of it.
#pragma once

#include <immintrin.h>

#include "sgm_vector.h"

namespace salticid {
namespace {

struct Avx2 {
    static constexpr std::size_t lanes = 32;
    using Bytes = __m256i;

    static Bytes zero() { return _mm256_setzero_si256(); }
    static Bytes all_ones() { return _mm256_set1_epi8(-1); }
    static Bytes broadcast(std::uint8_t value) { return _mm256_set1_epi8(static_cast<char>(value)); }
    static Bytes load(const std::uint8_t* bytes) { return _mm256_load_si256(reinterpret_cast<const Bytes*>(bytes)); }
    static Bytes load_any(const std::uint8_t* bytes) {
        return _mm256_loadu_si256(reinterpret_cast<const Bytes*>(bytes));
    }
    static void store(std::uint8_t* bytes, Bytes a) { _mm256_store_si256(reinterpret_cast<Bytes*>(bytes), a); }
    static void store_any(std::uint8_t* bytes, Bytes a) { _mm256_storeu_si256(reinterpret_cast<Bytes*>(bytes), a); }
    static void store_past_cache(std::uint8_t* bytes, Bytes a) {
        _mm256_stream_si256(reinterpret_cast<Bytes*>(bytes), a);
    }

    static Bytes add(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
    static Bytes add_saturated(Bytes a, Bytes b) { return _mm256_adds_epu8(a, b); }
    static Bytes subtract(Bytes a, Bytes b) { return _mm256_sub_epi8(a, b); }
    static Bytes subtract_saturated(Bytes a, Bytes b) { return _mm256_subs_epu8(a, b); }
    static Bytes min(Bytes a, Bytes b) { return _mm256_min_epu8(a, b); }
    static Bytes max(Bytes a, Bytes b) { return _mm256_max_epu8(a, b); }
    static Bytes average(Bytes a, Bytes b) { return _mm256_avg_epu8(a, b); }
    static Bytes difference(Bytes a, Bytes b) { return subtract(max(a, b), min(a, b)); }
    static Bytes exclusive_or(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
    static Bytes popcount(Bytes a) {
        const Bytes of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                                 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        const Bytes nibble = _mm256_set1_epi8(15);
        const Bytes low = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(a, nibble));
        const Bytes high = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(_mm256_srli_epi16(a, 4), nibble));
        return add(low, high);
    }

    // Lane i becomes lane i - 1 of `here`; lane 0 is the last of `below`.
    static Bytes from_below(Bytes below, Bytes here) {
        return _mm256_alignr_epi8(here, _mm256_permute2x128_si256(below, here, 0x21), 15);
    }
    // Lane i becomes lane i + 1 of `here`; the last is lane 0 of `above`.
    static Bytes from_above(Bytes here, Bytes above) {
        return _mm256_alignr_epi8(_mm256_permute2x128_si256(here, above, 0x21), here, 1);
    }

    // The smallest lane of each vector, in as many bytes from the lowest on.
    static __m128i minima_of_2(Bytes a, Bytes b) {
        const __m128i pairs = fold(min(_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)));
        const __m128i two = _mm_min_epu8(pairs, _mm_srli_epi64(pairs, 32));
        return _mm_min_epu8(two, _mm_srli_epi64(two, 16));
    }
    static __m128i minima_of_4(Bytes a, Bytes b, Bytes c, Bytes d) {
        const Bytes ab = min(_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
        const Bytes cd = min(_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d));
        const __m128i fours = fold(min(_mm256_unpacklo_epi16(ab, cd), _mm256_unpackhi_epi16(ab, cd)));
        return _mm_min_epu8(fours, _mm_srli_epi64(fours, 32));
    }
    static Bytes broadcast_first(__m128i minima) { return _mm256_broadcastb_epi8(minima); }
    static void store_minima(std::uint8_t* to, __m128i minima) {
        const int four = _mm_cvtsi128_si32(minima);
        std::memcpy(to, &four, sizeof four);
    }

    // (cost << SHIFT) + a + b, in 16 bits. Up to a shift of 2, as many paths as that stands for let a + b fit a byte.
    template <int SHIFT>
    static void store_sums(std::uint16_t* sums, Bytes cost, Bytes a, Bytes b) {
        const Bytes weights = _mm256_set1_epi16(1 | 256 << SHIFT);
        if constexpr (SHIFT <= 2) a = add(a, b);
        a = halves_apart(a), cost = halves_apart(cost);
        Bytes first = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, cost), weights);
        Bytes second = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, cost), weights);
        if constexpr (SHIFT > 2) {
            first = _mm256_add_epi16(first, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(b)));
            second = _mm256_add_epi16(second, _mm256_cvtepu8_epi16(_mm256_extracti128_si256(b, 1)));
        }
        store_words(sums, first);
        store_words(sums + 16, second);
    }

    static std::uint16_t minimum_of_sums(const std::uint16_t* sums, std::size_t count) {
        Bytes least = all_ones();
        for (std::size_t d = 0; d < count; d += 16) least = _mm256_min_epu16(least, load_words(sums + d));
        return smallest_sum(least);
    }

    static std::uint32_t equal_sums(const std::uint16_t* sums, std::uint16_t value) {
        const Bytes wanted = _mm256_set1_epi16(static_cast<short>(value));
        const Bytes first = _mm256_cmpeq_epi16(load_words(sums), wanted);
        const Bytes second = _mm256_cmpeq_epi16(load_words(sums + 16), wanted);
        const Bytes bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0xd8);
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
    }

private:
    // Puts the first 16 bytes where unpacklo looks for them, the others where unpackhi does.
    static Bytes halves_apart(Bytes a) { return _mm256_permute4x64_epi64(a, 0xd8); }
    static Bytes load_words(const std::uint16_t* words) {
        return _mm256_load_si256(reinterpret_cast<const Bytes*>(words));
    }
    static void store_words(std::uint16_t* words, Bytes a) { _mm256_store_si256(reinterpret_cast<Bytes*>(words), a); }

    // The smaller of bytes 8 apart, of both lanes of 128 bits; the lower half counts.
    static __m128i fold(Bytes a) {
        const __m128i half = _mm_min_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        return _mm_min_epu8(half, _mm_unpackhi_epi64(half, half));
    }

    static std::uint16_t smallest_sum(Bytes a) {
        const __m128i half = _mm_min_epu16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        return static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(half)));
    }
};

}  // namespace
}  // namespace salticid
