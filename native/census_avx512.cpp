// The census kernels for AVX-512 as of Ice Lake and Zen 4: 64 pixels at a time.
#include <immintrin.h>

#include "census_row.h"
#include "weave.h"

namespace salticid {
namespace {

struct Avx512 {
    static constexpr std::size_t lanes = 64;
    using Bytes = __m512i;

    static Bytes zero() { return _mm512_setzero_si512(); }
    static Bytes load(const std::int8_t* pixels) { return _mm512_loadu_si512(pixels); }
    static void store_bytes(std::uint8_t* bytes, Bytes a) { _mm512_storeu_si512(bytes, a); }

    template <int BIT>
    static Bytes set_if_less(Bytes bits, Bytes neighbor, Bytes center) {
        const __mmask64 less = _mm512_cmplt_epi8_mask(neighbor, center);
        return _mm512_mask_add_epi8(bits, less, bits, _mm512_set1_epi8(static_cast<char>(1 << BIT)));
    }

    static Bytes low_bytes(Bytes a, Bytes b) { return _mm512_unpacklo_epi8(a, b); }
    static Bytes high_bytes(Bytes a, Bytes b) { return _mm512_unpackhi_epi8(a, b); }
    static Bytes low_pairs(Bytes a, Bytes b) { return _mm512_unpacklo_epi16(a, b); }
    static Bytes high_pairs(Bytes a, Bytes b) { return _mm512_unpackhi_epi16(a, b); }
    static Bytes low_fours(Bytes a, Bytes b) { return _mm512_unpacklo_epi32(a, b); }
    static Bytes high_fours(Bytes a, Bytes b) { return _mm512_unpackhi_epi32(a, b); }

    template <class... EightBytes>
    static void weave(std::uint64_t* words, EightBytes... bytes) {
        weave_words<Avx512>(words, bytes...);
    }

    // Lane n of `a` and `b` holds the words 16 n to 16 n + 3.
    static void store(std::uint64_t* words, Bytes a, Bytes b) {
        const Bytes lanes_01 = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), b);
        const Bytes lanes_23 = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), b);
        store_halves(words, lanes_01);
        store_halves(words + 32, lanes_23);
    }

    static void store_halves(std::uint64_t* words, Bytes halves) {
        const __m256i high = _mm512_extracti64x4_epi64(halves, 1);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), _mm512_castsi512_si256(halves));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 16), high);
    }
};

}  // namespace

const CensusKernels census_avx512 = census_kernels<Avx512>;

}  // namespace salticid
