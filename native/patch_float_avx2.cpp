// The patch network in floating point for AVX2 with FMA: 16 pixels at a time.
#include "patch_float_row.h"

namespace salticid {

const FloatPatchKernels patch_float_avx2 = float_patch_kernels<PatchVector<32, 2, 1>>;

}  // namespace salticid
