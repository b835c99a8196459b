// Semi-global matching for AVX2: 32 disparities at a time.
#include "sgm_avx2.h"

namespace salticid {

const SgmKernels sgm_avx2 = sgm_kernels<Avx2>;

}  // namespace salticid
