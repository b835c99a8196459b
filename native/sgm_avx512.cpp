// Semi-global matching for AVX-512 as of Ice Lake and Zen 4 (F, BW, VL, VBMI, BITALG): 64 disparities at a time.
#include <immintrin.h>

#include "sgm_vector.h"

namespace salticid {
namespace {

struct Avx512 {
    static constexpr std::size_t lanes = 64;
    using Bytes = __m512i;

    static Bytes zero() { return _mm512_setzero_si512(); }
    static Bytes all_ones() { return _mm512_set1_epi8(-1); }
    static Bytes broadcast(std::uint8_t value) { return _mm512_set1_epi8(static_cast<char>(value)); }
    static Bytes load(const std::uint8_t* bytes) { return _mm512_load_si512(bytes); }
    static Bytes load_any(const std::uint8_t* bytes) { return _mm512_loadu_si512(bytes); }
    static void store(std::uint8_t* bytes, Bytes a) { _mm512_store_si512(bytes, a); }
    static void store_any(std::uint8_t* bytes, Bytes a) { _mm512_storeu_si512(bytes, a); }
    static void store_past_cache(std::uint8_t* bytes, Bytes a) {
        _mm512_stream_si512(reinterpret_cast<__m512i*>(bytes), a);
    }

    static Bytes add(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
    static Bytes add_saturated(Bytes a, Bytes b) { return _mm512_adds_epu8(a, b); }
    static Bytes subtract(Bytes a, Bytes b) { return _mm512_sub_epi8(a, b); }
    static Bytes subtract_saturated(Bytes a, Bytes b) { return _mm512_subs_epu8(a, b); }
    static Bytes min(Bytes a, Bytes b) { return _mm512_min_epu8(a, b); }
    static Bytes max(Bytes a, Bytes b) { return _mm512_max_epu8(a, b); }
    static Bytes average(Bytes a, Bytes b) { return _mm512_avg_epu8(a, b); }
    static Bytes difference(Bytes a, Bytes b) { return subtract(max(a, b), min(a, b)); }
    static Bytes exclusive_or(Bytes a, Bytes b) { return _mm512_xor_si512(a, b); }
    static Bytes popcount(Bytes a) { return _mm512_popcnt_epi8(a); }

    // Lane i becomes lane i - 1 of `here`; lane 0 is the last of `below`.
    static Bytes from_below(Bytes below, Bytes here) { return _mm512_permutex2var_epi8(below, lanes_from(63), here); }
    // Lane i becomes lane i + 1 of `here`; the last is lane 0 of `above`.
    static Bytes from_above(Bytes here, Bytes above) { return _mm512_permutex2var_epi8(here, lanes_from(1), above); }

    // The smallest lane of each vector, in as many bytes from the lowest on.
    static __m128i minima_of_2(Bytes a, Bytes b) {
        const __m128i pairs = fold(min(_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)));
        const __m128i two = _mm_min_epu8(pairs, _mm_srli_epi64(pairs, 32));
        return _mm_min_epu8(two, _mm_srli_epi64(two, 16));
    }
    static __m128i minima_of_4(Bytes a, Bytes b, Bytes c, Bytes d) {
        const Bytes ab = min(_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
        const Bytes cd = min(_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
        const __m128i fours = fold(min(_mm512_unpacklo_epi16(ab, cd), _mm512_unpackhi_epi16(ab, cd)));
        return _mm_min_epu8(fours, _mm_srli_epi64(fours, 32));
    }
    static Bytes broadcast_first(__m128i minima) { return _mm512_broadcastb_epi8(minima); }
    static void store_minima(std::uint8_t* to, __m128i minima) {
        const int four = _mm_cvtsi128_si32(minima);
        std::memcpy(to, &four, sizeof four);
    }

    // (cost << SHIFT) + a + b, in 16 bits. Up to a shift of 2, as many paths as that stands for let a + b fit a byte.
    template <int SHIFT>
    static void store_sums(std::uint16_t* sums, Bytes cost, Bytes a, Bytes b) {
        const Bytes weights = _mm512_set1_epi16(1 | 256 << SHIFT);
        if constexpr (SHIFT <= 2) a = add(a, b);
        a = halves_apart(a), cost = halves_apart(cost);
        Bytes first = _mm512_maddubs_epi16(_mm512_unpacklo_epi8(a, cost), weights);
        Bytes second = _mm512_maddubs_epi16(_mm512_unpackhi_epi8(a, cost), weights);
        if constexpr (SHIFT > 2) {
            first = _mm512_add_epi16(first, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(b)));
            second = _mm512_add_epi16(second, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(b, 1)));
        }
        _mm512_store_si512(sums, first);
        _mm512_store_si512(sums + 32, second);
    }

    static std::uint16_t minimum_of_sums(const std::uint16_t* sums, std::size_t count) {
        Bytes least = all_ones();
        for (std::size_t d = 0; d < count; d += 32) least = _mm512_min_epu16(least, _mm512_load_si512(sums + d));
        return smallest_sum(least);
    }

    static std::uint32_t equal_sums(const std::uint16_t* sums, std::uint16_t value) {
        return _mm512_cmpeq_epi16_mask(_mm512_load_si512(sums), _mm512_set1_epi16(static_cast<short>(value)));
    }

private:
    // The numbers from `first` on, as lanes of two vectors.
    static Bytes lanes_from(std::uint8_t first) {
        alignas(64) std::uint8_t lane[lanes];
        for (std::size_t i = 0; i < lanes; ++i) lane[i] = static_cast<std::uint8_t>(first + i);
        return load(lane);
    }

    // Puts the first 32 bytes where unpacklo looks for them, the others where unpackhi does.
    static Bytes halves_apart(Bytes a) {
        return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), a);
    }

    // The smaller of bytes 8 apart, of all lanes of 128 bits; the lower half counts.
    static __m128i fold(Bytes a) {
        const __m256i half = _mm256_min_epu8(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
        const __m128i quarter = _mm_min_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        return _mm_min_epu8(quarter, _mm_unpackhi_epi64(quarter, quarter));
    }

    static std::uint16_t smallest_sum(Bytes a) {
        const __m256i half = _mm256_min_epu16(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
        const __m128i quarter = _mm_min_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        return static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(quarter)));
    }
};

}  // namespace

const SgmKernels sgm_avx512 = sgm_kernels<Avx512>;

}  // namespace salticid
