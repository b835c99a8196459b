// The weights of a plain network, checked and laid out as kernels take them.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "plain_net.h"

namespace salticid {
namespace {

constexpr std::size_t colors = 3, window = 3, taps = window * window;
constexpr std::int64_t most_sum = (std::int64_t{1} << 24) - 1;
constexpr int most_weight_sum = 128;  // times 255 it fits 16 bits

void expect(bool holds, const char* otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
}

std::size_t padded(std::size_t channels) { return rounded_up(channels, 4); }

std::size_t pairs_of(std::size_t inputs) { return (taps * padded(inputs) / 4 + 1) / 2; }

std::size_t in_sixteens(std::size_t channels) { return rounded_up(channels, plain_net_tile_channels); }

const std::int8_t* weights_of(const ConvolutionGiven& layer, std::size_t output, std::size_t input) {
    return layer.weights + (output * layer.inputs + input) * taps;
}

void check_sums(const ConvolutionGiven& layer) {
    for (std::size_t n = 0; n < layer.outputs; ++n) {
        expect(layer.multiplier[n] >= 0 && layer.multiplier[n] <= plain_net_most_multiplier,
               "multipliers must be 0 to 64");
        std::int64_t largest = std::abs(std::int64_t{layer.bias[n]});
        const std::int8_t* weights = weights_of(layer, n, 0);
        for (std::size_t k = 0; k < taps * layer.inputs; ++k) largest += 255 * std::abs(std::int64_t{weights[k]});
        expect(largest <= most_sum, "a sum could reach 2^24");
    }
}

// The weights of an output, in steps, with the zeros that fill these.
std::vector<std::int8_t> in_steps(const ConvolutionGiven& layer, std::size_t output) {
    std::vector<std::int8_t> weights(8 * pairs_of(layer.inputs));
    for (std::size_t input = 0; input < layer.inputs; ++input)
        for (std::size_t tap = 0; tap < taps; ++tap)
            weights[tap * padded(layer.inputs) + input] = weights_of(layer, output, input)[tap];
    return weights;
}

// Whether what is added up in 16 bits fits: two products of a step, and two of the next at the same places.
void check_steps(const std::vector<std::int8_t>& weights) {
    for (std::size_t n = 0; n < weights.size(); n += n % 8 == 0 ? 2 : 6) {
        int most = 0, least = 0;
        for (const int weight : {weights[n], weights[n + 1], weights[n + 4], weights[n + 5]})
            (weight > 0 ? most : least) += weight;
        expect(most <= most_weight_sum && least >= -most_weight_sum,
               "the weights of two steps add up to more than 128, or less than -128");
    }
}

// Four times G w G': the weights of one output and input at the 16 places of a tile.
void transform(const std::int8_t* weights, int (&to)[plain_net_tile_places]) {
    constexpr int twice_g[4][window] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};
    for (std::size_t place = 0; place < plain_net_tile_places; ++place) {
        to[place] = 0;
        for (std::size_t tap = 0; tap < taps; ++tap)
            to[place] += twice_g[place / 4][tap / window] * twice_g[place % 4][tap % window] * weights[tap];
    }
}

bool fits_tiles(const ConvolutionGiven& layer) {
    return layer.inputs >= plain_net_least_tile_inputs && layer.inputs <= plain_net_most_tile_inputs;
}

std::size_t tile_weight_count(const ConvolutionGiven& layer) {
    return plain_net_tile_places * in_sixteens(layer.inputs) * in_sixteens(layer.outputs);
}

// Which output of a layer comes in place `n`: in the last layer they lie as the pixels do, rows, columns, colors.
std::size_t output_at(std::size_t n, bool last, std::size_t scale) {
    return last ? n % colors * (scale * scale) + n / colors : n;
}

}  // namespace

PlainNet::PlainNet(const PlainNetKernels& kernels, const std::vector<ConvolutionGiven>& layers, std::size_t scale,
                   std::size_t repeats)
    : kernels_(kernels), scale_(scale), repeats_(repeats) {
    expect(layers.size() >= 2 && layers.size() <= plain_net_most_layers, "a network has 2 to 64 layers");
    expect(scale >= 1 && scale <= plain_net_most_scale, "the scale must be 1 to 8");
    expect(repeats <= plain_net_most_channels, "there are too many copies of the image");
    std::size_t inputs = colors, bytes = 0;
    for (const ConvolutionGiven& layer : layers) {
        if (&layer == &layers.back()) inputs += repeats * colors;
        expect(layer.inputs == inputs, "a layer must take what the one before it makes");
        expect(layer.outputs >= 1 && layer.outputs <= plain_net_most_channels, "a layer has 1 to 1024 channels");
        inputs = layer.outputs;
        check_sums(layer);
        bytes += packed_bytes(layer);
    }
    expect(inputs == colors * scale * scale, "the last layer must make 3 * scale * scale channels");
    auto* to = reinterpret_cast<std::int8_t*>(weights_.take(bytes));
    std::fill_n(to, bytes, std::int8_t{0});
    for (const ConvolutionGiven& layer : layers) to = pack(layer, &layer == &layers.back(), to);
}

std::size_t PlainNet::packed_bytes(const ConvolutionGiven& layer) const {
    const std::size_t bytes = 8 * pairs_of(layer.inputs) * rounded_up(layer.outputs, kernels_.lanes);
    const bool tiles = kernels_.has_tiles && fits_tiles(layer);
    return rounded_up(bytes, memory_alignment) + (tiles ? tile_weight_count(layer) * sizeof(std::int16_t) : 0);
}

// Returns where the next layer may lie.
std::int8_t* PlainNet::pack(const ConvolutionGiven& layer, bool last, std::int8_t* to) {
    const std::size_t lanes = kernels_.lanes, pairs = pairs_of(layer.inputs);
    const std::size_t vectors = rounded_up(layer.outputs, lanes) / lanes;
    std::vector<std::int32_t> bias(in_sixteens(layer.outputs));
    std::vector<float> multiplier(in_sixteens(layer.outputs));
    for (std::size_t n = 0; n < layer.outputs; ++n) {
        const std::size_t output = output_at(n, last, scale_);
        bias[n] = layer.bias[output];
        multiplier[n] = layer.multiplier[output];
        const std::vector<std::int8_t> steps = in_steps(layer, output);
        check_steps(steps);
        const bool by_output = kernels_.order == WeightOrder::by_output;
        std::int8_t* lane = to + n / lanes * (lanes * steps.size()) + n % lanes * (by_output ? 4 : 1);
        for (std::size_t k = 0; k < steps.size(); ++k) {
            lane[k / 4 * (4 * lanes) + k % 4 * (by_output ? 1 : lanes)] = steps[k];
            bias[n] += kernels_.lowered * steps[k];
        }
    }
    const std::int16_t* tiles = nullptr;
    if (kernels_.has_tiles && fits_tiles(layer))
        tiles = pack_tiles(layer, last, to + rounded_up(8 * pairs * vectors * lanes, memory_alignment));
    biases_.push_back(std::move(bias));
    multipliers_.push_back(std::move(multiplier));
    const PackedConvolution packed = {to, tiles, biases_.back().data(), multipliers_.back().data(), layer.inputs,
                                      layer.outputs, vectors, pairs};
    layers_.push_back({packed, padded(layer.inputs)});
    return to + packed_bytes(layer);
}

const std::int16_t* PlainNet::pack_tiles(const ConvolutionGiven& layer, bool last, std::int8_t* bytes) const {
    constexpr std::size_t sixteen = plain_net_tile_channels;
    auto* to = reinterpret_cast<std::int16_t*>(bytes);
    const std::size_t of_place = in_sixteens(layer.inputs) * sixteen;
    for (std::size_t n = 0; n < layer.outputs; ++n)
        for (std::size_t input = 0; input < layer.inputs; ++input) {
            int weights[plain_net_tile_places];
            transform(weights_of(layer, output_at(n, last, scale_), input), weights);
            std::int16_t* lane = to + n / sixteen * (plain_net_tile_places * of_place) + n % sixteen * 2 +
                                 input / 2 * (2 * sixteen) + input % 2;
            for (std::size_t place = 0; place < plain_net_tile_places; ++place)
                lane[place * of_place] = static_cast<std::int16_t>(weights[place]);
        }
    return to;
}

}  // namespace salticid
