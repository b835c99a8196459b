// The refinement's kernels for AVX2.
#include <immintrin.h>

#include "refine_row.h"

namespace salticid {
namespace {

struct Avx2 {
    static constexpr std::size_t pixels = 32;
    using Bytes = __m256i;
    using Words = __m256i;
    using Mask = __m256i;
    using ByteMask = __m256i;

    static Bytes load_bytes(const std::uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const Bytes*>(from)); }
    static void store_bytes(std::uint8_t* to, Bytes a) { _mm256_storeu_si256(reinterpret_cast<Bytes*>(to), a); }
    static Bytes difference(Bytes a, Bytes b) { return _mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)); }
    static Bytes add_saturated(Bytes a, Bytes b) { return _mm256_adds_epu8(a, b); }
    static Bytes weight(Bytes apart) {
        const Bytes shifted = _mm256_and_si256(_mm256_srli_epi16(apart, vote_weight_shift), _mm256_set1_epi8(63));
        const __m128i weights = _mm_load_si128(reinterpret_cast<const __m128i*>(vote_weights));
        return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(weights),
                                   _mm256_min_epu8(shifted, _mm256_set1_epi8(15)));
    }
    static bool any_zero(Bytes a) { return _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, _mm256_setzero_si256())) != 0; }
    static Bytes broadcast_byte(std::uint8_t value) { return _mm256_set1_epi8(static_cast<char>(value)); }
    static Bytes add_bytes(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
    static Bytes average_up(Bytes a, Bytes b) { return _mm256_avg_epu8(a, b); }
    static Bytes average_down(Bytes a, Bytes b) {
        const Bytes odd = _mm256_and_si256(_mm256_xor_si256(a, b), broadcast_byte(1));
        return _mm256_sub_epi8(_mm256_avg_epu8(a, b), odd);
    }
    static Bytes comparable(Bytes a) { return _mm256_xor_si256(a, broadcast_byte(128)); }  // there are signed ones only
    static Bytes add_where_less(Bytes sum, Bytes a, Bytes b, Bytes value) {
        return _mm256_add_epi8(sum, _mm256_and_si256(_mm256_cmpgt_epi8(b, a), value));
    }
    static ByteMask at_most(Bytes a, Bytes b) { return _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), b); }
    static bool any_differ(Bytes a, Bytes b) { return _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) != -1; }
    static Bytes choose_bytes(ByteMask a, Bytes yes, Bytes no) { return _mm256_blendv_epi8(no, yes, a); }
    static void widen(Bytes a, Words& low, Words& high) {
        low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(a));
        high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(a, 1));
    }
    static Bytes narrow(Words low, Words high) {
        return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xD8);
    }

    static Words load_words(const std::int16_t* from) { return _mm256_loadu_si256(reinterpret_cast<const Words*>(from)); }
    static void store_words(std::int16_t* to, Words a) { _mm256_storeu_si256(reinterpret_cast<Words*>(to), a); }
    static Words broadcast(std::int16_t value) { return _mm256_set1_epi16(value); }
    static Words add(Words a, Words b) { return _mm256_add_epi16(a, b); }
    static Words subtract(Words a, Words b) { return _mm256_sub_epi16(a, b); }
    static Words min(Words a, Words b) { return _mm256_min_epi16(a, b); }
    static Words max(Words a, Words b) { return _mm256_max_epi16(a, b); }
    static Words shifted_left(Words a, int by) { return _mm256_sll_epi16(a, _mm_cvtsi32_si128(by)); }
    static Words shifted_right(Words a, int by) { return _mm256_srl_epi16(a, _mm_cvtsi32_si128(by)); }
    static Words above(Words a, Words b) { return _mm256_sub_epi16(_mm256_max_epi16(a, b), b); }  // 0 where it is not
    static Words up_to_255(Words a) { return _mm256_min_epu16(a, _mm256_set1_epi16(255)); }  // of numbers without a sign

    static Mask less(Words a, Words b) { return _mm256_cmpgt_epi16(b, a); }
    static Mask not_above(Words a, int limit) {  // of numbers without a sign
        const Words above = _mm256_subs_epu16(a, broadcast(static_cast<std::int16_t>(limit)));
        return _mm256_cmpeq_epi16(above, _mm256_setzero_si256());
    }
    static bool any_above(Words a, int limit) { return !all(not_above(a, limit)); }
    static Mask not_zero(const std::uint8_t* from) {
        const Words values = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
        return _mm256_cmpgt_epi16(values, _mm256_setzero_si256());
    }
    static Bytes bytes_of(Mask low, Mask high) {  // 1 where it is so
        const Bytes mixed = _mm256_packs_epi16(low, high);
        return _mm256_and_si256(_mm256_permute4x64_epi64(mixed, 0xD8), _mm256_set1_epi8(1));
    }
    static Mask either(Mask a, Mask b) { return _mm256_or_si256(a, b); }
    static bool all(Mask a) { return _mm256_movemask_epi8(a) == -1; }
    static Words choose(Mask a, Words yes, Words no) { return _mm256_blendv_epi8(no, yes, a); }
};

}  // namespace

const RefineKernels refine_avx2 = refine_kernels<Avx2>;

}  // namespace salticid
