// The plain network for AVX-512 with VNNI: 8 pixels and up to 48 outputs at a time.
#include <immintrin.h>

#include <cstring>

#include "plain_net_row.h"

namespace salticid {
namespace {

struct Avx512 {
    static constexpr std::size_t lanes = 16, vectors = 3, pixels = 8;
    static constexpr std::int32_t lowered = 0;
    static constexpr WeightOrder order = WeightOrder::by_output;
    using Sums = __m512i;
    using Weights = __m512i;
    using Inputs = __m512i;

    static Sums load_sums(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    static Weights load_weights(const std::int8_t* from) { return _mm512_loadu_si512(from); }
    static Inputs broadcast(const std::uint8_t* from) {
        std::int32_t four;
        std::memcpy(&four, from, sizeof four);
        return _mm512_set1_epi32(four);
    }
    template <std::size_t VECTORS>
    static void add(Sums (&sums)[VECTORS], Inputs one, Inputs other, const Weights (&for_one)[VECTORS],
                    const Weights (&for_other)[VECTORS]) {
        for (std::size_t v = 0; v < VECTORS; ++v) sums[v] = dot(dot(sums[v], one, for_one[v]), other, for_other[v]);
    }
    static Sums dot(Sums sum, Inputs inputs, Weights weights) {
#ifdef __AVX512VNNI__
        // What GCC makes of the intrinsic copies every sum twice around a loop.
        asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(inputs), "v"(weights));
        return sum;
#else
        return _mm512_dpbusd_epi32(sum, inputs, weights);
#endif
    }

    template <std::size_t VECTORS>
    static void store(std::uint8_t* to, const Sums (&sums)[VECTORS], const float* multiplier) {
        for (std::size_t v = 0; v < VECTORS; ++v) {
            const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]), _mm512_loadu_ps(multiplier + v * lanes));
            const __m512i whole = _mm512_max_epi32(_mm512_cvtps_epi32(scaled), _mm512_setzero_si512());
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + v * lanes), _mm512_cvtusepi32_epi8(whole));
        }
    }
};

}  // namespace

const PlainNetKernels plain_net_avx512 = plain_net_kernels<Avx512>;

}  // namespace salticid
