// Patch networks over rows of maps: what is the same for whole and floating-point numbers.
#include "patch_runner.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "parallel.h"

namespace salticid {
namespace {


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

// Rows of equal length, one after the other.
template <class Number>
class Rows {
public:
    Rows(Memory& memory, std::size_t numbers)
        : next_(reinterpret_cast<Number*>(memory.take(numbers * sizeof(Number)))) {}

    Number* take(std::size_t length) {
        next_ += length;
        return next_ - length;
    }

    Number* take_zeros(std::size_t length) {
        Number* row = take(length);
        std::fill_n(row, length, Number{});
        return row;
    }

private:
    Number* next_;
};

}  // namespace

template <class Network>
PatchRunner<Network>::PatchRunner(const Network& network, const Plane* planes, std::size_t height, std::size_t width)
    : network_(network), planes_(planes, planes + network.taps().planes()), height_(height), width_(width),
      centers_(network.taps().planes()) {
    const PatchTaps& taps = network.taps();
    const std::size_t row = rounded_up(width, patch_vector) + patch_vector;
    const std::size_t outputs = rounded_up(network.outputs(), 4);
    Rows<Number> numbers(output_memory_, outputs * (row + gathered_row));
    for (std::size_t n = 0; n < outputs; ++n) {
        outputs_.push_back(numbers.take_zeros(row));
        found_.push_back(numbers.take(gathered_row));
    }
    Rows<std::int16_t> maps(map_memory_, row + (taps.size() + taps.planes()) * gathered_row);
    const std::int16_t* zeros = maps.take_zeros(row);
    for (std::size_t n = 0; n < taps.planes(); ++n) near_centers_.push_back(maps.take(gathered_row));
    for (std::size_t n = 0; n < taps.size(); ++n) {
        const std::ptrdiff_t center = taps[n].center;
        near_values_.push_back(maps.take(gathered_row));
        gathered_.push_back({near_values_.back(), center < 0 ? nullptr : near_centers_[static_cast<std::size_t>(center)],
                             taps[n].shift});
    }
    gathered_.resize(rounded_up(taps.size(), 4), {zeros, nullptr, 0});
    taps_ = gathered_;
}

template <class Network>
void PatchRunner<Network>::point_at(std::size_t y) {
    const auto row = static_cast<std::ptrdiff_t>(y), last = static_cast<std::ptrdiff_t>(height_) - 1;
    for (std::size_t n = 0; n < planes_.size(); ++n) centers_[n] = planes_[n].pixels + row * planes_[n].stride;
    for (std::size_t n = 0; n < network_.taps().size(); ++n) {
        const Tap& tap = network_.taps()[n];
        const Plane& plane = planes_[tap.plane];
        taps_[n].values = plane.pixels + std::clamp<std::ptrdiff_t>(row + tap.dy, 0, last) * plane.stride + tap.dx;
        if (tap.center >= 0) taps_[n].center = centers_[static_cast<std::size_t>(tap.center)];
    }
}

template <class Network>
void PatchRunner<Network>::run(std::size_t y, const std::uint8_t* mask) {
    point_at(y);
    if (mask == nullptr) return network_.run(taps_.data(), width_, outputs_.data());
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
template <class Network>
void PatchRunner<Network>::run_gathered(std::size_t count) {
    for (std::size_t n = 0; n < near_values_.size(); ++n) gather(taps_[n].values, near_values_[n]);
    for (std::size_t n = 0; n < planes_.size(); ++n) gather(centers_[n], near_centers_[n]);
    network_.run(gathered_.data(), count, found_.data());
    for (std::size_t n = 0; n < network_.outputs(); ++n) {
        const Number* from = found_[n];
        for (const Run& run : runs_) {
            std::copy_n(from, run.count, outputs_[n] + run.column);
            from += run.count;
        }
    }
    runs_.clear();
}

template <class Network>
void PatchRunner<Network>::gather(const std::int16_t* from, std::int16_t* to) const {
    for (const Run& run : runs_) {
        for (std::size_t x = 0; x < run.count; x += step)  // the next run writes over what is too much
            std::memcpy(to + x, from + run.column + x, step * sizeof *to);
        to += run.count;
    }
}

template <class Network>
void run_patches(const Network& network, Memory& memory, const Plane* planes, std::size_t height, std::size_t width,
                 const std::uint8_t* mask, std::size_t threads, typename Network::Number* outputs) {
    using Number = typename Network::Number;
    const std::size_t reach = static_cast<std::size_t>(network.taps().reach()), count = network.taps().planes();
    const std::size_t stride = width + 2 * reach + patch_vector;
    auto* pixels = reinterpret_cast<std::int16_t*>(memory.take(count * height * stride * sizeof(std::int16_t)));
    std::vector<Plane> padded;
    for (std::size_t n = 0; n < count; ++n)
        padded.push_back({pixels + n * height * stride + reach, static_cast<std::ptrdiff_t>(stride)});
    for_each_band(height, threads, [&](std::size_t first, std::size_t end) {
        for (std::size_t n = 0; n < count; ++n)
            for (std::size_t y = first; y < end; ++y) {
                const std::int16_t* from = planes[n].pixels + static_cast<std::ptrdiff_t>(y) * planes[n].stride;
                std::int16_t* row = pixels + (n * height + y) * stride;
                std::fill_n(row, reach, from[0]);
                std::copy_n(from, width, row + reach);
                std::fill_n(row + reach + width, reach + patch_vector, from[width - 1]);
            }
    });
    for_each_row(height, threads, [&] {
        const auto runner = std::make_shared<PatchRunner<Network>>(network, padded.data(), height, width);
        return [&, runner](std::size_t y) {
            const std::uint8_t* wanted = mask == nullptr ? nullptr : mask + y * width;
            runner->run(y, wanted);
            Number* to = outputs + y * width * network.outputs();
            const auto copy = [&](std::size_t x) {
                for (std::size_t n = 0; n < network.outputs(); ++n) to[x * network.outputs() + n] = runner->output(n)[x];
            };
            if (wanted == nullptr) {
                for (std::size_t x = 0; x < width; ++x) copy(x);
                return;
            }
            std::fill_n(to, width * network.outputs(), Number{});
            for (std::size_t x = 0; (x = next_of<true>(wanted, x, width)) < width; ++x) copy(x);
        };
    });
}

template class PatchRunner<PatchNetwork>;
template class PatchRunner<FloatPatchNetwork>;

template void run_patches(const PatchNetwork&, Memory&, const Plane*, std::size_t, std::size_t, const std::uint8_t*,
                          std::size_t, std::int16_t*);
template void run_patches(const FloatPatchNetwork&, Memory&, const Plane*, std::size_t, std::size_t, const std::uint8_t*,
                          std::size_t, float*);

}  // namespace salticid
