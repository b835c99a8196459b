// The refinement's kernels for NEON: the plain ones, with its lookup of 16 weights at once.
#include <arm_neon.h>

#include "refine_plain.h"

namespace salticid {
namespace {

struct Neon : Plain {
    static Bytes weight(Bytes apart) {
        const uint8x16_t step = vshrq_n_u8(reinterpret_cast<uint8x16_t>(apart), vote_weight_shift);
        return reinterpret_cast<Bytes>(vqtbl1q_u8(vld1q_u8(vote_weights), vminq_u8(step, vdupq_n_u8(15))));
    }
};

}  // namespace

const RefineKernels refine_neon = refine_kernels<Neon>;

}  // namespace salticid
