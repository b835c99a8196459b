// Compares every instruction set of this CPU with "scalar", bit by bit, on pseudo-random views of awkward sizes; only
// networks in floating point, which round differently, to within a part in 10,000.
//
// It needs neither Python nor a test framework, so that it also runs where those do not: under sanitizers, in an
// emulator of another CPU. It prints what it compared and a digest of all results, which is the same on every CPU;
// at the first difference it says where, and exits with 1.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "census.h"
#include "dispatch.h"
#include "filter.h"
#include "label.h"
#include "patch_runner.h"
#include "plain_net.h"
#include "refine.h"
#include "sgm.h"

namespace {

using salticid::InstructionSet;

// ---- Views

// The same numbers everywhere, which the distributions of the standard library do not promise (Vigna's SplitMix64).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::size_t below(std::size_t limit) {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return static_cast<std::size_t>((z ^ z >> 31) % limit);
    }

private:
    std::uint64_t state_;
};

// Pixels whose memory ends with the last of them, so that reading farther is a fault; rows may lie apart, or the last
// one first.
template <class Pixel>
class Raster {
public:
    Raster(std::size_t height, std::size_t width, std::size_t gap, bool upside_down)
        : height_(height), width_(width), stride_(width + gap), upside_down_(upside_down),
          pixels_((height - 1) * stride_ + width, Pixel{77}) {}

    Pixel& at(std::size_t y, std::size_t x) { return pixels_[(upside_down_ ? height_ - 1 - y : y) * stride_ + x]; }

    const Pixel* first() const { return pixels_.data() + (upside_down_ ? (height_ - 1) * stride_ : 0); }
    Pixel* first() { return pixels_.data() + (upside_down_ ? (height_ - 1) * stride_ : 0); }
    std::ptrdiff_t stride() const { return static_cast<std::ptrdiff_t>(stride_) * (upside_down_ ? -1 : 1); }
    std::size_t height() const { return height_; }
    std::size_t width() const { return width_; }
    const std::vector<Pixel>& pixels() const { return pixels_; }  // and what lies between the rows

private:
    std::size_t height_, width_, stride_;
    bool upside_down_;
    std::vector<Pixel> pixels_;
};

template <class Pixel>
Raster<Pixel> make_raster(Random& random, std::size_t height, std::size_t width) {
    const std::size_t gap = random.below(3) * 5;
    return Raster<Pixel>(height, width, gap, random.below(2) == 1);
}

using Image = Raster<std::uint8_t>;

salticid::GrayImage view(const Image& image) { return {image.first(), image.stride(), image.height(), image.width()}; }

struct Pair {
    Image left, right;
};

// Noise, ramps and flat fields, black and white among them: matches, ties, and nothing to go by.
std::uint8_t texture(Random& random, std::size_t y, std::size_t x) {
    switch ((x / 11 + y / 5) % 4) {
        case 0: return y / 5 % 2 == 0 ? 0 : 255;
        case 1: return static_cast<std::uint8_t>(9 * x + 3 * y);
        default: return static_cast<std::uint8_t>(random.below(256));
    }
}

// The right view is the left one moved by a disparity of the search: five rows by one of the last, five by any.
Pair make_pair(Random& random, std::size_t height, std::size_t width, std::ptrdiff_t first, std::size_t count) {
    Pair pair = {make_raster<std::uint8_t>(random, height, width), make_raster<std::uint8_t>(random, height, width)};
    const auto end = static_cast<std::ptrdiff_t>(width);
    std::size_t any = 0, late = 0;
    for (std::size_t y = 0; y < height; ++y) {
        if (y % 5 == 0) {
            any = random.below(count);
            late = count - 1 - random.below(std::min<std::size_t>(count, 8));
        }
        const std::ptrdiff_t shift = first + static_cast<std::ptrdiff_t>(y / 5 % 2 == 0 ? late : any);
        for (std::size_t x = 0; x < width; ++x) pair.left.at(y, x) = texture(random, y, x);
        for (std::ptrdiff_t x = 0; x < end; ++x) {
            const auto from = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(x + shift, 0, end - 1));
            const std::size_t noise = random.below(4) / 3;
            pair.right.at(y, static_cast<std::size_t>(x)) = static_cast<std::uint8_t>(pair.left.at(y, from) + noise);
        }
    }
    return pair;
}

// ---- Comparing

std::uint64_t digest = 0xcbf29ce484222325;

template <class T>
void digest_in(const std::vector<T>& values) {  // FNV-1a
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    for (std::size_t n = 0; n < values.size() * sizeof(T); ++n) digest = (digest ^ bytes[n]) * 0x100000001b3;
}

template <class T>
void expect_same(const std::vector<T>& expected, const std::vector<T>& found, std::size_t width, const char* array,
                 const std::string& what) {
    for (std::size_t n = 0; n < expected.size(); ++n) {
        if (std::memcmp(&expected[n], &found[n], sizeof(T)) == 0) continue;
        std::ostringstream text;
        text << what << ": " << array << " at row " << n / width << ", column " << n % width << " is " << found[n]
             << ", not " << expected[n] << '\n';
        std::fputs(text.str().c_str(), stderr);
        std::exit(1);
    }
}

const InstructionSet& scalar() { return salticid::instruction_set("scalar"); }

template <class Pixel>
std::string described(const char* step, const char* window, const InstructionSet& set, const Raster<Pixel>& raster,
                      std::size_t threads) {
    std::ostringstream text;
    text << step << ' ' << window << " of " << raster.height() << " x " << raster.width() << ", " << set.name << " in "
         << threads << " threads";
    return text.str();
}

// ---- The census

void compare_census(const InstructionSet& set, const Image& image, std::size_t threads) {
    const std::size_t pixels = image.height() * image.width();
    std::vector<std::uint64_t> expected(pixels), found(pixels);
    for (const auto& [name, transform] : {std::pair{"5x5", salticid::census_5x5}, {"9x7", salticid::census_9x7}}) {
        transform(*scalar().census, view(image), 1, expected.data());
        transform(*set.census, view(image), threads, found.data());
        expect_same(expected, found, image.width(), "the code", described("census", name, set, image, threads));
        if (&set == &scalar()) digest_in(expected);
    }
}

std::size_t compare_census() {
    Random random(1);
    std::size_t compared = 0;
    for (const std::size_t height : {1, 2, 6, 7, 11})
        for (const std::size_t width : {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 130}) {
            const Pair pair = make_pair(random, height, width, 0, 8);
            for (const InstructionSet& set : salticid::instruction_sets())
                for (const Image* image : {&pair.left, &pair.right}) compare_census(set, *image, 1 + compared++ % 3);
        }
    return compared;
}

// ---- Filters

using Map = Raster<float>;

salticid::MapRows<float> rows(Map& map) { return {map.first(), map.stride(), map.height(), map.width()}; }
salticid::MapRows<const float> rows(const Map& map) { return {map.first(), map.stride(), map.height(), map.width()}; }

Map make_map(Random& random, std::size_t height, std::size_t width) {
    constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    Map map = make_raster<float>(random, height, width);
    for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
            const std::size_t kind = random.below(16);
            const float known = static_cast<float>(random.below(9)) * 0.25f - 1.0f;
            map.at(y, x) = kind < 3 ? nan : kind == 3 ? infinity : kind == 4 ? -infinity : known;
        }
    return map;
}

void compare_filters(const InstructionSet& set, const Map& map, std::size_t threads) {
    Map expected = map, found = map;
    salticid::median_of_known(*scalar().filters, rows(map), 1, rows(expected));
    salticid::median_of_known(*set.filters, rows(map), threads, rows(found));
    const auto stride = static_cast<std::size_t>(std::abs(map.stride()));
    expect_same(expected.pixels(), found.pixels(), stride, "the value", described("median", "3x3", set, map, threads));
    if (&set == &scalar()) digest_in(expected.pixels());

    salticid::remove_speckles(rows(expected), 5, 0.25f, 1);
    salticid::remove_speckles(rows(found), 5, 0.25f, threads);
    expect_same(expected.pixels(), found.pixels(), stride, "the value", described("speckles", "", set, map, threads));
    if (&set == &scalar()) digest_in(expected.pixels());
}

std::size_t compare_filters() {
    Random random(2);
    std::size_t compared = 0;
    for (const std::size_t height : {1, 2, 3, 8})
        for (const std::size_t width : {1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 64, 511, 512, 513, 1025}) {
            const Map map = make_map(random, height, width);
            for (const InstructionSet& set : salticid::instruction_sets())
                for (const std::size_t threads : {1, 2, 3}) {
                    compare_filters(set, map, threads);
                    ++compared;
                }
        }
    return compared;
}

// ---- Patch networks and refinement

struct Weights {
    std::vector<std::int8_t> weights;
    std::vector<std::int32_t> bias, shift;
};

// Weights so large that sums of 16 bits would overflow, and so small that they do not; among them 0.
Weights make_layer(Random& random, std::size_t inputs, std::size_t outputs) {
    Weights layer;
    const std::size_t most = random.below(2) == 0 ? 127 : 20;
    for (std::size_t n = 0; n < inputs * outputs; ++n)
        layer.weights.push_back(static_cast<std::int8_t>(static_cast<int>(random.below(2 * most + 1)) -
                                                         static_cast<int>(most)));
    for (std::size_t n = 0; n < outputs; ++n) {
        layer.bias.push_back(static_cast<std::int32_t>(random.below(20001)) - 10000);
        layer.shift.push_back(6);
    }
    return layer;
}

// A network of any shape, or, for a refinement, of its four outputs.
struct Brain {
    std::vector<salticid::Tap> taps;
    std::vector<Weights> weights;

    Brain(Random& random, std::size_t planes, std::size_t reach, std::size_t outputs) {
        const std::size_t count = 1 + random.below(60);
        for (std::size_t n = 0; n < count; ++n) {
            const auto offset = [&] {
                return static_cast<std::ptrdiff_t>(random.below(2 * reach + 1)) - static_cast<std::ptrdiff_t>(reach);
            };
            const auto center = static_cast<std::ptrdiff_t>(random.below(planes + 1)) - 1;
            taps.push_back({random.below(planes), offset(), offset(), center, static_cast<int>(random.below(9))});
        }
        std::size_t inputs = count;
        for (std::size_t hidden = random.below(3); hidden > 0; --hidden) {
            const std::size_t units = 1 + random.below(40);
            weights.push_back(make_layer(random, inputs, units));
            inputs = units;
        }
        weights.push_back(make_layer(random, inputs, outputs));
    }

    salticid::PatchNetwork on(const InstructionSet& set, std::size_t planes) const {
        std::vector<salticid::LayerGiven> layers;
        std::size_t inputs = taps.size();
        for (const Weights& layer : weights) {
            layers.push_back({layer.weights.data(), layer.bias.data(), layer.shift.data(), inputs, layer.bias.size()});
            inputs = layer.bias.size();
        }
        return salticid::PatchNetwork(*set.patches, taps, layers, planes);
    }
};

std::string described(const char* what, const InstructionSet& set, std::size_t height, std::size_t width,
                      std::size_t threads) {
    std::ostringstream text;
    text << what << ' ' << height << " x " << width << ", " << set.name << " in " << threads << " threads";
    return text.str();
}

std::vector<std::uint8_t> make_mask(Random& random, std::size_t pixels) {
    std::vector<std::uint8_t> mask(pixels);
    const std::size_t run = 1 + random.below(30);
    for (std::size_t n = 0; n < pixels; ++n) mask[n] = n / run * 7 % 3 == 0;
    return mask;
}

// The same network in floating point, which no instruction set rounds as another one does.
salticid::FloatPatchNetwork in_floats(const Brain& brain, const InstructionSet& set, std::size_t planes) {
    std::vector<float> weights, biases;
    std::vector<salticid::FloatLayerGiven> layers;
    std::size_t inputs = brain.taps.size();
    for (const Weights& layer : brain.weights) {
        for (const std::int8_t weight : layer.weights) weights.push_back(static_cast<float>(weight) / 64);
        for (const std::int32_t value : layer.bias) biases.push_back(static_cast<float>(value) / 4096);
    }
    const float *next_weight = weights.data(), *next_bias = biases.data();
    for (const Weights& layer : brain.weights) {
        layers.push_back({next_weight, next_bias, inputs, layer.bias.size()});
        next_weight += layer.weights.size();
        next_bias += layer.bias.size();
        inputs = layer.bias.size();
    }
    return salticid::FloatPatchNetwork(*set.float_patches, brain.taps, layers, planes, 1.0f / 32, 64);
}

void expect_near(const std::vector<float>& expected, const std::vector<float>& found, const std::string& what) {
    float largest = 1;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    for (std::size_t n = 0; n < expected.size(); ++n) {
        if (std::abs(found[n] - expected[n]) <= 1e-4f * largest) continue;
        std::fprintf(stderr, "%s: number %zu is %g, not %g\n", what.c_str(), n, static_cast<double>(found[n]),
                     static_cast<double>(expected[n]));
        std::exit(1);
    }
}

std::size_t compare_patches() {
    constexpr std::size_t planes = 3;
    Random random(4);
    std::size_t compared = 0;
    salticid::Memory memory;  // what is left in it from one size must not touch the next
    for (const std::size_t height : {1, 2, 5})
        for (const std::size_t width : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200}) {
            const std::size_t pixels = height * width, outputs = 1 + random.below(8);
            const Brain brain(random, planes, 1 + random.below(60), outputs);
            std::vector<std::vector<std::int16_t>> maps(planes, std::vector<std::int16_t>(pixels));
            std::vector<salticid::Plane> rows;
            const std::size_t range = random.below(3) == 0 ? 65536 : 300;  // differences beyond 16 bits among them
            for (std::vector<std::int16_t>& map : maps) {
                for (std::int16_t& value : map) value = static_cast<std::int16_t>(random.below(range));
                rows.push_back({map.data(), static_cast<std::ptrdiff_t>(width)});
            }
            const std::vector<std::uint8_t> mask = make_mask(random, pixels);
            for (const std::uint8_t* wanted : {static_cast<const std::uint8_t*>(nullptr), mask.data()}) {
                std::vector<std::int16_t> expected(pixels * outputs), found(pixels * outputs);
                salticid::run_patches(brain.on(scalar(), planes), memory, rows.data(), height, width, wanted, 1, expected.data());
                digest_in(expected);
                std::vector<float> expected_floats(pixels * outputs), found_floats(pixels * outputs);
                salticid::run_patches(in_floats(brain, scalar(), planes), memory, rows.data(), height, width, wanted, 1,
                                      expected_floats.data());
                for (const InstructionSet& set : salticid::instruction_sets()) {
                    const std::size_t threads = 1 + compared++ % 3;
                    salticid::run_patches(brain.on(set, planes), memory, rows.data(), height, width, wanted, threads,
                                          found.data());
                    expect_same(expected, found, width * outputs, "the output",
                                described("patches of", set, height, width, threads));
                    salticid::run_patches(in_floats(brain, set, planes), memory, rows.data(), height, width, wanted, threads,
                                          found_floats.data());
                    expect_near(expected_floats, found_floats,
                                described("floating-point patches of", set, height, width, threads));
                }
            }
        }
    return compared;
}

// A map of steps and slopes with holes, at borders too, and a view with patches of few colors.
struct Scene {
    std::size_t height, width, channels;
    std::vector<float> disparity, confidence;
    std::vector<std::uint8_t> image;

    Scene(Random& random, std::size_t rows, std::size_t columns)
        : height(rows), width(columns), channels(random.below(2) == 0 ? 1 : 3), disparity(rows * columns),
          confidence(rows * columns), image(rows * columns * channels) {
        const std::size_t step = 1 + random.below(40), far = random.below(3) * 400, holes = random.below(4);
        for (std::size_t n = 0; n < disparity.size(); ++n) {
            const std::size_t y = n / width, x = n % width;
            const float known = static_cast<float>((x / 13 + y / 9) % 3 * (step + far)) +
                                static_cast<float>(x + random.below(3)) * 0.0625f - 20.0f;
            const bool hole = (x < 6 && holes > 0) || random.below(8) < holes || y % 11 == 10;
            disparity[n] = hole ? std::numeric_limits<float>::quiet_NaN() : known;
            confidence[n] = static_cast<float>(random.below(140)) / 127.0f;
            for (std::size_t c = 0; c < channels; ++c)
                image[n * channels + c] = static_cast<std::uint8_t>((x / 13 + y / 9) % 4 * 50 + random.below(9) * 2);
        }
    }

    salticid::RefineInput input() const {
        return {disparity.data(), confidence.data(), static_cast<std::ptrdiff_t>(width), image.data(),
                static_cast<std::ptrdiff_t>(width * channels), channels, height, width};
    }
};

// Everything that refining a map can give, one after the other.
std::vector<float> refined(const InstructionSet& set, const Scene& scene, const Brain& brain,
                           const std::vector<std::uint8_t>& mask, std::size_t threads) {
    const std::size_t pixels = scene.height * scene.width;
    const auto workspace = salticid::make_refine_workspace();
    std::vector<float> probability(256), found(8 * pixels);
    for (std::size_t n = 0; n < 256; ++n) probability[n] = static_cast<float>(n);
    const auto result = [&](std::size_t n) {
        return salticid::RefineResult{found.data() + 2 * n * pixels, found.data() + (2 * n + 1) * pixels,
                                      static_cast<std::ptrdiff_t>(scene.width)};
    };
    const salticid::PatchNetwork network = brain.on(set, salticid::refine_planes);
    const salticid::RefineKernels& kernels = *set.refinement;
    salticid::refine_fill(*workspace, kernels, scene.input(), threads, result(0));
    salticid::refine_smooth(*workspace, kernels, scene.input(), threads, result(1));
    for (const std::size_t n : {2, 3})
        salticid::refine_choose(*workspace, kernels, network, {probability.data(), n == 2 ? 8 : 3}, scene.input(),
                                n == 2 ? nullptr : mask.data(), threads, result(n));
    return found;
}

std::size_t compare_refinement() {
    Random random(5);
    std::size_t compared = 0;
    for (const std::size_t height : {1, 2, 9, 30})
        for (const std::size_t width : {1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 128, 150}) {
            const Scene scene(random, height, width);
            const Brain brain(random, salticid::refine_planes, 20, salticid::refine_candidates + 1);
            const std::vector<std::uint8_t> mask = make_mask(random, height * width);
            const std::vector<float> expected = refined(scalar(), scene, brain, mask, 1);
            digest_in(expected);
            for (const InstructionSet& set : salticid::instruction_sets())
                for (const std::size_t threads : {1, 3}) {
                    expect_same(expected, refined(set, scene, brain, mask, threads), width, "the value",
                                described("refinement of", set, height, width, threads));
                    ++compared;
                }
        }
    return compared;
}

// ---- Labels

// Logits whose memory ends with the last of them.
struct Logits {
    std::size_t classes, height, width, row_stride, plane_stride;
    std::vector<float> values;

    Logits(Random& random, std::size_t count, std::size_t rows, std::size_t columns)
        : classes(count), height(rows), width(columns), row_stride(columns + random.below(3)),
          plane_stride(rows * row_stride + random.below(5)),
          values((count - 1) * plane_stride + (rows - 1) * row_stride + columns) {
        const std::size_t kind = random.below(4), block = 1 + random.below(9);
        std::size_t n = 0;
        for (float& value : values) value = logit(random, kind, n++ / block);
    }

    salticid::LogitPlanes planes() const {
        return {values.data(), static_cast<std::ptrdiff_t>(plane_stride), static_cast<std::ptrdiff_t>(row_stride), classes,
                height, width};
    }

private:
    // Any numbers, equal ones, ones that rounding makes equal, and the largest that there are.
    static float logit(Random& random, std::size_t kind, std::size_t block) {
        const float any = static_cast<float>(random.below(2001)) / 64.0f - 15.0f;
        switch (kind) {
            case 0: return any + static_cast<float>(block * 7 % 5);
            case 1: return static_cast<float>(random.below(3)) - 1.0f;
            case 2: return 1.7f + static_cast<float>(random.below(5)) * std::numeric_limits<float>::epsilon();
            default: return any / 20.0f * std::numeric_limits<float>::max();
        }
    }
};

std::vector<std::uint8_t> labelled(const InstructionSet& set, const Logits& logits, std::size_t scale, std::size_t threads,
                                   std::size_t height, std::size_t width) {
    std::vector<std::uint8_t> labels(height * width + 1, 77);
    const salticid::LabelImage image = {labels.data(), static_cast<std::ptrdiff_t>(width), height, width};
    labels.back() = salticid::upsample_argmax(*set.labels, logits.planes(), scale, threads, image);
    return labels;
}

std::size_t compare_labels() {
    Random random(6);
    std::size_t compared = 0;
    for (const std::size_t scale : {2, 4, 8, 16, 32})
        for (const std::size_t classes : {1, 2, 15, 16, 17, 19, 255})
            for (const std::size_t width : {1, 2, 14, 30, 33}) {
                Logits logits(random, classes, 1 + random.below(9), width);
                if (random.below(9) == 0) logits.values.back() = std::numeric_limits<float>::quiet_NaN();
                const std::size_t rows = logits.height * scale - random.below(scale);
                const std::size_t columns = width * scale - random.below(scale);
                const std::vector<std::uint8_t> expected = labelled(scalar(), logits, scale, 1, rows, columns);
                if (expected.back() == 1) digest_in(expected);
                for (const InstructionSet& set : salticid::instruction_sets()) {
                    const std::size_t threads = 1 + compared++ % 3;
                    const std::vector<std::uint8_t> found = labelled(set, logits, scale, threads, rows, columns);
                    if (found.back() == 0 && expected.back() == 0) continue;  // of no use
                    expect_same(expected, found, columns, "the label",
                                described("labels of", set, logits.height, width, threads));
                }
            }
    return compared;
}

// ---- Plain networks

// A layer whose weights are small enough for sums of 16 bits.
struct Convolution {
    std::vector<std::int8_t> weights;
    std::vector<std::int32_t> bias;
    std::vector<float> multiplier;
    std::size_t inputs;

    Convolution(Random& random, std::size_t from, std::size_t outputs) : inputs(from) {
        for (std::size_t n = 0; n < outputs * inputs * 9; ++n)  // four of them are at most 128
            weights.push_back(static_cast<std::int8_t>(static_cast<int>(random.below(65)) - 32));
        for (std::size_t n = 0; n < outputs; ++n) {
            bias.push_back(static_cast<std::int32_t>(random.below(200001)) - 100000);
            multiplier.push_back(static_cast<float>(random.below(1000)) / 400000.0f);
        }
    }
};

salticid::PlainNet on(const InstructionSet& set, const std::vector<Convolution>& layers, std::size_t scale,
                      std::size_t repeats) {
    std::vector<salticid::ConvolutionGiven> given;
    for (const Convolution& layer : layers)
        given.push_back(
            {layer.weights.data(), layer.bias.data(), layer.multiplier.data(), layer.inputs, layer.bias.size()});
    return salticid::PlainNet(*set.plain_nets, given, scale, repeats);
}

Image enlarged(const salticid::PlainNet& net, const Image& image, std::size_t threads, bool upside_down) {
    // Rows of three bytes a pixel; what lies between the rows must stay as it is.
    Image large(image.height() * net.scale(), image.width() * net.scale(), 4, upside_down);
    net.enlarge({image.first(), image.stride(), image.height(), image.width() / 3}, threads,
                {large.first(), large.stride()});
    return large;
}

std::size_t compare_plain_nets() {
    Random random(7);
    std::size_t compared = 0;
    for (const std::size_t height : {1, 2, 3, 14})
        for (const std::size_t width : {1, 2, 3, 4, 5, 7, 8, 9, 33, 260}) {
            const std::size_t channels = 1 + random.below(70), scale = 1 + random.below(5), repeats = random.below(5);
            std::vector<Convolution> layers = {Convolution(random, 3, channels)};
            for (std::size_t n = random.below(4); n > 0; --n) layers.emplace_back(random, channels, channels);
            layers.emplace_back(random, channels + 3 * repeats, 3 * scale * scale);
            Image image = make_raster<std::uint8_t>(random, height, 3 * width);
            for (std::size_t y = 0; y < height; ++y)
                for (std::size_t x = 0; x < 3 * width; ++x) image.at(y, x) = texture(random, y, x);
            const bool upside_down = random.below(2) == 1;
            const Image expected = enlarged(on(scalar(), layers, scale, repeats), image, 1, upside_down);
            digest_in(expected.pixels());
            for (const InstructionSet& set : salticid::instruction_sets())
                for (const std::size_t threads : {1, 2, 5}) {
                    const Image found = enlarged(on(set, layers, scale, repeats), image, threads, upside_down);
                    expect_same(expected.pixels(), found.pixels(), 3 * width * scale + 4, "the byte",
                                described("enlarging", set, height, width, threads));
                    ++compared;
                }
        }
    return compared;
}

// ---- Semi-global matching

struct Window {
    const char* name;
    salticid::CensusPattern pattern;
};

constexpr Window windows[] = {{"5x5", salticid::census_pattern_5x5},
                              {"7x7", salticid::census_checkered_7x7},
                              {"9x7", salticid::census_checkered_9x7}};

struct Case {
    std::size_t height, width;
    const char* window;
    salticid::SgmOptions options;
};

struct Penalties {
    std::uint8_t p1, p2, least, slope;
};

// What the cases take turns with.
constexpr std::ptrdiff_t first_disparities[] = {0, -3, 0, 5, -16, 0, 70, -100};
constexpr Penalties penalties[] = {{7, 60, 20, 2}, {0, 0, 0, 0}, {63, 63, 63, 0}, {1, 63, 0, 255}, {10, 30, 12, 9}};
constexpr int uniqueness_percents[] = {0, 5, 40};
constexpr int left_rights[] = {1, -1, 0, 2};

template <class T, std::size_t COUNT>
const T& turn(const T (&values)[COUNT], std::size_t n) {
    return values[n % COUNT];
}

Case make_case(std::size_t n, std::size_t height, std::size_t width, std::size_t num_disparities, int paths,
               const Window& window) {
    const Penalties& penalty = turn(penalties, n);
    salticid::SgmOptions options{};
    options.pattern = window.pattern;
    options.paths = paths;
    options.min_disparity = turn(first_disparities, n);
    options.num_disparities = num_disparities;
    options.p1 = penalty.p1;
    options.p2 = penalty.p2;
    options.p2_least = penalty.least;
    options.p2_slope = penalty.slope;
    options.uniqueness_percent = turn(uniqueness_percents, n);
    options.left_right = turn(left_rights, n);
    return {height, width, window.name, options};
}

// Whole vectors and parts of them, for vectors of 16, 32 and 64; more disparities than columns in most views.
constexpr std::size_t disparity_counts[] = {1,  2,  3,  15, 16,  17,  31,  32,  33,  47,  48,
                                            63, 64, 65, 96, 127, 128, 129, 192, 256, 257};
constexpr std::size_t sizes[][2] = {{1, 1},  {1, 2},  {2, 1},   {1, 65},  {3, 5},   {5, 3},
                                    {7, 64}, {9, 63}, {16, 33}, {17, 66}, {33, 20}, {24, 131}};

std::vector<Case> make_cases() {
    std::vector<Case> cases;
    for (const int paths : {4, 8}) {
        for (const auto& [height, width] : sizes)
            for (const Window& window : windows) {
                const std::size_t n = cases.size();
                cases.push_back(make_case(n, height, width, turn(disparity_counts, 5 * n), paths, window));
            }
        for (const std::size_t count : disparity_counts) {
            const std::size_t n = cases.size();
            cases.push_back(make_case(n, 10, 140, count, paths, turn(windows, n)));
        }
        for (const std::ptrdiff_t first : {-4096, 4096}) {  // out of sight
            cases.push_back(make_case(cases.size(), 3, 40, 20, paths, windows[2]));
            cases.back().options.min_disparity = first;
        }
        cases.push_back(make_case(0, 2, 3, 4096, paths, windows[1]));
    }
    return cases;
}

// Some disparities of a search for each tile.
std::vector<salticid::SgmRange> make_ranges(Random& random, const Case& given) {
    const auto groups = [](std::size_t count, std::size_t size) { return (count + size - 1) / size; };
    const std::size_t most = groups(given.options.num_disparities, salticid::sgm_range_multiple);
    std::vector<salticid::SgmRange> ranges(groups(given.height, salticid::sgm_tile_height) *
                                           groups(given.width, salticid::sgm_tile_width));
    for (salticid::SgmRange& range : ranges) {
        const std::size_t count = (1 + random.below(most)) * salticid::sgm_range_multiple;
        const std::size_t room = most * salticid::sgm_range_multiple - count + 1;
        range.first = static_cast<std::uint32_t>(random.below(std::min(room, given.options.num_disparities)));
        range.count = static_cast<std::uint32_t>(count);
    }
    return ranges;
}

struct Found {
    std::vector<float> disparity, confidence;
    std::vector<std::uint16_t> cost, before, after, second, left_right, disagreement;

    explicit Found(std::size_t pixels)
        : disparity(pixels), confidence(pixels), cost(pixels), before(pixels), after(pixels), second(pixels),
          left_right(pixels), disagreement(pixels) {}
};

// How the same match can be worked out.
struct Way {
    std::size_t threads, band_rows;
    bool evidence;
};

Found match(const InstructionSet& set, salticid::SgmWorkspace& workspace, const Case& given, const Pair& pair,
            const std::vector<salticid::SgmRange>& ranges, const Way& way) {
    Found found(given.height * given.width);
    salticid::SgmOptions options = given.options;
    options.band_rows = way.band_rows;
    const salticid::SgmEvidence evidence = {found.cost.data(),   found.before.data(),     found.after.data(),
                                            found.second.data(), found.left_right.data(), found.disagreement.data()};
    salticid::sgm_match(workspace, *set.census, ranges.empty() ? *set.sgm : *set.sgm_narrow, options, view(pair.left),
                        view(pair.right), ranges.empty() ? nullptr : ranges.data(), way.threads,
                        {found.disparity.data(), found.confidence.data(), way.evidence ? &evidence : nullptr});
    return found;
}

std::string described(const InstructionSet& set, const Case& given, bool ranges, const Way& way) {
    const salticid::SgmOptions& o = given.options;
    std::ostringstream text;
    text << set.name << ", " << given.height << " x " << given.width << ", window " << given.window << ", " << o.paths
         << " paths, " << o.num_disparities << " disparities from " << o.min_disparity << ", penalties " << +o.p1 << ' '
         << +o.p2 << ' ' << +o.p2_least << ' ' << +o.p2_slope << ", " << way.threads << " threads, bands of "
         << way.band_rows << " rows, " << (ranges ? "in ranges, " : "") << (way.evidence ? "with" : "without") << " evidence";
    return text.str();
}

void expect_same(const Found& expected, const Found& found, std::size_t width, bool evidence, const std::string& what) {
    expect_same(expected.disparity, found.disparity, width, "the disparity", what);
    expect_same(expected.confidence, found.confidence, width, "the confidence", what);
    if (!evidence) return;
    expect_same(expected.cost, found.cost, width, "the cost", what);
    expect_same(expected.before, found.before, width, "the cost before", what);
    expect_same(expected.after, found.after, width, "the cost after", what);
    expect_same(expected.second, found.second, width, "the second cost", what);
    expect_same(expected.left_right, found.left_right, width, "left_right", what);
    expect_same(expected.disagreement, found.disagreement, width, "the disagreement", what);
}

void digest_in(const Found& found) {
    digest_in(found.disparity);
    digest_in(found.confidence);
    for (const auto* counts : {&found.cost, &found.before, &found.after, &found.second, &found.left_right,
                               &found.disagreement})
        digest_in(*counts);
}

std::vector<Way> ways(const Case& given) {
    const std::size_t thrifty = salticid::sgm_thrifty_band(given.height, given.options.paths);
    return {{1, 0, false}, {2, 0, true}, {3, 0, true}, {1, 1, true}, {2, thrifty, true}, {3, thrifty, false}};
}

std::size_t compare_matches(const std::vector<Case>& cases) {
    Random random(3);
    std::vector<salticid::SgmWorkspacePointer> workspaces;  // what a match leaves in memory must not touch the next
    while (workspaces.size() < salticid::instruction_sets().size())
        workspaces.push_back(salticid::make_sgm_workspace());
    std::size_t compared = 0;
    for (const Case& given : cases) {
        const salticid::SgmOptions& options = given.options;
        const Pair pair = make_pair(random, given.height, given.width, options.min_disparity, options.num_disparities);
        for (const auto& ranges : {std::vector<salticid::SgmRange>{}, make_ranges(random, given)}) {
            const Found expected = match(scalar(), *salticid::make_sgm_workspace(), given, pair, ranges, {1, 0, true});
            digest_in(expected);
            for (std::size_t n = 0; n < workspaces.size(); ++n) {
                const InstructionSet& set = salticid::instruction_sets()[n];
                for (const Way& way : ways(given)) {
                    const Found found = match(set, *workspaces[n], given, pair, ranges, way);
                    expect_same(expected, found, given.width, way.evidence,
                                described(set, given, !ranges.empty(), way));
                    ++compared;
                }
            }
        }
    }
    return compared;
}

}  // namespace

int main() {
    std::printf("instruction_sets");
    for (const InstructionSet& set : salticid::instruction_sets()) std::printf(" %s", std::string(set.name).c_str());
    std::printf("\nimages %zu\n", compare_census());
    std::printf("maps %zu\n", compare_filters());
    std::printf("patches %zu\n", compare_patches());
    std::printf("refinements %zu\n", compare_refinement());
    std::printf("label_maps %zu\n", compare_labels());
    std::printf("enlarged %zu\n", compare_plain_nets());
    const std::vector<Case> cases = make_cases();
    std::printf("matches %zu\n", compare_matches(cases));
    std::printf("digest %016llx\n", static_cast<unsigned long long>(digest));
    return 0;
}
