// The patch network in whole numbers: what is the same for every instruction set.
#include "patch.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace salticid {
namespace {

constexpr std::size_t most_shift = 24;

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
    : taps_(std::move(taps), planes), kernels_(kernels) {
    if (layers.empty()) throw std::invalid_argument("a patch network has at least one layer");
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

}  // namespace salticid
