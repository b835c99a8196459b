// The upscaling network of salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "dispatch.h"
#include "plain_net.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Number, std::size_t DIMENSIONS>
using Contiguous = nb::ndarray<const Number, nb::ndim<DIMENSIONS>, nb::c_contig, nb::device::cpu>;

using Image = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::device::cpu>;
using Result = nb::ndarray<std::uint8_t, nb::ndim<3>, nb::device::cpu>;

void expect(bool holds, const char* otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
}

template <class Array>
bool has_plain_rows(const Array& image) {
    return image.stride(2) == 1 && (image.shape(1) == 1 || image.stride(1) == 3);
}

class PlainNetwork {
public:
    using Layer = std::tuple<Contiguous<std::int8_t, 4>, Contiguous<std::int32_t, 1>, Contiguous<float, 1>>;

    PlainNetwork(const std::vector<Layer>& layers, std::size_t scale, std::size_t repeats,
                 std::string_view instruction_set)
        : network_(*salticid::instruction_set(instruction_set).plain_nets, given(layers), scale, repeats) {}

    void enlarge(const Image& image, const Result& result, std::size_t threads) const {
        const salticid::ColorImage from = {image.data(), image.stride(0), image.shape(0), image.shape(1)};
        expect(from.height > 0 && from.width > 0, "the image has no pixels");
        expect(image.shape(2) == 3 && result.shape(2) == 3, "images have three colors");
        expect(result.shape(0) / network_.scale() == from.height && result.shape(0) % network_.scale() == 0 &&
                   result.shape(1) / network_.scale() == from.width && result.shape(1) % network_.scale() == 0,
               "the result must be as many times as large as the network makes it");
        expect(has_plain_rows(image) && has_plain_rows(result), "the pixels of a row must be contiguous");
        const nb::gil_scoped_release release;
        network_.enlarge(from, threads, {result.data(), result.stride(0)});
    }

private:
    static std::vector<salticid::ConvolutionGiven> given(const std::vector<Layer>& layers) {
        std::vector<salticid::ConvolutionGiven> found;
        for (const auto& [weights, bias, multiplier] : layers) {
            const std::size_t outputs = weights.shape(0);
            expect(weights.shape(2) == 3 && weights.shape(3) == 3, "weights are those of 3x3 convolutions");
            expect(bias.shape(0) == outputs && multiplier.shape(0) == outputs,
                   "a bias and a multiplier for each output");
            found.push_back({weights.data(), bias.data(), multiplier.data(), weights.shape(1), outputs});
        }
        return found;
    }

    salticid::PlainNet network_;
};

}  // namespace

void bind_upscaling(nb::module_& module) {
    nb::class_<PlainNetwork>(module, "PlainNet")
        .def(nb::init<const std::vector<PlainNetwork::Layer>&, std::size_t, std::size_t, std::string_view>(),
             "layers"_a, "scale"_a, "repeats"_a, "instruction_set"_a)
        .def("enlarge", &PlainNetwork::enlarge, "image"_a.noconvert(), "result"_a.noconvert(), "threads"_a);
}
