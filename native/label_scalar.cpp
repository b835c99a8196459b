// The labels' kernels in plain C++: vectors of 16 bytes, which a compiler has an answer to everywhere.
#include "label_row.h"

namespace salticid {

const LabelKernels label_scalar = label_kernels<16>;

}  // namespace salticid
