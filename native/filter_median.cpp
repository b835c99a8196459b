// What is the same for every instruction set: the rows around each row, and sharing them among threads.
#include <limits>
#include <vector>

#include "filter.h"
#include "parallel.h"

namespace salticid {

void median_of_known(const FilterKernels& kernels, const MapRows<const float>& map, std::size_t threads,
                     const MapRows<float>& result) {
    const std::vector<float> outside(map.width, std::numeric_limits<float>::quiet_NaN());
    for_each_band(map.height, threads, [&](std::size_t first, std::size_t last) {
        for (std::size_t y = first; y < last; ++y) {
            const float* here = map.pixels + static_cast<std::ptrdiff_t>(y) * map.stride;
            const float* above = y > 0 ? here - map.stride : outside.data();
            const float* below = y + 1 < map.height ? here + map.stride : outside.data();
            kernels.median(above, here, below, map.width,
                           result.pixels + static_cast<std::ptrdiff_t>(y) * result.stride);
        }
    });
}

}  // namespace salticid
