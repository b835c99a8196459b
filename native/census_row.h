// The census of one row, written once and compiled for every instruction set.
//
// A code is built byte by byte: eight neighbors make one byte of the codes of V::lanes pixels at a time, and V then
// weaves the eight vectors of bytes into 64-bit codes. V is the vector type of the file that includes this one.
//
// Everything here has internal linkage, and nothing of the standard library that makes code is used: a function that
// the linker merges across files would carry one instruction set into the others.
#pragma once

#include <cstring>
#include <utility>

#include "census.h"

namespace salticid {
namespace {

template <int WIDTH, int HEIGHT>
struct Window {
    static constexpr int neighbors = WIDTH * HEIGHT - 1;
    static constexpr std::size_t radius_x = WIDTH / 2;
    static constexpr int bytes = (neighbors + 7) / 8;
    static constexpr int center_row = HEIGHT / 2;

    // The neighbor whose comparison is bit `bit` of the code: row by row, the first in the most significant bit.
    static constexpr int place(int bit) {
        const int index = neighbors - 1 - bit;
        return index < neighbors / 2 ? index : index + 1;  // the center is no neighbor
    }
    static constexpr int row(int bit) { return place(bit) / WIDTH; }
    static constexpr int dx(int bit) { return place(bit) % WIDTH - WIDTH / 2; }

    static constexpr int bits_in(int byte) { return neighbors < 8 * byte + 8 ? neighbors - 8 * byte : 8; }
};

// The neighbors whose distances from the center in x and in y add up to an odd number: every second field of the window,
// as on a board.
template <int WIDTH, int HEIGHT>
struct Checkered {
    static_assert(WIDTH % 2 == 1 && HEIGHT % 2 == 1);  // fields then differ by turns along the rows, read one by one
    static constexpr int first = (WIDTH * HEIGHT / 2 + 1) % 2;
    static constexpr int neighbors = (WIDTH * HEIGHT + 1 - first) / 2;
    static constexpr std::size_t radius_x = WIDTH / 2;
    static constexpr int bytes = (neighbors + 7) / 8;
    static constexpr int center_row = HEIGHT / 2;

    static constexpr int place(int bit) { return first + 2 * (neighbors - 1 - bit); }
    static constexpr int row(int bit) { return place(bit) / WIDTH; }
    static constexpr int dx(int bit) { return place(bit) % WIDTH - WIDTH / 2; }

    static constexpr int bits_in(int byte) { return neighbors < 8 * byte + 8 ? neighbors - 8 * byte : 8; }
};

// The same neighbors in an image whose columns are reversed.
template <class W>
struct Mirrored : W {
    static constexpr int dx(int bit) { return -W::dx(bit); }
};

template <class V, class W, int BYTE, int... BIT>
typename V::Bytes compare(const std::int8_t* const* rows, std::size_t x, typename V::Bytes center,
                          std::integer_sequence<int, BIT...>) {
    typename V::Bytes byte = V::zero();
    ((byte = V::template set_if_less<BIT>(byte, V::load(rows[W::row(8 * BYTE + BIT)] + x + W::dx(8 * BYTE + BIT)),
                                          center)),
     ...);
    return byte;
}

template <class V, class W, int BYTE>
typename V::Bytes byte_of_code(const std::int8_t* const* rows, std::size_t x, typename V::Bytes center) {
    if constexpr (BYTE < W::bytes)
        return compare<V, W, BYTE>(rows, x, center, std::make_integer_sequence<int, W::bits_in(BYTE)>());
    else
        return V::zero();
}

template <class V, class W, int... BYTE>
void census_block(const std::int8_t* const* rows, std::size_t x, std::uint64_t* codes,
                  std::integer_sequence<int, BYTE...>) {
    const typename V::Bytes center = V::load(rows[W::center_row] + x);
    V::weave(codes, byte_of_code<V, W, BYTE>(rows, x, center)...);
}

template <class V, class W>
void census_row(const std::int8_t* const* rows, std::size_t width, std::uint64_t* codes) {
    static_assert(V::lanes + W::radius_x <= census_margin);
    constexpr auto bytes = std::make_integer_sequence<int, 8>();
    std::size_t x = 0;
    for (; x + V::lanes <= width; x += V::lanes) census_block<V, W>(rows, x, codes + x, bytes);
    if (x == width) return;
    std::uint64_t rest[V::lanes];
    census_block<V, W>(rows, x, rest, bytes);
    std::memcpy(codes + x, rest, (width - x) * sizeof rest[0]);
}

template <class V, class W, int... BYTE>
void store_planes(const std::int8_t* const* rows, std::size_t x, std::uint8_t* planes, std::size_t stride,
                  std::integer_sequence<int, BYTE...>) {
    const typename V::Bytes center = V::load(rows[W::center_row] + x);
    (V::store_bytes(planes + BYTE * stride + x, byte_of_code<V, W, BYTE>(rows, x, center)), ...);
}

template <class V, class W>
void census_planes(const std::int8_t* const* rows, std::size_t width, std::uint8_t* planes, std::size_t stride) {
    for (std::size_t x = 0; x < width; x += V::lanes)
        store_planes<V, W>(rows, x, planes, stride, std::make_integer_sequence<int, W::bytes>());
}

template <class V>
std::uint64_t compare_only(const std::int8_t* pixels, std::size_t count) {
    const auto a = V::load(pixels), b = V::load(pixels + V::lanes);
    auto less_a = V::zero(), less_b = V::zero(), less_c = V::zero(), less_d = V::zero();
    for (std::size_t done = 0; done < count; done += 4 * V::lanes) {
        const auto neighbor = V::load(pixels + done / 4 % 1024);
        less_a = V::template set_if_less<0>(less_a, neighbor, a);
        less_b = V::template set_if_less<1>(less_b, neighbor, b);
        less_c = V::template set_if_less<2>(less_c, a, neighbor);
        less_d = V::template set_if_less<3>(less_d, b, neighbor);
    }
    std::uint64_t codes[V::lanes];
    V::weave(codes, less_a, less_b, less_c, less_d, less_a, less_b, less_c, less_d);
    return codes[0];
}

template <class V>
constexpr CensusKernels census_kernels = {census_row<V, Window<5, 5>>,
                                          census_row<V, Window<9, 7>>,
                                          census_planes<V, Window<5, 5>>,
                                          census_planes<V, Mirrored<Window<5, 5>>>,
                                          census_planes<V, Checkered<7, 7>>,
                                          census_planes<V, Mirrored<Checkered<7, 7>>>,
                                          census_planes<V, Checkered<9, 7>>,
                                          census_planes<V, Mirrored<Checkered<9, 7>>>,
                                          compare_only<V>};

}  // namespace
}  // namespace salticid
