// The plain network for AVX2: 4 pixels and 16 outputs at a time, or in tiles where that is faster.
//
// Two steps take three multiplications, of which two start in a cycle, and two additions: 64 products in 1.5 cycles.
#include "plain_net_avx2.h"

namespace salticid {
namespace {

void convolve(const ConvolvedRows& rows) {
    if (rows.layer->tile_weights != nullptr) return plain_net_tiles_avx2(rows);
    convolve_rows<Avx2>(rows);
}

}  // namespace

const PlainNetKernels plain_net_avx2 = {Avx2::lanes, Avx2::lowered, Avx2::order, true, convolve};

}  // namespace salticid
