// The labels' kernels for AVX2.
#include "label_row.h"

namespace salticid {

const LabelKernels label_avx2 = label_kernels<32>;

}  // namespace salticid
