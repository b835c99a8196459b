// The refinement's kernels for AVX-512.
#include <immintrin.h>

#include "refine_row.h"

namespace salticid {
namespace {

struct Avx512 {
    static constexpr std::size_t pixels = 64;
    using Bytes = __m512i;
    using Words = __m512i;
    using Mask = __mmask32;
    using ByteMask = __mmask64;

    static Bytes load_bytes(const std::uint8_t* from) { return _mm512_loadu_si512(from); }
    static void store_bytes(std::uint8_t* to, Bytes a) { _mm512_storeu_si512(to, a); }
    static Bytes difference(Bytes a, Bytes b) { return _mm512_or_si512(_mm512_subs_epu8(a, b), _mm512_subs_epu8(b, a)); }
    static Bytes add_saturated(Bytes a, Bytes b) { return _mm512_adds_epu8(a, b); }
    static Bytes weight(Bytes apart) {
        const Bytes shifted = _mm512_and_si512(_mm512_srli_epi16(apart, vote_weight_shift), _mm512_set1_epi8(63));
        const __m128i weights = _mm_load_si128(reinterpret_cast<const __m128i*>(vote_weights));
        return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(weights), _mm512_min_epu8(shifted, _mm512_set1_epi8(15)));
    }
    static bool any_zero(Bytes a) { return _mm512_cmpeq_epi8_mask(a, _mm512_setzero_si512()) != 0; }
    static Bytes broadcast_byte(std::uint8_t value) { return _mm512_set1_epi8(static_cast<char>(value)); }
    static Bytes add_bytes(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
    static Bytes average_up(Bytes a, Bytes b) { return _mm512_avg_epu8(a, b); }
    static Bytes average_down(Bytes a, Bytes b) {
        const Bytes odd = _mm512_and_si512(_mm512_xor_si512(a, b), broadcast_byte(1));
        return _mm512_sub_epi8(_mm512_avg_epu8(a, b), odd);
    }
    static Bytes comparable(Bytes a) { return a; }
    static Bytes add_where_less(Bytes sum, Bytes a, Bytes b, Bytes value) {
        return _mm512_mask_add_epi8(sum, _mm512_cmplt_epu8_mask(a, b), sum, value);
    }
    static ByteMask at_most(Bytes a, Bytes b) { return _mm512_cmple_epu8_mask(a, b); }
    static bool any_differ(Bytes a, Bytes b) { return ~_mm512_cmpeq_epi8_mask(a, b) != 0; }
    static Bytes choose_bytes(ByteMask a, Bytes yes, Bytes no) { return _mm512_mask_blend_epi8(a, no, yes); }
    static void widen(Bytes a, Words& low, Words& high) {
        low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(a));
        high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(a, 1));
    }
    static Bytes narrow(Words low, Words high) {
        return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_packus_epi16(low, high));
    }

    static Words load_words(const std::int16_t* from) { return _mm512_loadu_si512(from); }
    static void store_words(std::int16_t* to, Words a) { _mm512_storeu_si512(to, a); }
    static Words broadcast(std::int16_t value) { return _mm512_set1_epi16(value); }
    static Words add(Words a, Words b) { return _mm512_add_epi16(a, b); }
    static Words subtract(Words a, Words b) { return _mm512_sub_epi16(a, b); }
    static Words min(Words a, Words b) { return _mm512_min_epi16(a, b); }
    static Words max(Words a, Words b) { return _mm512_max_epi16(a, b); }
    static Words shifted_left(Words a, int by) { return _mm512_sll_epi16(a, _mm_cvtsi32_si128(by)); }
    static Words shifted_right(Words a, int by) { return _mm512_srl_epi16(a, _mm_cvtsi32_si128(by)); }
    static Words above(Words a, Words b) { return _mm512_sub_epi16(_mm512_max_epi16(a, b), b); }  // 0 where it is not
    static Words up_to_255(Words a) { return _mm512_min_epu16(a, _mm512_set1_epi16(255)); }  // of numbers without a sign

    static Mask less(Words a, Words b) { return _mm512_cmplt_epi16_mask(a, b); }
    static Mask not_above(Words a, int limit) {  // of numbers without a sign
        return _mm512_cmple_epu16_mask(a, broadcast(static_cast<std::int16_t>(limit)));
    }
    static bool any_above(Words a, int limit) { return !all(not_above(a, limit)); }
    static Mask not_zero(const std::uint8_t* from) {
        const Words values = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
        return _mm512_cmpgt_epi16_mask(values, _mm512_setzero_si512());
    }
    static Bytes bytes_of(Mask low, Mask high) {  // 1 where it is so
        return _mm512_maskz_set1_epi8(__mmask64{high} << 32 | low, 1);
    }
    static Mask either(Mask a, Mask b) { return a | b; }
    static bool all(Mask a) { return a == Mask{0xffffffff}; }
    static Words choose(Mask a, Words yes, Words no) { return _mm512_mask_blend_epi16(a, no, yes); }
};

}  // namespace

const RefineKernels refine_avx512 = refine_kernels<Avx512>;

}  // namespace salticid
