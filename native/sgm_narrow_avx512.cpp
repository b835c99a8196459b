// Semi-global matching for AVX-512 where few disparities are searched: 32 at a time, with the better instructions.
#include "sgm_avx2.h"

namespace salticid {
namespace {

struct NarrowAvx512 : Avx2 {
    static Bytes popcount(Bytes a) { return _mm256_popcnt_epi8(a); }
    static Bytes from_below(Bytes below, Bytes here) { return _mm256_permutex2var_epi8(below, lanes_from(31), here); }
    static Bytes from_above(Bytes here, Bytes above) { return _mm256_permutex2var_epi8(here, lanes_from(1), above); }

private:
    // The numbers from `first` on.
    static Bytes lanes_from(std::uint8_t first) {
        alignas(32) std::uint8_t lane[lanes];
        for (std::size_t i = 0; i < lanes; ++i) lane[i] = static_cast<std::uint8_t>(first + i);
        return load(lane);
    }
};

}  // namespace

const SgmKernels sgm_narrow_avx512 = sgm_kernels<NarrowAvx512>;

}  // namespace salticid
