// The census kernels in plain C++: what every machine can run.
#include "census_row.h"

namespace salticid {
namespace {

struct Scalar {
    static constexpr std::size_t lanes = 16;
    typedef std::int8_t Bytes __attribute__((vector_size(lanes)));  // of GCC and Clang; a loop where the CPU has none

    static Bytes zero() { return Bytes{}; }

    static Bytes load(const std::int8_t* pixels) {
        Bytes bytes;
        std::memcpy(&bytes, pixels, lanes);
        return bytes;
    }
    static void store_bytes(std::uint8_t* bytes, Bytes a) { std::memcpy(bytes, &a, lanes); }

    template <int BIT>
    static Bytes set_if_less(Bytes bits, Bytes neighbor, Bytes center) {
        return bits | ((neighbor < center) & static_cast<std::int8_t>(1u << BIT));
    }

    template <class... EightBytes>
    static void weave(std::uint64_t* words, EightBytes... bytes) {
        const Bytes vectors[8] = {bytes...};
        std::uint8_t byte[8][lanes];
        std::memcpy(byte, vectors, sizeof byte);
        for (std::size_t i = 0; i < lanes; ++i) {
            words[i] = 0;
            for (int b = 0; b < 8; ++b) words[i] |= std::uint64_t{byte[b][i]} << 8 * b;
        }
    }
};

}  // namespace

const CensusKernels census_scalar = census_kernels<Scalar>;

}  // namespace salticid
