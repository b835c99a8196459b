// The patch network: what is the same for every instruction set.
#include "patch.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "parallel.h"

namespace salticid {
namespace {

constexpr std::size_t most_shift = 24, most_tap_shift = 8;
constexpr std::int16_t middle = 64;  // the input of a tap that equals what it is compared with

constexpr std::size_t step = 8;  // pixels that are copied at once
constexpr std::size_t gathered_row = 2 * patch_vector;

// The next pixel from `x` on that is in the mask, or that is not; `width` if there is none.
template <bool WANTED>
std::size_t next_of(const std::uint8_t* mask, std::size_t x, std::size_t width) {
    for (std::uint64_t eight; !WANTED ? false : x + sizeof eight <= width; x += sizeof eight) {
        std::memcpy(&eight, mask + x, sizeof eight);
        if (eight != 0) break;
    }
    while (x < width && (mask[x] != 0) != WANTED) ++x;
    return x;
}

std::size_t in_fours(std::size_t count) { return rounded_up(count, 4); }

std::size_t weight_count(const LayerGiven& layer) { return in_fours(layer.outputs) * in_fours(layer.inputs); }

void pack(const LayerGiven& layer, std::size_t repeats, std::int8_t* to) {
    std::fill_n(to, weight_count(layer) * repeats, std::int8_t{0});
    for (std::size_t output = 0; output < layer.outputs; ++output)
        for (std::size_t input = 0; input < layer.inputs; ++input) {
            const std::size_t group = output / 4 * (in_fours(layer.inputs) / 4) + input / 4;
            std::int8_t* four = to + 4 * repeats * (4 * group + output % 4);
            for (std::size_t n = 0; n < repeats; ++n)
                four[4 * n + input % 4] = layer.weights[output * layer.inputs + input];
        }
}

// For every four outputs: whether the products of two neighboring inputs and of the two inputs four further on, added
// up, fit 16 bits whatever the activations are. Of each two groups of four inputs, from the first on.
std::vector<std::uint8_t> two_fit(const LayerGiven& layer) {
    std::vector<std::uint8_t> fit(in_fours(layer.outputs) / 4, 1);
    for (std::size_t output = 0; output < layer.outputs; ++output)
        for (std::size_t first = 0; first + 4 < layer.inputs; first += first % 8 == 2 ? 6 : 2) {
            int most = 0, least = 0;
            for (const std::size_t input : {first, first + 1, first + 4, first + 5}) {
                const int weight = input < layer.inputs ? layer.weights[output * layer.inputs + input] : 0;
                (weight > 0 ? most : least) += weight;
            }
            if (127 * most > INT16_MAX || 127 * least < INT16_MIN) fit[output / 4] = 0;
        }
    return fit;
}

std::vector<std::int32_t> padded(const std::int32_t* numbers, std::size_t count) {
    std::vector<std::int32_t> longer(numbers, numbers + count);
    longer.resize(in_fours(count));
    return longer;
}

void check(const LayerGiven& layer, std::size_t inputs, bool last) {
    if (layer.inputs != inputs) throw std::invalid_argument("a layer must take what the one before it makes");
    if (layer.outputs < 1 || layer.outputs > (last ? patch_most_outputs : patch_most_units))
        throw std::invalid_argument("a hidden layer has 1 to 128 units, and the last layer 1 to 8 outputs");
    for (std::size_t n = 0; n < layer.outputs; ++n) {
        if (layer.shift[n] < 0 || layer.shift[n] > static_cast<std::int32_t>(most_shift))
            throw std::invalid_argument("shifts of a layer must be 0 to 24");
        if (!last && layer.shift[n] != layer.shift[0])
            throw std::invalid_argument("a hidden layer has one shift for all units");
        std::int64_t largest = std::abs(std::int64_t{layer.bias[n]});
        for (std::size_t input = 0; input < inputs; ++input)
            largest += 127 * std::abs(std::int64_t{layer.weights[n * inputs + input]});
        if (largest > INT32_MAX) throw std::invalid_argument("a sum could overflow 32 bits");
    }
}

}  // namespace

PatchNetwork::PatchNetwork(const PatchKernels& kernels, std::vector<Tap> taps, const std::vector<LayerGiven>& layers,
                           std::size_t planes)
    : taps_(std::move(taps)), kernels_(kernels), planes_(planes) {
    if (layers.empty() || taps_.empty() || taps_.size() > patch_most_units)
        throw std::invalid_argument("a patch network has 1 to 128 taps and at least one layer");
    for (const Tap& tap : taps_) {
        reach_ = std::max({reach_, tap.dx, -tap.dx});
        if (tap.plane >= planes || tap.center >= static_cast<std::ptrdiff_t>(planes))
            throw std::invalid_argument("a tap names a plane that is not there");
        if (tap.shift < 0 || tap.shift > static_cast<int>(most_tap_shift))
            throw std::invalid_argument("shifts of a tap must be 0 to 8");
        if (std::max({tap.dy, -tap.dy, tap.dx, -tap.dx}) > patch_most_reach)
            throw std::invalid_argument("a tap is at most 127 px away");
    }
    std::size_t inputs = taps_.size();
    for (const LayerGiven& layer : layers) {
        check(layer, inputs, &layer == &layers.back());
        inputs = layer.outputs;
    }
    outputs_ = inputs;
    std::size_t bytes = 0;
    for (const LayerGiven& layer : layers) bytes += rounded_up(weight_count(layer) * kernels.repeats, memory_alignment);
    auto* weights = reinterpret_cast<std::int8_t*>(weights_.take(bytes));
    for (const LayerGiven& layer : layers) {
        pack(layer, kernels.repeats, weights);
        numbers_.push_back(padded(layer.bias, layer.outputs));
        numbers_.push_back(padded(layer.shift, layer.outputs));
        fits_.push_back(two_fit(layer));
        std::vector<std::int32_t>& shift = numbers_.back();
        std::fill(shift.begin() + static_cast<std::ptrdiff_t>(layer.outputs), shift.end(), layer.shift[0]);
        layers_.push_back({weights, numbers_.end()[-2].data(), shift.data(), in_fours(layer.inputs),
                           in_fours(layer.outputs), fits_.back().data()});
        weights += rounded_up(weight_count(layer) * kernels.repeats, memory_alignment);
    }
}

PatchRunner::PatchRunner(const PatchNetwork& network, const Plane* planes, std::size_t height, std::size_t width)
    : network_(network), planes_(planes, planes + network.planes()), height_(height), width_(width),
      centers_(network.planes()) {
    const std::size_t row = rounded_up(width, patch_vector) + patch_vector, taps = in_fours(network.taps().size());
    const std::size_t outputs = in_fours(network.outputs());
    const std::size_t pixels = (1 + outputs) * row + (taps + network.planes() + outputs) * gathered_row;
    auto* memory = reinterpret_cast<std::int16_t*>(memory_.take(pixels * sizeof(std::int16_t)));
    const auto take = [&](std::size_t length) {
        memory += length;
        return memory - length;
    };
    zeros_ = take(row);
    std::fill_n(zeros_, row, std::int16_t{0});
    for (std::size_t n = 0; n < outputs; ++n) {
        outputs_.push_back(take(row));
        std::fill_n(outputs_.back(), row, std::int16_t{0});
    }
    for (std::size_t n = 0; n < outputs; ++n) found_.push_back(take(gathered_row));
    for (std::size_t n = 0; n < network.planes(); ++n) near_centers_.push_back(take(gathered_row));
    for (const Tap& tap : network.taps()) {
        const bool absolute = tap.center < 0;
        const std::int16_t* center = absolute ? zeros_ : near_centers_[static_cast<std::size_t>(tap.center)];
        near_values_.push_back(take(gathered_row));
        gathered_.push_back({near_values_.back(), center, absolute ? std::int16_t{0} : middle,
                             static_cast<std::int16_t>(tap.shift)});
    }
    gathered_.resize(taps, {zeros_, zeros_, 0, 0});
    taps_ = gathered_;
}

void PatchRunner::point_at(std::size_t y) {
    const auto row = static_cast<std::ptrdiff_t>(y), last = static_cast<std::ptrdiff_t>(height_) - 1;
    for (std::size_t n = 0; n < planes_.size(); ++n) centers_[n] = planes_[n].pixels + row * planes_[n].stride;
    for (std::size_t n = 0; n < network_.taps().size(); ++n) {
        const Tap& tap = network_.taps()[n];
        const Plane& plane = planes_[tap.plane];
        taps_[n].values = plane.pixels + std::clamp<std::ptrdiff_t>(row + tap.dy, 0, last) * plane.stride + tap.dx;
        if (tap.center >= 0) taps_[n].center = centers_[static_cast<std::size_t>(tap.center)];
    }
}

void PatchRunner::run(std::size_t y, const std::uint8_t* mask) {
    point_at(y);
    if (mask == nullptr) return run_kernel(taps_, width_, outputs_.data());
    std::size_t count = 0;
    for (std::size_t x = next_of<true>(mask, 0, width_); x < width_;) {
        const std::size_t end = std::min(next_of<false>(mask, x, width_), x + patch_vector - count);
        runs_.push_back({x, end - x});
        count += end - x;
        if (count == patch_vector) {
            run_gathered(count);
            count = 0;
        }
        x = next_of<true>(mask, end, width_);
    }
    if (count > 0) run_gathered(count);
}

// The pixels are brought together, so that no lane is spent on another.
void PatchRunner::run_gathered(std::size_t count) {
    for (std::size_t n = 0; n < near_values_.size(); ++n) gather(taps_[n].values, near_values_[n]);
    for (std::size_t n = 0; n < planes_.size(); ++n) gather(centers_[n], near_centers_[n]);
    run_kernel(gathered_, count, found_.data());
    for (std::size_t n = 0; n < network_.outputs(); ++n) {
        const std::int16_t* from = found_[n];
        for (const Run& run : runs_) {
            std::copy_n(from, run.count, outputs_[n] + run.column);
            from += run.count;
        }
    }
    runs_.clear();
}

void PatchRunner::gather(const std::int16_t* from, std::int16_t* to) const {
    for (const Run& run : runs_) {
        for (std::size_t x = 0; x < run.count; x += step)  // the next run writes over what is too much
            std::memcpy(to + x, from + run.column + x, step * sizeof *to);
        to += run.count;
    }
}

void PatchRunner::run_kernel(const std::vector<TapRow>& taps, std::size_t width, std::int16_t* const* outputs) const {
    network_.kernels().run({taps.data(), network_.layers().data(), network_.layers().size(), width, outputs});
}

void run_patches(const PatchNetwork& network, const Plane* planes, std::size_t height, std::size_t width,
                 const std::uint8_t* mask, std::size_t threads, std::int16_t* outputs) {
    const auto reach = static_cast<std::size_t>(network.reach());
    const std::size_t stride = width + 2 * reach + patch_vector;
    Memory memory;
    auto* pixels = reinterpret_cast<std::int16_t*>(memory.take(network.planes() * height * stride * sizeof(std::int16_t)));
    std::vector<Plane> padded;
    for (std::size_t n = 0; n < network.planes(); ++n) {
        std::int16_t* plane = pixels + n * height * stride;
        padded.push_back({plane + reach, static_cast<std::ptrdiff_t>(stride)});
        for (std::size_t y = 0; y < height; ++y) {
            const std::int16_t* from = planes[n].pixels + static_cast<std::ptrdiff_t>(y) * planes[n].stride;
            std::int16_t* row = plane + y * stride;
            std::fill_n(row, reach, from[0]);
            std::copy_n(from, width, row + reach);
            std::fill_n(row + reach + width, reach + patch_vector, from[width - 1]);
        }
    }
    for_each_band(height, threads, [&](std::size_t first, std::size_t end) {
        PatchRunner runner(network, padded.data(), height, width);
        for (std::size_t y = first; y < end; ++y) {
            const std::uint8_t* wanted = mask == nullptr ? nullptr : mask + y * width;
            runner.run(y, wanted);
            std::int16_t* to = outputs + y * width * network.outputs();
            for (std::size_t x = 0; x < width; ++x)
                for (std::size_t n = 0; n < network.outputs(); ++n)
                    *to++ = wanted == nullptr || wanted[x] != 0 ? runner.output(n)[x] : std::int16_t{0};
        }
    });
}

}  // namespace salticid
