// The module salticid._native: arguments checked, the GIL released, the kernel called.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "census.h"
#include "dispatch.h"
#include "sgm.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Gray = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::device::cpu>;
using Codes = nb::ndarray<std::uint64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

using Map = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using TileRanges = nb::ndarray<const std::uint32_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Counts = nb::ndarray<std::uint16_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

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

salticid::GrayImage view_of(const Gray& gray) {
    if (gray.shape(0) == 0 || gray.shape(1) == 0) throw std::invalid_argument("a view has no pixels");
    if (gray.shape(1) > 1 && gray.stride(1) != 1) throw std::invalid_argument("the columns of a view must be contiguous");
    return {gray.data(), gray.stride(0), gray.shape(0), gray.shape(1)};
}

// One matcher's options and memory.
class Sgm {
public:
    Sgm(std::string_view window, int paths, std::ptrdiff_t min_disparity, std::size_t num_disparities,
        std::array<std::uint8_t, 4> penalties, int uniqueness_percent, int left_right,
        std::string_view instruction_set)
        : set_(salticid::instruction_set(instruction_set)),
          options_{pattern(window), paths, min_disparity, num_disparities, penalties[0], penalties[1], penalties[2],
                   penalties[3], uniqueness_percent, left_right, 0} {
        if (paths != 4 && paths != 8) throw std::invalid_argument("paths must be 4 or 8");
        if (uniqueness_percent < 0 || uniqueness_percent > 100 || left_right < -1 || left_right > 4096)
            throw std::invalid_argument("uniqueness_percent: 0 to 100; left_right: -1 to 4096");
        if (num_disparities < 1 || num_disparities > 4096) throw std::invalid_argument("num_disparities: 1 to 4096");
        if (min_disparity < -4096 || min_disparity > 4096) throw std::invalid_argument("min_disparity: -4096 to 4096");
        if (penalties[1] > salticid::sgm_max_penalty || penalties[2] > penalties[1] || penalties[0] > penalties[1])
            throw std::invalid_argument("penalties: P1 and the least P2 up to P2, P2 up to 63");
    }

    void match(const Gray& left, const Gray& right, const std::optional<TileRanges>& ranges, const Map& disparity,
               const Map& confidence, std::optional<std::array<Counts, 6>> evidence, std::size_t threads,
               bool thrifty) {
        const salticid::GrayImage views[2] = {view_of(left), view_of(right)};
        const std::size_t height = views[0].height, width = views[0].width;
        const auto check = [&](const auto& array) {
            if (array.shape(0) != height || array.shape(1) != width)
                throw std::invalid_argument("views and results must be of one size");
        };
        check(right), check(disparity), check(confidence);
        salticid::SgmEvidence kept{};
        if (evidence) {
            for (const Counts& counts : *evidence) check(counts);
            const auto& e = *evidence;
            kept = {e[0].data(), e[1].data(), e[2].data(), e[3].data(), e[4].data(), e[5].data()};
        }
        const salticid::SgmResult result = {disparity.data(), confidence.data(), evidence ? &kept : nullptr};
        const salticid::SgmRange* of_tiles = ranges ? checked(*ranges, height, width) : nullptr;
        const nb::gil_scoped_release release;
        salticid::sgm_match(*workspace_, *set_.census, kernels(ranges.has_value()), with_band(height, thrifty),
                            views[0], views[1], of_tiles, threads, result);
    }

    std::size_t bytes(std::size_t height, std::size_t width, bool ranges, std::size_t threads, bool thrifty,
                      bool evidence) const {
        return salticid::sgm_bytes(kernels(ranges), with_band(height, thrifty), height, width, threads, evidence);
    }

private:
    const salticid::SgmKernels& kernels(bool ranges) const { return ranges ? *set_.sgm_narrow : *set_.sgm; }

    const salticid::SgmRange* checked(const TileRanges& ranges, std::size_t height, std::size_t width) const {
        const auto tiles = [](std::size_t pixels, std::size_t size) { return (pixels + size - 1) / size; };
        const std::size_t down = tiles(height, salticid::sgm_tile_height), across = tiles(width, salticid::sgm_tile_width);
        if (ranges.shape(0) != down || ranges.shape(1) != across || ranges.shape(2) != 2)
            throw std::invalid_argument("ranges must have first and count of each tile");
        constexpr std::size_t whole = salticid::sgm_range_multiple;
        const std::size_t most = tiles(options_.num_disparities, whole) * whole;
        const auto* all = reinterpret_cast<const salticid::SgmRange*>(ranges.data());
        for (const auto* range = all; range < all + down * across; ++range)
            if (range->count == 0 || range->count % whole != 0 || range->count > most ||
                range->first > most - range->count || range->first >= options_.num_disparities)
                throw std::invalid_argument("a range reaches beyond the search, or is no multiple of 32");
        return all;
    }

    static salticid::CensusPattern pattern(std::string_view window) {
        if (window == "5x5") return salticid::census_pattern_5x5;
        if (window == "7x7") return salticid::census_checkered_7x7;
        if (window == "9x7") return salticid::census_checkered_9x7;
        throw std::invalid_argument("window must be '5x5', '7x7' or '9x7'");
    }

    salticid::SgmOptions with_band(std::size_t height, bool thrifty) const {
        salticid::SgmOptions options = options_;
        options.band_rows = thrifty ? salticid::sgm_thrifty_band(height, options.paths) : 0;
        return options;
    }

    const salticid::InstructionSet& set_;
    salticid::SgmOptions options_;
    salticid::SgmWorkspacePointer workspace_ = salticid::make_sgm_workspace();
};

void compare_only(std::size_t count, std::string_view instruction_set) {
    const salticid::CensusKernels& kernels = *salticid::instruction_set(instruction_set).census;
    std::vector<std::int8_t> pixels(1024);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::int8_t>(i * 37);
    const nb::gil_scoped_release release;
    kernels.compare_only(pixels.data(), count);
}

}  // namespace

void bind_filters(nb::module_& module);     // bind_filter.cpp
void bind_labels(nb::module_& module);      // bind_label.cpp
void bind_refinement(nb::module_& module);  // bind_refine.cpp
void bind_upscaling(nb::module_& module);   // bind_upscale.cpp

NB_MODULE(_native, module) {
    module.doc() = "Kernels in C++; salticid.core.native says which of them this machine runs.";
    module.def("instruction_sets", &instruction_sets);
    module.def("census", &census, "gray"_a.noconvert(), "codes"_a.noconvert(), "window"_a, "threads"_a,
               "instruction_set"_a);
    nb::class_<Sgm>(module, "Sgm")
        .def(nb::init<std::string_view, int, std::ptrdiff_t, std::size_t, std::array<std::uint8_t, 4>, int, int,
                      std::string_view>(),
             "window"_a, "paths"_a, "min_disparity"_a, "num_disparities"_a, "penalties"_a, "uniqueness_percent"_a,
             "left_right"_a, "instruction_set"_a)
        .def("match", &Sgm::match, "left"_a.noconvert(), "right"_a.noconvert(), "ranges"_a.noconvert().none(),
             "disparity"_a.noconvert(), "confidence"_a.noconvert(), "evidence"_a.noconvert().none(), "threads"_a,
             "thrifty"_a)
        .def("bytes", &Sgm::bytes, "height"_a, "width"_a, "ranges"_a, "threads"_a, "thrifty"_a, "evidence"_a);
    module.def("census_compare_only", &compare_only, "count"_a, "instruction_set"_a);
    bind_filters(module);
    bind_labels(module);
    bind_refinement(module);
    bind_upscaling(module);
}
