// Vectors of 32-bit numbers, of any length, for the rows of a map.
//
// The vectors are those of GCC and Clang: arithmetic, comparisons and `mask ? a : b` work lane by lane.
//
// Everything here has internal linkage, and nothing of the standard library that makes code is used: a function that
// the linker merges across files would carry one instruction set into the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace salticid {
namespace {

template <std::size_t BYTES>
struct Vector {
    static constexpr std::size_t lanes = BYTES / sizeof(float);
    typedef float Floats __attribute__((vector_size(BYTES)));
    typedef std::int32_t Ints __attribute__((vector_size(BYTES)));  // also a mask: -1 or 0
    typedef std::int16_t Shorts __attribute__((vector_size(BYTES / 2)));
    typedef std::uint8_t Bytes __attribute__((vector_size(BYTES / 4)));
};

template <class V>
typename V::Floats broadcast(float value) {
    return typename V::Floats{} + value;
}

template <class Lanes>
Lanes load(const void* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

template <class Lanes>
void store(void* to, Lanes lanes) {
    std::memcpy(to, &lanes, sizeof lanes);
}

// The lanes from `count` on are nan.
template <class V>
typename V::Floats load_part(const float* from, std::size_t count) {
    if (count >= V::lanes) return load<typename V::Floats>(from);
    auto values = broadcast<V>(__builtin_nanf(""));
    std::memcpy(&values, from, count * sizeof *from);
    return values;
}

// Writes no lane from `count` on.
template <class V>
void store_part(float* to, typename V::Floats values, std::size_t count) {
    if (count >= V::lanes) return store(to, values);
    const auto part = values;
    std::memcpy(to, &part, count * sizeof *to);
}

template <class V>
typename V::Ints known(typename V::Floats disparity) {
    return (load<typename V::Ints>(&disparity) & 0x7fffffff) < 0x7f800000;  // neither infinite nor nan
}

}  // namespace
}  // namespace salticid
