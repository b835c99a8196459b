// The labels of salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <cstdint>
#include <stdexcept>

#include "dispatch.h"
#include "label.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Logits = nb::ndarray<const float, nb::ndim<3>, nb::device::cpu>;
using Labels = nb::ndarray<std::uint8_t, nb::ndim<2>, nb::device::cpu>;

salticid::LogitPlanes planes_of(const Logits& logits) {
    if (logits.size() == 0) throw std::invalid_argument("there are no logits");
    if (logits.shape(0) > salticid::label_most_classes) throw std::invalid_argument("there are more than 255 classes");
    if (logits.shape(2) > 1 && logits.stride(2) != 1)
        throw std::invalid_argument("the columns of logits must be contiguous");
    if (logits.shape(1) > UINT32_MAX / 64 || logits.shape(2) > UINT32_MAX / 64)
        throw std::invalid_argument("logits have 2^26 rows or columns or more");
    return {logits.data(), logits.stride(0), logits.stride(1), logits.shape(0), logits.shape(1), logits.shape(2)};
}

bool upsample_argmax(const Logits& logits, const Labels& labels, std::size_t scale, std::size_t threads,
                     std::string_view instruction_set) {
    const auto from = planes_of(logits);
    const salticid::LabelImage to = {labels.data(), labels.stride(0), labels.shape(0), labels.shape(1)};
    if (to.height == 0 || to.width == 0) throw std::invalid_argument("labels have no pixels");
    if (to.width > 1 && labels.stride(1) != 1) throw std::invalid_argument("the columns of labels must be contiguous");
    if ((to.height - 1) / from.height >= scale || (to.width - 1) / from.width >= scale)
        throw std::invalid_argument("labels are larger than the logits times the scale");
    const salticid::LabelKernels& kernels = *salticid::instruction_set(instruction_set).labels;
    const nb::gil_scoped_release release;
    return salticid::upsample_argmax(kernels, from, scale, threads, to);
}

}  // namespace

void bind_labels(nb::module_& module) {
    module.def("upsample_argmax", &upsample_argmax, "logits"_a.noconvert(), "labels"_a.noconvert(), "scale"_a,
               "threads"_a, "instruction_set"_a);
}
