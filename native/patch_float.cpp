// The patch network in floating point: what is the same for every instruction set.
#include "patch_float.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace salticid {
namespace {

std::size_t units(const FloatLayerGiven& layer) { return rounded_up(layer.outputs, 4); }

void check(const FloatLayerGiven& layer, std::size_t inputs, bool last) {
    if (layer.inputs != inputs) throw std::invalid_argument("a layer must take what the one before it makes");
    if (layer.outputs < 1 || layer.outputs > (last ? patch_most_outputs : patch_most_units))
        throw std::invalid_argument("a hidden layer has 1 to 128 units, and the last layer 1 to 8 outputs");
}

}  // namespace

FloatPatchNetwork::FloatPatchNetwork(const FloatPatchKernels& kernels, std::vector<Tap> taps,
                                     const std::vector<FloatLayerGiven>& layers, std::size_t planes, float scale,
                                     int zero)
    : taps_(std::move(taps), planes), kernels_(kernels), zero_(zero) {
    if (layers.empty()) throw std::invalid_argument("a patch network has at least one layer");
    if (zero < 0 || zero > patch_most_input) throw std::invalid_argument("the zero of the inputs must be 0 to 127");
    std::size_t inputs = taps_.size(), count = 0;
    for (const FloatLayerGiven& layer : layers) {
        check(layer, inputs, &layer == &layers.back());
        count += units(layer) * (layer.inputs + 1);
        inputs = layer.outputs;
    }
    outputs_ = inputs;
    auto* numbers = reinterpret_cast<float*>(numbers_.take(count * sizeof(float)));
    std::fill_n(numbers, count, 0.0f);
    for (const FloatLayerGiven& layer : layers) {
        float* const bias = numbers + units(layer) * layer.inputs;
        layers_.push_back({numbers, bias, layer.inputs, units(layer)});
        for (std::size_t n = 0; n < layer.outputs; ++n)
            for (std::size_t input = 0; input < layer.inputs; ++input)
                numbers[(n / 4 * layer.inputs + input) * 4 + n % 4] =
                    layer.weights[n * layer.inputs + input] * (&layer == &layers.front() ? scale : 1.0f);
        std::copy_n(layer.bias, layer.outputs, bias);
        numbers = bias + units(layer);
    }
}

}  // namespace salticid
