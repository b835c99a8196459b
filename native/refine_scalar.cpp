// The refinement's kernels in plain C++.
#include "refine_plain.h"

namespace salticid {

const RefineKernels refine_scalar = refine_kernels<Plain>;

}  // namespace salticid
