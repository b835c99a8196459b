// A network of plain 3x3 convolutions that makes an image several times as large, in 8 bits from end to end.
//
// Every number between two layers, the image and the result included, is an unsigned byte; weights are signed bytes. An
// output is
//
//     clip(round(float(bias + sum of weight * input) * multiplier), 0, 255)
//
// over 3 x 3 pixels and all channels, of two whole numbers as near the even one; beyond the image inputs are 0. Sums
// stay below 2^24, so that a float holds them exactly. The last layer takes the features and after them some copies of
// the image, and its channels are shuffled to the pixels of the large image (Shi et al. 2016).
//
// Layers are not computed one after another: of every layer only four rows are kept, in a ring. Two rows of the image
// enter, every layer makes the two rows that have become possible, and twice `scale` rows of the result leave. So the
// memory does not depend on the height of the image, and what a layer reads was written a moment ago. An image is cut
// into parts for threads and, where it is wide, for the cache; a part computes again what it needs of its neighbors'
// layers, which changes no bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace salticid {

constexpr std::size_t plain_net_most_channels = 1024, plain_net_most_layers = 64, plain_net_most_scale = 8;
constexpr float plain_net_most_multiplier = 64;  // 2^24 times that is a whole number of 32 bits

// Layers of so many inputs are computed in tiles of 2x2 pixels by the kernels that can (plain_net_tiles_avx2.cpp); of
// fewer, what comes before and after the products takes too long.
constexpr std::size_t plain_net_least_tile_inputs = 12, plain_net_most_tile_inputs = 64;
constexpr std::size_t plain_net_tile_places = 16, plain_net_tile_channels = 16;

// Inputs are taken in steps of four bytes, in the order of rows, columns and channels; these are padded to fours by
// zeros. Two steps go together: their products with the weights, added up in twos, fit 16 bits when they are added.
// Weights lie in the order in which they are used: for a vector of outputs after another, for two steps after another,
// the weights of all outputs for the first, then those for the second. Outputs are padded to whole vectors.
//
// Weights for tiles: for 16 outputs after another, for each of 16 places, for two inputs after another, both weights of
// each output; inputs are padded to sixteens. Null where the layer is not computed in tiles.
struct PackedConvolution {
    const std::int8_t* weights;
    const std::int16_t* tile_weights;
    const std::int32_t* bias;  // padded to sixteens, as multipliers are
    const float* multiplier;
    std::size_t inputs, outputs, vectors, pairs;
};

// What of one layer is to be computed: two rows of pixels side by side.
struct ConvolvedRows {
    const PackedConvolution* layer;
    const std::uint8_t* inputs[4];  // from the row before the first to the one after the second, one pixel to the left
    std::size_t stride, pixels;     // bytes of a pixel of the inputs
    std::uint8_t* to[2];            // null where a row is not wanted
    std::size_t to_stride;
};

// How the weights of a vector of outputs for a step lie: the four of an output side by side, or those of one input.
enum class WeightOrder { by_output, by_input };

struct PlainNetKernels {
    std::size_t lanes;     // outputs in a vector, up to 16
    std::int32_t lowered;  // what the kernel takes from every input, since it multiplies signed bytes; else 0
    WeightOrder order;
    bool has_tiles;
    void (*convolve)(const ConvolvedRows& rows);  // may read 16 bytes and a pixel beyond the inputs
};

extern const PlainNetKernels plain_net_scalar;
extern const PlainNetKernels plain_net_avx2;
extern const PlainNetKernels plain_net_avx512;
extern const PlainNetKernels plain_net_neon;

// A layer as it is written down: weights[((output * inputs + input) * 3 + y) * 3 + x].
struct ConvolutionGiven {
    const std::int8_t* weights;
    const std::int32_t* bias;
    const float* multiplier;
    std::size_t inputs, outputs;
};

struct ColorImage {
    const std::uint8_t* pixels;  // three bytes each
    std::ptrdiff_t row_stride;
    std::size_t height, width;  // each at least 1
};

struct LargeImage {
    std::uint8_t* pixels;
    std::ptrdiff_t row_stride;
};

class PlainNet {
public:
    struct Layer {
        PackedConvolution packed;
        std::size_t stride;  // bytes of a pixel of its inputs
    };

    // Throws std::invalid_argument where the layers do not fit each other, are too large, or have weights whose
    // products do not fit 16 bits as said above.
    PlainNet(const PlainNetKernels& kernels, const std::vector<ConvolutionGiven>& layers, std::size_t scale,
             std::size_t repeats);

    const std::vector<Layer>& layers() const { return layers_; }
    std::size_t scale() const { return scale_; }
    std::size_t repeats() const { return repeats_; }
    void convolve(const ConvolvedRows& rows) const { kernels_.convolve(rows); }

    // Writes `scale` times as many rows and columns as the image has. They overlap nowhere.
    void enlarge(const ColorImage& image, std::size_t threads, const LargeImage& result) const;

private:
    std::size_t packed_bytes(const ConvolutionGiven& layer) const;
    std::int8_t* pack(const ConvolutionGiven& layer, bool last, std::int8_t* to);
    const std::int16_t* pack_tiles(const ConvolutionGiven& layer, bool last, std::int8_t* bytes) const;

    const PlainNetKernels& kernels_;
    std::size_t scale_, repeats_;
    std::vector<Layer> layers_;
    Memory weights_;
    std::vector<std::vector<std::int32_t>> biases_;
    std::vector<std::vector<float>> multipliers_;
};

}  // namespace salticid
