// The filters' kernels for AVX-512 (F).
#include "filter_row.h"

namespace salticid {

const FilterKernels filter_avx512 = filter_kernels<64>;

}  // namespace salticid
