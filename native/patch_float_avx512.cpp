// The patch network in floating point for AVX-512: 32 pixels at a time.
#include "patch_float_row.h"

namespace salticid {

const FloatPatchKernels patch_float_avx512 = float_patch_kernels<PatchVector<64, 2, 2>>;

}  // namespace salticid
