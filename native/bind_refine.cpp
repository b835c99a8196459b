// The patch network and the refinement of salticid._native: arguments checked, the GIL released, the kernels called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "dispatch.h"
#include "patch.h"
#include "patch_float.h"
#include "patch_runner.h"
#include "refine.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Number, std::size_t DIMENSIONS>
using Contiguous = nb::ndarray<Number, nb::ndim<DIMENSIONS>, nb::c_contig, nb::device::cpu>;

void expect(bool holds, const char* otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
}

std::vector<salticid::Tap> taps_of(const Contiguous<const std::int32_t, 2>& taps) {
    expect(taps.shape(1) == 5, "a tap is plane, dy, dx, center and shift");
    std::vector<salticid::Tap> found;
    for (std::size_t n = 0; n < taps.shape(0); ++n) {
        const std::int32_t* tap = taps.data() + 5 * n;
        expect(tap[0] >= 0 && tap[3] >= -1, "a tap names a plane that is not there");
        found.push_back({static_cast<std::size_t>(tap[0]), tap[1], tap[2], tap[3], tap[4]});
    }
    return found;
}

// Memory that one call leaves to the next. Threads that share a network take turns.
struct Workspace {
    std::mutex in_use;
    salticid::Memory memory;
};

template <class Network>
void run_network(const Network& network, Workspace& workspace, const std::vector<Contiguous<const std::int16_t, 2>>& planes,
                 const std::optional<Contiguous<const bool, 2>>& mask,
                 const Contiguous<typename Network::Number, 3>& outputs, std::size_t threads) {
    expect(planes.size() == network.taps().planes(), "a map for each plane of the network");
    const std::size_t height = outputs.shape(0), width = outputs.shape(1);
    expect(height > 0 && width > 0, "the maps have no pixels");
    expect(outputs.shape(2) == network.outputs(), "outputs must have the network's");
    std::vector<salticid::Plane> rows;
    for (const auto& plane : planes) {
        expect(plane.shape(0) == height && plane.shape(1) == width, "maps and outputs must be of one size");
        rows.push_back({plane.data(), static_cast<std::ptrdiff_t>(width)});
    }
    expect(!mask || (mask->shape(0) == height && mask->shape(1) == width), "the mask must have the maps' size");
    const auto* wanted = mask ? reinterpret_cast<const std::uint8_t*>(mask->data()) : nullptr;
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    salticid::run_patches(network, workspace.memory, rows.data(), height, width, wanted, threads, outputs.data());
}

// On 1024 numbers from 1 to 127.
template <class Number, class Sum>
void multiply_only(Sum (*kernel)(const Number*, std::size_t), std::size_t count) {
    std::vector<Number> numbers(1024);
    for (std::size_t n = 0; n < numbers.size(); ++n) numbers[n] = static_cast<Number>(1 + n * 37 % 127);
    const nb::gil_scoped_release release;
    kernel(numbers.data(), count);
}

class Network {
public:
    using Layer = std::tuple<Contiguous<const std::int8_t, 2>, Contiguous<const std::int32_t, 1>,
                             Contiguous<const std::int32_t, 1>>;

    Network(const Contiguous<const std::int32_t, 2>& taps, const std::vector<Layer>& layers, std::size_t planes,
            std::string_view instruction_set)
        : network_(*salticid::instruction_set(instruction_set).patches, taps_of(taps), given(layers), planes) {}

    const salticid::PatchNetwork& get() const { return network_; }

    void run(const std::vector<Contiguous<const std::int16_t, 2>>& planes,
             const std::optional<Contiguous<const bool, 2>>& mask, const Contiguous<std::int16_t, 3>& outputs,
             std::size_t threads) {
        run_network(network_, workspace_, planes, mask, outputs, threads);
    }

    static void multiply_only(std::size_t count, std::string_view instruction_set) {
        ::multiply_only(salticid::instruction_set(instruction_set).patches->multiply_only, count);
    }

private:
    static std::vector<salticid::LayerGiven> given(const std::vector<Layer>& layers) {
        std::vector<salticid::LayerGiven> found;
        for (const auto& [weights, bias, shift] : layers) {
            const std::size_t outputs = weights.shape(0);
            expect(bias.shape(0) == outputs && shift.shape(0) == outputs, "a bias and a shift for each output");
            found.push_back({weights.data(), bias.data(), shift.data(), weights.shape(1), outputs});
        }
        return found;
    }

    salticid::PatchNetwork network_;
    Workspace workspace_;
};

class FloatNetwork {
public:
    using Layer = std::tuple<Contiguous<const float, 2>, Contiguous<const float, 1>>;

    FloatNetwork(const Contiguous<const std::int32_t, 2>& taps, const std::vector<Layer>& layers, std::size_t planes,
                 float input_scale, int input_zero, std::string_view instruction_set)
        : network_(*salticid::instruction_set(instruction_set).float_patches, taps_of(taps), given(layers), planes,
                   input_scale, input_zero) {}

    void run(const std::vector<Contiguous<const std::int16_t, 2>>& planes,
             const std::optional<Contiguous<const bool, 2>>& mask, const Contiguous<float, 3>& outputs,
             std::size_t threads) {
        run_network(network_, workspace_, planes, mask, outputs, threads);
    }

    static void multiply_only(std::size_t count, std::string_view instruction_set) {
        ::multiply_only(salticid::instruction_set(instruction_set).float_patches->multiply_only, count);
    }

private:
    static std::vector<salticid::FloatLayerGiven> given(const std::vector<Layer>& layers) {
        std::vector<salticid::FloatLayerGiven> found;
        for (const auto& [weights, bias] : layers) {
            expect(bias.shape(0) == weights.shape(0), "a bias for each output");
            found.push_back({weights.data(), bias.data(), weights.shape(1), weights.shape(0)});
        }
        return found;
    }

    salticid::FloatPatchNetwork network_;
    Workspace workspace_;
};

using Map = Contiguous<const float, 2>;
using Image = Contiguous<const std::uint8_t, 3>;
using Result = Contiguous<float, 2>;

class Refinement {
public:
    explicit Refinement(std::string_view instruction_set) : set_(salticid::instruction_set(instruction_set)) {}

    bool fill(const Map& disparity, const Image& image, const Result& result, std::size_t threads) {
        const auto given = input(disparity, std::nullopt, image);
        const auto to = results(given, result, std::nullopt);
        const nb::gil_scoped_release release;
        return salticid::refine_fill(*workspace_, *set_.refinement, given, threads, to);
    }

    bool smooth(const Map& disparity, const Map& confidence, const Image& image, const Result& result,
                const Result& confidence_result, std::size_t threads) {
        const auto given = input(disparity, confidence, image);
        const auto to = results(given, result, confidence_result);
        const nb::gil_scoped_release release;
        return salticid::refine_smooth(*workspace_, *set_.refinement, given, threads, to);
    }

    bool maps(const Map& disparity, const Map& confidence, const Image& image,
              const std::array<Contiguous<std::int16_t, 2>, salticid::refine_planes>& maps, std::size_t threads) {
        const auto given = input(disparity, confidence, image);
        std::int16_t* to[salticid::refine_planes];
        for (std::size_t n = 0; n < salticid::refine_planes; ++n) {
            check_size(given, maps[n]);
            to[n] = maps[n].data();
        }
        const nb::gil_scoped_release release;
        return salticid::refine_maps(*workspace_, *set_.refinement, given, threads, to);
    }

    bool choose(const Network& network, const Contiguous<const float, 1>& probability, int shift, const Map& disparity,
                const Map& confidence, const Image& image, const std::optional<Contiguous<const bool, 2>>& mask,
                const Result& result, const Result& confidence_result, std::size_t threads) {
        expect(network.get().taps().planes() == salticid::refine_planes, "the network must look at the maps of a refinement");
        expect(network.get().taps().reach() <= static_cast<std::ptrdiff_t>(salticid::refine_most_reach),
               "taps up to 64 px away");
        expect(network.get().outputs() == salticid::refine_candidates + 1, "the network must have four outputs");
        expect(probability.shape(0) == 256, "probability must have 256 entries");
        expect(shift >= 0 && shift <= 15, "shift: 0 to 15");
        const auto given = input(disparity, confidence, image);
        const auto to = results(given, result, confidence_result);
        if (mask) check_size(given, *mask);
        const auto* wanted = mask ? reinterpret_cast<const std::uint8_t*>(mask->data()) : nullptr;
        const nb::gil_scoped_release release;
        return salticid::refine_choose(*workspace_, *set_.refinement, network.get(), {probability.data(), shift}, given,
                                       wanted, threads, to);
    }

private:
    template <class Array>
    static void check_size(const salticid::RefineInput& given, const Array& array) {
        expect(array.shape(0) == given.height && array.shape(1) == given.width, "all maps must be of one size");
    }

    static salticid::RefineInput input(const Map& disparity, const std::optional<Map>& confidence, const Image& image) {
        const std::size_t height = disparity.shape(0), width = disparity.shape(1), channels = image.shape(2);
        expect(height > 0 && width > 0, "the map has no pixels");
        expect(channels == 1 || channels == 3, "an image has 1 or 3 channels");
        const salticid::RefineInput given = {disparity.data(),
                                             confidence ? confidence->data() : nullptr,
                                             static_cast<std::ptrdiff_t>(width),
                                             image.data(),
                                             static_cast<std::ptrdiff_t>(width * channels),
                                             channels,
                                             height,
                                             width};
        check_size(given, image);
        if (confidence) check_size(given, *confidence);
        return given;
    }

    static salticid::RefineResult results(const salticid::RefineInput& given, const Result& disparity,
                                          const std::optional<Result>& confidence) {
        check_size(given, disparity);
        if (confidence) check_size(given, *confidence);
        return {disparity.data(), confidence ? confidence->data() : nullptr, static_cast<std::ptrdiff_t>(given.width)};
    }

    const salticid::InstructionSet& set_;
    salticid::RefineWorkspacePointer workspace_ = salticid::make_refine_workspace();
};

}  // namespace

void bind_refinement(nb::module_& module) {
    nb::class_<Network>(module, "PatchNetwork")
        .def(nb::init<const Contiguous<const std::int32_t, 2>&, const std::vector<Network::Layer>&, std::size_t,
                      std::string_view>(),
             "taps"_a.noconvert(), "layers"_a, "planes"_a, "instruction_set"_a)
        .def("run", &Network::run, "planes"_a, "mask"_a.none(), "outputs"_a.noconvert(), "threads"_a)
        .def_static("multiply_only", &Network::multiply_only, "count"_a, "instruction_set"_a);
    nb::class_<FloatNetwork>(module, "FloatPatchNetwork")
        .def(nb::init<const Contiguous<const std::int32_t, 2>&, const std::vector<FloatNetwork::Layer>&, std::size_t,
                      float, int, std::string_view>(),
             "taps"_a.noconvert(), "layers"_a, "planes"_a, "input_scale"_a, "input_zero"_a, "instruction_set"_a)
        .def("run", &FloatNetwork::run, "planes"_a, "mask"_a.none(), "outputs"_a.noconvert(), "threads"_a)
        .def_static("multiply_only", &FloatNetwork::multiply_only, "count"_a, "instruction_set"_a);
    nb::class_<Refinement>(module, "Refinement")
        .def(nb::init<std::string_view>(), "instruction_set"_a)
        .def("fill", &Refinement::fill, "disparity"_a.noconvert(), "image"_a.noconvert(), "result"_a.noconvert(),
             "threads"_a)
        .def("smooth", &Refinement::smooth, "disparity"_a.noconvert(), "confidence"_a.noconvert(),
             "image"_a.noconvert(), "result"_a.noconvert(), "confidence_result"_a.noconvert(), "threads"_a)
        .def("maps", &Refinement::maps, "disparity"_a.noconvert(), "confidence"_a.noconvert(), "image"_a.noconvert(),
             "maps"_a.noconvert(), "threads"_a)
        .def("choose", &Refinement::choose, "network"_a, "probability"_a.noconvert(), "shift"_a, "disparity"_a.noconvert(),
             "confidence"_a.noconvert(), "image"_a.noconvert(), "mask"_a.noconvert().none(), "result"_a.noconvert(),
             "confidence_result"_a.noconvert(), "threads"_a);
}
