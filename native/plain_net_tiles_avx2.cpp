// Two rows of a convolution at once for AVX2, by fewer products: Winograd's F(2x2, 3x3) in whole numbers, exactly.
//
// Of a tile of 2x2 outputs the sums are made from 4x4 inputs with 16 products for each input channel, not 36 (Lavin and
// Gray 2016, "Fast algorithms for convolutional neural networks", CVPR, eq. 8 to 10):
//
//     outputs = A' ((G w G') * (B' d B)) A         * element by element, summed over the input channels
//
// Sums and differences of inputs, B' d B, are at most 4 * 255. G has halves in it, so four times G w G', at most
// 9 * 128, are the weights, and what comes out is four times the sums, to be divided exactly. For 8 outputs of a tile
// and 4 inputs that takes 64 instructions, half of them multiplications of 16 bits; steps of 8 bits take 90, of which
// 54 multiply.
#include "plain_net_avx2.h"

namespace salticid {
namespace {

constexpr std::size_t places = plain_net_tile_places, sixteen = plain_net_tile_channels;
constexpr std::size_t tiles_at_once = 8, tiles_in_block = 4;

void store(void* to, __m256i a) { _mm256_store_si256(static_cast<__m256i*>(to), a); }
__m256i load(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }

// The sums of one place for 16 outputs, of four tiles, over so many channels. The loop is rolled out: its last branch,
// which is not foreseen, would cost as much as some of its rounds. And it is not inlined: GCC would load the weights
// before the loop over tiles, to more registers than there are.
template <std::size_t CHANNELS>
__attribute__((noinline)) void multiply(const std::int16_t* weights, const std::int16_t* inputs, std::int32_t* to) {
    constexpr std::size_t apart = places * CHANNELS, sums_apart = places * sixteen;  // from tile to tile
    const __m256i zero = _mm256_setzero_si256();
    __m256i a0 = zero, a1 = zero, b0 = zero, b1 = zero, c0 = zero, c1 = zero, d0 = zero, d1 = zero;
#pragma GCC unroll 32
    for (std::size_t n = 0; n < CHANNELS; n += 2, weights += 2 * sixteen, inputs += 2) {
        const __m256i low = load(weights), high = load(weights + sixteen);
        const auto add = [=](const std::int16_t* pair, __m256i& x, __m256i& y) {
            std::int32_t two;
            std::memcpy(&two, pair, sizeof two);
            const __m256i both = _mm256_set1_epi32(two);
            x = _mm256_add_epi32(x, _mm256_madd_epi16(both, low));
            y = _mm256_add_epi32(y, _mm256_madd_epi16(both, high));
            asm("" : "+x"(x), "+x"(y));  // or GCC adds up in another order, and runs out of registers
        };
        add(inputs, a0, a1);
        add(inputs + apart, b0, b1);
        add(inputs + 2 * apart, c0, c1);
        add(inputs + 3 * apart, d0, d1);
    }
    store(to, a0), store(to + 8, a1), to += sums_apart;
    store(to, b0), store(to + 8, b1), to += sums_apart;
    store(to, c0), store(to + 8, c1), to += sums_apart;
    store(to, d0), store(to + 8, d1);
}

// Some tiles side by side, of a layer with so many inputs.
template <std::size_t CHANNELS>
class Tiles {
public:
    explicit Tiles(const ConvolvedRows& rows) : a_(rows) {}

    // Tiles from number `first` on.
    void convolve(std::size_t first, std::size_t count) {
        for (std::size_t channel = 0; channel < CHANNELS; channel += sixteen) {
            transform_columns(first, count, channel);
            for (std::size_t t = 0; t < count; ++t) transform_inputs(t, channel);
        }
        for (std::size_t block = 0; block * sixteen < a_.layer->outputs; ++block) {
            multiply_all(block, count);
            for (std::size_t t = 0; t < count; ++t) store_tile(block, 2 * (first + t), t);
        }
    }

private:
    // B' d for every column of four inputs, of 16 channels.
    void transform_columns(std::size_t first, std::size_t count, std::size_t channel) {
        std::size_t at = 2 * first * a_.stride + channel;
        for (std::size_t n = 0; n < 2 * count + 2; ++n, at += a_.stride) {
            const auto input = [&](std::size_t row) {
                return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a_.inputs[row] + at)));
            };
            const __m256i d0 = input(0), d1 = input(1), d2 = input(2), d3 = input(3);
            store(columns_[n][0], _mm256_sub_epi16(d0, d2));
            store(columns_[n][1], _mm256_add_epi16(d1, d2));
            store(columns_[n][2], _mm256_sub_epi16(d2, d1));
            store(columns_[n][3], _mm256_sub_epi16(d1, d3));
        }
    }

    // (B' d) B of one tile.
    void transform_inputs(std::size_t tile, std::size_t channel) {
        const auto* columns = columns_ + 2 * tile;
        for (std::size_t y = 0; y < 4; ++y) {
            const __m256i c0 = load(columns[0][y]), c1 = load(columns[1][y]);
            const __m256i c2 = load(columns[2][y]), c3 = load(columns[3][y]);
            store(inputs_[tile][4 * y] + channel, _mm256_sub_epi16(c0, c2));
            store(inputs_[tile][4 * y + 1] + channel, _mm256_add_epi16(c1, c2));
            store(inputs_[tile][4 * y + 2] + channel, _mm256_sub_epi16(c2, c1));
            store(inputs_[tile][4 * y + 3] + channel, _mm256_sub_epi16(c1, c3));
        }
    }

    void multiply_all(std::size_t block, std::size_t count) {
        const std::int16_t* weights = a_.layer->tile_weights + block * places * CHANNELS * sixteen;
        for (std::size_t place = 0; place < places; ++place, weights += CHANNELS * sixteen)
            for (std::size_t t = 0; t < count; t += tiles_in_block)
                multiply<CHANNELS>(weights, inputs_[t][place], sums_[t][place]);
    }

    void store_tile(std::size_t block, std::size_t x, std::size_t tile) const {
        const std::int32_t* bias = a_.layer->bias + block * sixteen;
        __m256i sums[4][2];
        transform_sums(sums_[tile][0], Avx2::load_sums(bias), 0, sums);
        transform_sums(sums_[tile][0] + 8, Avx2::load_sums(bias + 8), 1, sums);
#pragma GCC unroll 4
        for (std::size_t n = 0; n < 4; ++n)
            if (a_.to[n / 2] != nullptr && x + n % 2 < a_.pixels)
                store_pixel<Avx2>(*a_.layer, 2 * block, sums[n], a_.to[n / 2] + (x + n % 2) * a_.to_stride);
    }

    // A' m A / 4 and the bias, for 8 outputs of a tile; [row * 2 + column].
    static void transform_sums(const std::int32_t* from, __m256i bias, std::size_t half, __m256i (&to)[4][2]) {
        __m256i upper[4], lower[4];
        for (std::size_t x = 0; x < 4; ++x) {
            const auto sum = [&](std::size_t y) { return load(from + (4 * y + x) * sixteen); };
            const __m256i m1 = sum(1), m2 = sum(2);
            upper[x] = _mm256_add_epi32(sum(0), _mm256_add_epi32(m1, m2));
            lower[x] = _mm256_sub_epi32(_mm256_sub_epi32(m1, m2), sum(3));
        }
        const auto finished = [&](__m256i sum) { return _mm256_add_epi32(_mm256_srai_epi32(sum, 2), bias); };
        to[0][half] = finished(_mm256_add_epi32(upper[0], _mm256_add_epi32(upper[1], upper[2])));
        to[1][half] = finished(_mm256_sub_epi32(_mm256_sub_epi32(upper[1], upper[2]), upper[3]));
        to[2][half] = finished(_mm256_add_epi32(lower[0], _mm256_add_epi32(lower[1], lower[2])));
        to[3][half] = finished(_mm256_sub_epi32(_mm256_sub_epi32(lower[1], lower[2]), lower[3]));
    }

    const ConvolvedRows a_;
    alignas(32) std::int16_t columns_[2 * tiles_at_once + 2][4][sixteen];
    alignas(32) std::int16_t inputs_[tiles_at_once][places][CHANNELS] = {};  // those of no tile are multiplied as well
    alignas(32) std::int32_t sums_[tiles_at_once][places][sixteen];
};

template <std::size_t CHANNELS>
void convolve_tiles(const ConvolvedRows& rows) {
    Tiles<CHANNELS> tiles(rows);
    const std::size_t all = (rows.pixels + 1) / 2;
    for (std::size_t first = 0; first < all; first += tiles_at_once)
        tiles.convolve(first, all - first < tiles_at_once ? all - first : tiles_at_once);
}

void convolve_all_tiles(const ConvolvedRows& rows) {
    const std::size_t inputs = rows.layer->inputs;
    if (inputs <= 16) return convolve_tiles<16>(rows);
    if (inputs <= 32) return convolve_tiles<32>(rows);
    if (inputs <= 48) return convolve_tiles<48>(rows);
    convolve_tiles<64>(rows);
}

}  // namespace

void (*const plain_net_tiles_avx2)(const ConvolvedRows& rows) = convolve_all_tiles;

}  // namespace salticid
