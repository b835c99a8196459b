// The patch network in floating point for NEON: 16 pixels at a time.
#include "patch_float_row.h"

namespace salticid {

const FloatPatchKernels patch_float_neon = float_patch_kernels<PatchVector<16, 4, 1>>;

}  // namespace salticid
