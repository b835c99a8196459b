// Vectors of 16 bytes as GCC and Clang make them for every machine: SSE2, NEON, or a loop where the CPU has none.
#pragma once

#include "refine_row.h"

namespace salticid {
namespace {

struct Plain {
    static constexpr std::size_t pixels = 16;
    typedef std::uint8_t Bytes __attribute__((vector_size(16)));
    typedef std::int16_t Words __attribute__((vector_size(16)));
    typedef std::uint16_t Unsigned __attribute__((vector_size(16)));
    typedef std::uint8_t HalfBytes __attribute__((vector_size(8)));
    using Mask = Words;      // -1 or 0
    using ByteMask = Bytes;  // 255 or 0

    template <class Lanes>
    static Lanes load(const void* from) {
        Lanes lanes;
        std::memcpy(&lanes, from, sizeof lanes);
        return lanes;
    }
    template <class Lanes>
    static bool any(Lanes lanes) {
        std::uint64_t words[2];
        std::memcpy(words, &lanes, sizeof words);
        return (words[0] | words[1]) != 0;
    }

    static Bytes load_bytes(const std::uint8_t* from) { return load<Bytes>(from); }
    static void store_bytes(std::uint8_t* to, Bytes a) { std::memcpy(to, &a, sizeof a); }
    static Bytes difference(Bytes a, Bytes b) { return a > b ? a - b : b - a; }
    static Bytes add_saturated(Bytes a, Bytes b) {
        const Bytes sum = a + b;
        return sum < a ? ~Bytes{} : sum;
    }
    static Bytes weight(Bytes apart) {
        Bytes weights;
        for (std::size_t n = 0; n < pixels; ++n) {
            const int step = apart[n] >> vote_weight_shift;
            weights[n] = vote_weights[step < 15 ? step : 15];
        }
        return weights;
    }
    static bool any_zero(Bytes a) { return any(a == 0); }
    static Bytes broadcast_byte(std::uint8_t value) { return Bytes{} + value; }
    static Bytes add_bytes(Bytes a, Bytes b) { return a + b; }
    static Bytes average_up(Bytes a, Bytes b) { return (a | b) - ((a ^ b) >> 1); }
    static Bytes average_down(Bytes a, Bytes b) { return (a & b) + ((a ^ b) >> 1); }
    static Bytes comparable(Bytes a) { return a; }
    static Bytes add_where_less(Bytes sum, Bytes a, Bytes b, Bytes value) { return sum + ((Bytes)(a < b) & value); }
    static ByteMask at_most(Bytes a, Bytes b) { return (Bytes)(a <= b); }
    static bool any_differ(Bytes a, Bytes b) { return any(a ^ b); }
    static Bytes choose_bytes(ByteMask a, Bytes yes, Bytes no) { return (a & yes) | (~a & no); }
    static void widen(Bytes a, Words& low, Words& high) {
        std::uint8_t bytes[pixels];
        std::memcpy(bytes, &a, sizeof bytes);
        low = __builtin_convertvector(load<HalfBytes>(bytes), Words);
        high = __builtin_convertvector(load<HalfBytes>(bytes + pixels / 2), Words);
    }
    static Bytes narrow(Words low, Words high) {
        return joined(__builtin_convertvector(low, HalfBytes), __builtin_convertvector(high, HalfBytes));
    }
    static Bytes joined(HalfBytes low, HalfBytes high) {
        std::uint8_t bytes[pixels];
        std::memcpy(bytes, &low, sizeof low);
        std::memcpy(bytes + sizeof low, &high, sizeof high);
        return load<Bytes>(bytes);
    }

    static Words load_words(const std::int16_t* from) { return load<Words>(from); }
    static void store_words(std::int16_t* to, Words a) { std::memcpy(to, &a, sizeof a); }
    static Words broadcast(std::int16_t value) { return Words{} + value; }
    static Words add(Words a, Words b) { return (Words)((Unsigned)a + (Unsigned)b); }
    static Words subtract(Words a, Words b) { return (Words)((Unsigned)a - (Unsigned)b); }
    static Words min(Words a, Words b) { return a < b ? a : b; }
    static Words max(Words a, Words b) { return a < b ? b : a; }
    static Words shifted_left(Words a, int by) { return (Words)((Unsigned)a << by); }
    static Words shifted_right(Words a, int by) { return (Words)((Unsigned)a >> by); }
    static Words above(Words a, Words b) {  // by how much, 0 where it is not
        return a > b ? subtract(a, b) : broadcast(0);
    }
    static Words up_to_255(Words a) {  // of numbers without a sign
        return (Words)((Unsigned)a < 255 ? (Unsigned)a : Unsigned{} + 255);
    }

    static Mask less(Words a, Words b) { return a < b; }
    static Mask not_above(Words a, int limit) {  // of numbers without a sign
        return (Words)((Unsigned)a <= (Unsigned)broadcast(static_cast<std::int16_t>(limit)));
    }
    static bool any_above(Words a, int limit) { return !all(not_above(a, limit)); }
    static Mask not_zero(const std::uint8_t* from) {
        return __builtin_convertvector(load<HalfBytes>(from), Words) != 0;
    }
    static Bytes bytes_of(Mask low, Mask high) { return narrow(low & 1, high & 1); }  // 1 where it is so
    static Mask either(Mask a, Mask b) { return a | b; }
    static bool all(Mask a) { return !any(~a); }
    static Words choose(Mask a, Words yes, Words no) { return a ? yes : no; }
};

}  // namespace
}  // namespace salticid
