// The labels' kernels for AVX-512.
#include "label_row.h"

namespace salticid {

const LabelKernels label_avx512 = label_kernels<64>;

}  // namespace salticid
