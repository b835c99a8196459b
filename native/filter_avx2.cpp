// The filters' kernels for AVX2.
#include "filter_row.h"

namespace salticid {

const FilterKernels filter_avx2 = filter_kernels<32>;

}  // namespace salticid
