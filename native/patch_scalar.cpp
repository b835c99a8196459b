// The patch network in plain C++: what every machine can run, 8 pixels at a time where it has vectors of 16 bytes.
#include "patch_row.h"

namespace salticid {
namespace {

struct Scalar {
    static constexpr std::size_t pixels = 8, fours = 1, vectors = 1;
    static constexpr std::size_t repeats = 1;
    static constexpr bool adds_two = false;
    struct Words {
        std::int16_t lanes[pixels];
    };
    struct Sums {
        std::int32_t lanes[pixels / 2];
    };

    template <class Make>
    static Words words(Make make) {
        Words made;
        for (std::size_t n = 0; n < pixels; ++n) made.lanes[n] = static_cast<std::int16_t>(make(n));
        return made;
    }
    template <class Make>
    static Sums sums(Make make) {
        Sums made;
        for (std::size_t n = 0; n < pixels / 2; ++n) made.lanes[n] = make(n);
        return made;
    }
    static int between(int low, int value, int high) { return value < low ? low : value > high ? high : value; }
    static int cut_off(int value) { return between(INT16_MIN, value, INT16_MAX); }

    static Words load(const std::int16_t* from) {
        return words([=](std::size_t n) { return from[n]; });
    }
    static void store(std::int16_t* to, Words a) {
        for (std::size_t n = 0; n < pixels; ++n) to[n] = a.lanes[n];
    }
    static Words broadcast(std::int16_t value) {
        return words([=](std::size_t) { return value; });
    }
    static Words add(Words a, Words b) {
        return words([=](std::size_t n) { return cut_off(a.lanes[n] + b.lanes[n]); });
    }
    static Words subtract(Words a, Words b) {
        return words([=](std::size_t n) { return cut_off(a.lanes[n] - b.lanes[n]); });
    }
    static Words shifted(Words a, int by) {
        return words([=](std::size_t n) { return a.lanes[n] >> by; });
    }

    static void weave(Words a, Words b, Words c, Words d, Sums* to) {
        for (std::size_t half = 0; half < 2; ++half)
            to[half] = sums([=](std::size_t n) {
                const std::size_t x = half * pixels / 2 + n;
                return four(a.lanes[x], b.lanes[x], c.lanes[x], d.lanes[x]);
            });
    }
    static std::int32_t four(int a, int b, int c, int d) {
        return between(0, a, 127) | between(0, b, 127) << 8 | between(0, c, 127) << 16 | between(0, d, 127) << 24;
    }
    static Words narrowed(Sums a, Sums b, int shift) {
        return words([=](std::size_t n) {
            return cut_off((n < pixels / 2 ? a.lanes[n] : b.lanes[n - pixels / 2]) >> shift);
        });
    }

    static Sums broadcast_sum(std::int32_t value) {
        return sums([=](std::size_t) { return value; });
    }
    static const std::int8_t* weights_of_four(const std::int8_t* from) { return from; }
    static Sums dot(Sums sum, Sums activations, const std::int8_t* weights) {
        return sums([=](std::size_t n) {
            const std::int32_t four = activations.lanes[n];
            return sum.lanes[n] + (four & 127) * weights[0] + (four >> 8 & 127) * weights[1] +
                   (four >> 16 & 127) * weights[2] + (four >> 24) * weights[3];
        });
    }
    static Sums activated(Sums a, Sums b, Sums c, Sums d, int shift) {
        return sums([=](std::size_t n) {
            return four(a.lanes[n] >> shift, b.lanes[n] >> shift, c.lanes[n] >> shift, d.lanes[n] >> shift);
        });
    }
};

}  // namespace

const PatchKernels patch_scalar = patch_kernels<Scalar>;

}  // namespace salticid
