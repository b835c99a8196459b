// The module salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <stdexcept>
#include <vector>

#include "census.h"
#include "dispatch.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Gray = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::device::cpu>;
using Codes = nb::ndarray<std::uint64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

nb::tuple instruction_sets() {
    nb::list names;
    for (const salticid::InstructionSet& set : salticid::instruction_sets())
        names.append(nb::str(set.name.data(), set.name.size()));
    return nb::tuple(names);
}

void census(const Gray& gray, const Codes& codes, std::string_view window, std::size_t threads,
            std::string_view instruction_set) {
    const salticid::GrayImage image = {gray.data(), gray.stride(0), gray.shape(0), gray.shape(1)};
    if (image.height == 0 || image.width == 0) throw std::invalid_argument("gray has no pixels");
    if (image.width > 1 && gray.stride(1) != 1) throw std::invalid_argument("the columns of gray must be contiguous");
    if (codes.shape(0) != image.height || codes.shape(1) != image.width)
        throw std::invalid_argument("codes must have the shape of gray");
    if (window != "5x5" && window != "9x7") throw std::invalid_argument("window must be '5x5' or '9x7'");

    const salticid::CensusKernels& kernels = *salticid::instruction_set(instruction_set).census;
    const auto transform = window == "5x5" ? salticid::census_5x5 : salticid::census_9x7;
    const nb::gil_scoped_release release;
    transform(kernels, image, threads, codes.data());
}

void compare_only(std::size_t count, std::string_view instruction_set) {
    const salticid::CensusKernels& kernels = *salticid::instruction_set(instruction_set).census;
    std::vector<std::int8_t> pixels(1024);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::int8_t>(i * 37);
    const nb::gil_scoped_release release;
    kernels.compare_only(pixels.data(), count);
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "Kernels in C++; salticid.core.native says which of them this machine runs.";
    module.def("instruction_sets", &instruction_sets);
    module.def("census", &census, "gray"_a.noconvert(), "codes"_a.noconvert(), "window"_a, "threads"_a,
               "instruction_set"_a);
    module.def("census_compare_only", &compare_only, "count"_a, "instruction_set"_a);
}
