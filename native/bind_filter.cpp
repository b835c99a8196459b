// The filters of salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
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

void guided_median(const Map<const float>& disparity, const Map<const bool>& kept,
                   const nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>& image,
                   const nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>& weights,
                   std::size_t reach, std::size_t spacing, const Map<float>& result, std::size_t threads,
                   std::string_view instruction_set) {
    const std::size_t channels = image.shape(2);
    const salticid::GuidedMedian given = {
        rows_of(disparity),
        rows_of(kept),
        {image.data(), static_cast<std::ptrdiff_t>(image.shape(1) * channels), image.shape(0), image.shape(1)},
        channels,
        weights.data(),
        reach,
        spacing};
    const auto to = rows_of(result);
    const auto fits = [&](const auto& rows) { return rows.height == to.height && rows.width == to.width; };
    if (!fits(given.map) || !fits(given.kept) || !fits(given.image))
        throw std::invalid_argument("disparity, kept, image and result must be of one size");
    if (channels < 1 || channels > salticid::guided_median_channels || weights.shape(0) != 255 * channels + 1)
        throw std::invalid_argument("an image has 1 to 4 channels, and a weight for every sum of their differences");
    const std::uint32_t* end = weights.data() + weights.shape(0);
    if (std::any_of(weights.data(), end, [](std::uint32_t weight) { return weight > salticid::guided_median_weight; }))
        throw std::invalid_argument("weights: up to 1000000");
    if (reach > salticid::guided_median_reach || spacing < 1 || spacing > 4096)
        throw std::invalid_argument("reach: 0 to 8; spacing: 1 to 4096");
    const salticid::FilterKernels& kernels = *salticid::instruction_set(instruction_set).filters;
    const nb::gil_scoped_release release;
    salticid::guided_median(kernels, given, threads, to);
}

}  // namespace

void bind_filters(nb::module_& module) {
    module.def("median_of_known", &median_of_known, "disparity"_a.noconvert(), "result"_a.noconvert(), "threads"_a,
               "instruction_set"_a);
    module.def("remove_speckles", &remove_speckles, "disparity"_a.noconvert(), "area_px"_a, "range_px"_a, "threads"_a);
    module.def("guided_median", &guided_median, "disparity"_a.noconvert(), "kept"_a.noconvert(),
               "image"_a.noconvert(), "weights"_a.noconvert(), "reach"_a, "spacing"_a, "result"_a.noconvert(),
               "threads"_a, "instruction_set"_a);
}
