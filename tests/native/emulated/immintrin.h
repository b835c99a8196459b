// The intrinsics of x86 in plain C, by SIMDe, for CPUs that lack some of them; and what its version 0.7.4 leaves out.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

#include <cmath>

using __mmask32 = simde__mmask32;
using __mmask64 = simde__mmask64;

inline void _mm512_stream_si512(__m512i* to, __m512i a) { _mm512_store_si512(to, a); }

inline simde__mmask32 _mm512_cmpeq_epi16_mask(__m512i a, __m512i b) {
    const simde__m512i_private one = simde__m512i_to_private(a), other = simde__m512i_to_private(b);
    simde__mmask32 equal = 0;
    for (int i = 0; i < 32; ++i) equal |= simde__mmask32{one.i16[i] == other.i16[i]} << i;
    return equal;
}

inline __m512i _mm512_cvtepu8_epi16(__m256i a) {
    const simde__m256i_private from = simde__m256i_to_private(a);
    simde__m512i_private to;
    for (int i = 0; i < 32; ++i) to.u16[i] = from.u8[i];
    return simde__m512i_from_private(to);
}

inline simde__mmask32 _mm512_cmpgt_epi16_mask(__m512i a, __m512i b) {
    const simde__m512i_private one = simde__m512i_to_private(a), other = simde__m512i_to_private(b);
    simde__mmask32 greater = 0;
    for (int i = 0; i < 32; ++i) greater |= simde__mmask32{one.i16[i] > other.i16[i]} << i;
    return greater;
}

inline simde__mmask32 _mm512_cmplt_epi16_mask(__m512i a, __m512i b) { return _mm512_cmpgt_epi16_mask(b, a); }

inline __m512i _mm512_srav_epi32(__m512i a, __m512i by) {
    const simde__m512i_private from = simde__m512i_to_private(a), bits = simde__m512i_to_private(by);
    simde__m512i_private to;
    for (int i = 0; i < 16; ++i) to.i32[i] = from.i32[i] >> bits.i32[i];
    return simde__m512i_from_private(to);
}

inline __m512 _mm512_cvtepi32_ps(__m512i a) {
    const simde__m512i_private from = simde__m512i_to_private(a);
    simde__m512_private to;
    for (int i = 0; i < 16; ++i) to.f32[i] = static_cast<float>(from.i32[i]);
    return simde__m512_from_private(to);
}

inline __m512i _mm512_cvtps_epi32(__m512 a) {
    const simde__m512_private from = simde__m512_to_private(a);
    simde__m512i_private to;
    for (int i = 0; i < 16; ++i) to.i32[i] = static_cast<int>(std::nearbyint(from.f32[i]));
    return simde__m512i_from_private(to);
}

inline __m128i _mm512_cvtusepi32_epi8(__m512i a) {
    const simde__m512i_private from = simde__m512i_to_private(a);
    simde__m128i_private to;
    for (int i = 0; i < 16; ++i) to.u8[i] = static_cast<unsigned char>(from.u32[i] < 255 ? from.u32[i] : 255);
    return simde__m128i_from_private(to);
}
