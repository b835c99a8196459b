// The census kernels for AVX2: 32 pixels at a time.
#include <immintrin.h>

#include "census_row.h"
#include "weave.h"

namespace salticid {
namespace {

struct Avx2 {
    static constexpr std::size_t lanes = 32;
    using Bytes = __m256i;

    static Bytes zero() { return _mm256_setzero_si256(); }
    static Bytes load(const std::int8_t* pixels) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
    }
    static void store_bytes(std::uint8_t* bytes, Bytes a) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), a);
    }

    template <int BIT>
    static Bytes set_if_less(Bytes bits, Bytes neighbor, Bytes center) {
        const Bytes bit = _mm256_set1_epi8(static_cast<char>(1 << BIT));
        return _mm256_or_si256(bits, _mm256_and_si256(_mm256_cmpgt_epi8(center, neighbor), bit));
    }

    static Bytes low_bytes(Bytes a, Bytes b) { return _mm256_unpacklo_epi8(a, b); }
    static Bytes high_bytes(Bytes a, Bytes b) { return _mm256_unpackhi_epi8(a, b); }
    static Bytes low_pairs(Bytes a, Bytes b) { return _mm256_unpacklo_epi16(a, b); }
    static Bytes high_pairs(Bytes a, Bytes b) { return _mm256_unpackhi_epi16(a, b); }
    static Bytes low_fours(Bytes a, Bytes b) { return _mm256_unpacklo_epi32(a, b); }
    static Bytes high_fours(Bytes a, Bytes b) { return _mm256_unpackhi_epi32(a, b); }

    template <class... EightBytes>
    static void weave(std::uint64_t* words, EightBytes... bytes) {
        weave_words<Avx2>(words, bytes...);
    }

    // Lane n of `a` and `b` holds the words 16 n to 16 n + 3.
    static void store(std::uint64_t* words, Bytes a, Bytes b) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), _mm256_permute2x128_si256(a, b, 0x20));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 16), _mm256_permute2x128_si256(a, b, 0x31));
    }
};

}  // namespace

const CensusKernels census_avx2 = census_kernels<Avx2>;

}  // namespace salticid
