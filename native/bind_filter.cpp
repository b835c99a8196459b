// The filters of salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <cstdint>
#include <stdexcept>

#include "dispatch.h"
#include "filter.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Pixel>
using Map = nb::ndarray<Pixel, nb::ndim<2>, nb::device::cpu>;

template <class Pixel>
salticid::MapRows<Pixel> rows_of(const Map<Pixel>& map) {
    if (map.shape(0) == 0 || map.shape(1) == 0) throw std::invalid_argument("a map has no pixels");
    if (map.shape(1) > 1 && map.stride(1) != 1) throw std::invalid_argument("the columns of a map must be contiguous");
    if (map.size() > UINT32_MAX) throw std::invalid_argument("a map has 2^32 pixels or more");
    return {map.data(), map.stride(0), map.shape(0), map.shape(1)};
}

void median_of_known(const Map<const float>& disparity, const Map<float>& result, std::size_t threads,
                     std::string_view instruction_set) {
    const auto from = rows_of(disparity);
    const auto to = rows_of(result);
    if (from.height != to.height || from.width != to.width)
        throw std::invalid_argument("result must have the shape of disparity");
    const salticid::FilterKernels& kernels = *salticid::instruction_set(instruction_set).filters;
    const nb::gil_scoped_release release;
    salticid::median_of_known(kernels, from, threads, to);
}

void remove_speckles(const Map<float>& disparity, std::size_t area_px, float range_px, std::size_t threads) {
    const auto map = rows_of(disparity);
    const nb::gil_scoped_release release;
    salticid::remove_speckles(map, area_px, range_px, threads);
}

}  // namespace

void bind_filters(nb::module_& module) {
    module.def("median_of_known", &median_of_known, "disparity"_a.noconvert(), "result"_a.noconvert(), "threads"_a,
               "instruction_set"_a);
    module.def("remove_speckles", &remove_speckles, "disparity"_a.noconvert(), "area_px"_a, "range_px"_a, "threads"_a);
}
