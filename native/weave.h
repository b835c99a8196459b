// Turning eight vectors of bytes into vectors of 64-bit words, by three rounds of interleaving.
//
// V interleaves within 128-bit lanes, as x86 does: the words that come out are whole, and V::store puts them in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {
namespace {

// Four bytes of each word: of the words 0-3, 4-7, 8-11 and 12-15 of every lane.
template <class V>
struct Fours {
    typename V::Bytes of_0, of_4, of_8, of_12;
};

template <class V>
Fours<V> weave_fours(typename V::Bytes b0, typename V::Bytes b1, typename V::Bytes b2, typename V::Bytes b3) {
    const auto low01 = V::low_bytes(b0, b1), high01 = V::high_bytes(b0, b1);
    const auto low23 = V::low_bytes(b2, b3), high23 = V::high_bytes(b2, b3);
    return {V::low_pairs(low01, low23), V::high_pairs(low01, low23), V::low_pairs(high01, high23),
            V::high_pairs(high01, high23)};
}

// Word i is made of byte i of each vector; b0 holds the least significant bytes.
template <class V>
void weave_words(std::uint64_t* words, typename V::Bytes b0, typename V::Bytes b1, typename V::Bytes b2,
                 typename V::Bytes b3, typename V::Bytes b4, typename V::Bytes b5, typename V::Bytes b6,
                 typename V::Bytes b7) {
    const Fours<V> low = weave_fours<V>(b0, b1, b2, b3), high = weave_fours<V>(b4, b5, b6, b7);
    V::store(words + 0, V::low_fours(low.of_0, high.of_0), V::high_fours(low.of_0, high.of_0));
    V::store(words + 4, V::low_fours(low.of_4, high.of_4), V::high_fours(low.of_4, high.of_4));
    V::store(words + 8, V::low_fours(low.of_8, high.of_8), V::high_fours(low.of_8, high.of_8));
    V::store(words + 12, V::low_fours(low.of_12, high.of_12), V::high_fours(low.of_12, high.of_12));
}

}  // namespace
}  // namespace salticid
