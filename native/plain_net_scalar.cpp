// The plain network in plain C++: 16 outputs at a time, in vectors of 16 bytes, which a compiler has an answer to
// everywhere.
//
// Four products are added up in 16 bits, and that is all that is multiplied: weights of two outputs lie side by side as
// one number of 16 bits, and so do sums of two outputs in one of 32.
#include "plain_net_row.h"

namespace salticid {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first of two bytes is taken for the lower one");

struct Scalar {
    static constexpr std::size_t lanes = 16, vectors = 1, pixels = 2;
    static constexpr std::int32_t lowered = 0;
    static constexpr WeightOrder order = WeightOrder::by_input;
    typedef std::int16_t Shorts __attribute__((vector_size(16)));
    typedef std::int32_t Ints __attribute__((vector_size(16)));
    struct Sums {
        Ints of[4];  // outputs k, 4 + k, 8 + k and 12 + k
    };
    struct Weights {
        Shorts even[4], odd[4];  // of outputs, for each of four inputs
    };
    using Inputs = const std::uint8_t*;

    static Sums load_sums(const std::int32_t* from) {
        Sums sums;
        for (std::size_t n = 0; n < lanes; ++n) sums.of[n % 4][n / 4] = from[n];
        return sums;
    }
    static Weights load_weights(const std::int8_t* from) {
        Weights weights;
        for (std::size_t k = 0; k < 4; ++k) {
            Shorts both;
            std::memcpy(&both, from + k * lanes, sizeof both);
            weights.even[k] = both << 8 >> 8;
            weights.odd[k] = both >> 8;
        }
        return weights;
    }
    static Inputs broadcast(const std::uint8_t* from) { return from; }

    static void add(Sums (&sums)[1], Inputs one, Inputs other, const Weights (&for_one)[1],
                    const Weights (&for_other)[1]) {
        for (std::size_t k = 0; k < 4; k += 2) {
            const Shorts a = all(one[k]), b = all(one[k + 1]), c = all(other[k]), d = all(other[k + 1]);
            const auto sum = [=](const Shorts* w, const Shorts* v) {
                return a * w[k] + b * w[k + 1] + c * v[k] + d * v[k + 1];
            };
            add_halves(sum(for_one[0].even, for_other[0].even), sums[0].of[0], sums[0].of[2]);
            add_halves(sum(for_one[0].odd, for_other[0].odd), sums[0].of[1], sums[0].of[3]);
        }
    }
    static Shorts all(std::uint8_t value) { return Shorts{} + static_cast<std::int16_t>(value); }
    static void add_halves(Shorts both, Ints& lower, Ints& upper) {
        Ints wide;
        std::memcpy(&wide, &both, sizeof wide);
        lower += wide << 16 >> 16;
        upper += wide >> 16;
    }

    static void store(std::uint8_t* to, const Sums (&sums)[1], const float* multiplier) {
        constexpr float whole = 12582912;  // 1.5 * 2^23: float32 has no fractions there, and rounds to even
        for (std::size_t n = 0; n < lanes; ++n) {
            const float scaled = static_cast<float>(sums[0].of[n % 4][n / 4]) * multiplier[n];
            const float clipped = scaled < 0 ? 0 : scaled > 255 ? 255 : scaled;
            to[n] = static_cast<std::uint8_t>(clipped + whole - whole);
        }
    }
};

}  // namespace

const PlainNetKernels plain_net_scalar = plain_net_kernels<Scalar>;

}  // namespace salticid
