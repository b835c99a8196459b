// The filters' kernels in plain C++: vectors of 16 bytes, which a compiler has an answer to everywhere.
#include "filter_row.h"

namespace salticid {

const FilterKernels filter_scalar = filter_kernels<16>;

}  // namespace salticid
