// The median of a map in which pixels vote that look alike in an image: what is the same for every instruction set.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "filter.h"
#include "memory.h"
#include "parallel.h"

namespace salticid {
namespace {

constexpr std::size_t past_end = 64;  // a kernel may read a vector beyond what is named

// Map and image with room around them, so that no vote lies outside: its value is nan. The channels become planes.
class Surroundings {
public:
    explicit Surroundings(const GuidedMedian& given)
        : given_(given), side_(std::min(given.reach * given.spacing, given.map.width)),
          stride_(given.map.width + 2 * side_ + past_end), plane_(given.map.height * stride_) {
        values_ = reinterpret_cast<float*>(memory_.take(plane_ * (sizeof(float) + given.channels)));
        colors_ = reinterpret_cast<std::uint8_t*>(values_ + plane_);
    }

    void fill(std::size_t first, std::size_t last) {
        const std::size_t width = given_.map.width;
        for (std::size_t y = first; y < last; ++y) {
            const auto row = static_cast<std::ptrdiff_t>(y);
            float* values = values_ + y * stride_;
            std::fill_n(values, stride_, std::numeric_limits<float>::quiet_NaN());
            std::copy_n(given_.map.pixels + row * given_.map.stride, width, values + side_);
            const std::uint8_t* pixels = given_.image.pixels + row * given_.image.stride;
            for (std::size_t channel = 0; channel < given_.channels; ++channel) {
                std::uint8_t* plane = colors_ + channel * plane_ + y * stride_;
                std::memset(plane, 0, stride_);
                for (std::size_t x = 0; x < width; ++x) plane[side_ + x] = pixels[x * given_.channels + channel];
            }
        }
    }

    VoteArguments at(std::size_t y) const {
        const std::size_t reach = given_.reach, spacing = given_.spacing;
        const auto votes = [=](std::size_t room) { return static_cast<std::ptrdiff_t>(std::min(reach, room / spacing)); };
        const auto row = static_cast<std::ptrdiff_t>(y);
        VoteArguments vote{};
        vote.values = values_ + y * stride_ + side_;
        vote.colors = colors_ + y * stride_ + side_;
        vote.stride = static_cast<std::ptrdiff_t>(stride_);
        vote.plane = static_cast<std::ptrdiff_t>(plane_);
        vote.channels = given_.channels;
        vote.weights = given_.weights;
        vote.above = votes(y);
        vote.below = votes(given_.map.height - 1 - y);
        vote.to_side = votes(side_);
        vote.spacing = static_cast<std::ptrdiff_t>(spacing);
        vote.kept = given_.kept.pixels + row * given_.kept.stride;
        vote.width = given_.map.width;
        return vote;
    }

private:
    GuidedMedian given_;
    std::size_t side_, stride_, plane_;
    Memory memory_;
    float* values_;
    std::uint8_t* colors_;
};

}  // namespace

void guided_median(const FilterKernels& kernels, const GuidedMedian& given, std::size_t threads,
                   const MapRows<float>& result) {
    Surroundings surroundings(given);
    for_each_band(given.map.height, threads,
                  [&](std::size_t first, std::size_t last) { surroundings.fill(first, last); });
    std::atomic<std::size_t> next{0};  // holes are not spread evenly: whoever is free takes the next row
    const std::size_t workers = std::min(threads, given.map.height);
    for_each_band(workers, workers, [&](std::size_t, std::size_t) {
        for (std::size_t y; (y = next.fetch_add(1)) < given.map.height;) {
            VoteArguments vote = surroundings.at(y);
            vote.result = result.pixels + static_cast<std::ptrdiff_t>(y) * result.stride;
            kernels.vote(vote);
        }
    });
}

}  // namespace salticid
