// The patch network in floating point in plain C++: 8 pixels at a time, in vectors of 16 bytes where there are any.
#include "patch_float_row.h"

namespace salticid {

const FloatPatchKernels patch_float_scalar = float_patch_kernels<PatchVector<16, 2, 1>>;

}  // namespace salticid
