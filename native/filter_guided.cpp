// The median of a map in which pixels vote that look alike in an image.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "filter.h"
#include "parallel.h"

namespace salticid {
namespace {

struct Vote {
    float value;
    std::uint32_t weight;
};

struct Ballot {
    static constexpr std::size_t most = (2 * guided_median_reach + 1) * (2 * guided_median_reach + 1);
    Vote votes[most];
    std::size_t count = 0;
};

// Returns the smallest value at which half of the weight is reached, nan where there is no weight. Of the votes it
// keeps those below or above one of them, wherever the median lies; without a branch for each, since nobody could
// foretell it.
float weighted_median(Ballot& given) {
    Ballot spare, *from = &given, *above = &spare;
    std::uint64_t total = 0, before = 0;  // before: of the votes ruled out below
    for (std::size_t n = 0; n < given.count; ++n) total += given.votes[n].weight;
    if (total == 0) return std::numeric_limits<float>::quiet_NaN();
    for (;;) {
        const float pivot = from->votes[from->count / 2].value;
        std::uint64_t up_to_pivot = before, below_pivot = before;
        std::size_t below = 0;
        above->count = 0;
        for (std::size_t n = 0; n < from->count; ++n) {
            const Vote vote = from->votes[n];
            from->votes[below] = vote;
            above->votes[above->count] = vote;
            below += vote.value < pivot;
            above->count += vote.value > pivot;
            below_pivot += vote.value < pivot ? vote.weight : 0;
            up_to_pivot += vote.value <= pivot ? vote.weight : 0;
        }
        if (2 * below_pivot >= total) {
            from->count = below;
        } else if (2 * up_to_pivot >= total) {
            return pivot;
        } else {
            before = up_to_pivot;
            std::swap(from, above);
        }
    }
}

class Voting {
public:
    explicit Voting(const GuidedMedian& given)
        : given_(given),
          spacing_(static_cast<std::ptrdiff_t>(given.spacing)),
          most_(spacing_ * static_cast<std::ptrdiff_t>(given.reach)) {}

    float at(std::ptrdiff_t y, std::ptrdiff_t x) const {
        const auto height = static_cast<std::ptrdiff_t>(given_.map.height);
        const auto width = static_cast<std::ptrdiff_t>(given_.map.width);
        const auto channels = static_cast<std::ptrdiff_t>(given_.channels);
        const std::uint8_t* here = given_.image.pixels + y * given_.image.stride + x * channels;
        Ballot ballot;
        for (std::ptrdiff_t dy = -most_; dy <= most_; dy += spacing_) {
            if (y + dy < 0 || y + dy >= height) continue;
            const float* values = given_.map.pixels + (y + dy) * given_.map.stride;
            const std::uint8_t* colors = given_.image.pixels + (y + dy) * given_.image.stride;
            for (std::ptrdiff_t dx = -most_; dx <= most_; dx += spacing_) {
                if (x + dx < 0 || x + dx >= width || !std::isfinite(values[x + dx])) continue;
                int apart = 0;
                for (std::ptrdiff_t c = 0; c < channels; ++c)
                    apart += std::abs(colors[(x + dx) * channels + c] - here[c]);
                ballot.votes[ballot.count++] = {values[x + dx], given_.weights[apart]};
            }
        }
        return weighted_median(ballot);
    }

private:
    GuidedMedian given_;
    std::ptrdiff_t spacing_, most_;
};

}  // namespace

void guided_median(const GuidedMedian& given, std::size_t threads, const MapRows<float>& result) {
    const Voting voting(given);
    for_each_band(given.map.height, threads, [&](std::size_t first, std::size_t last) {
        for (auto y = static_cast<std::ptrdiff_t>(first); y < static_cast<std::ptrdiff_t>(last); ++y) {
            const float* values = given.map.pixels + y * given.map.stride;
            const bool* kept = given.kept.pixels + y * given.kept.stride;
            float* to = result.pixels + y * result.stride;
            for (std::size_t x = 0; x < given.map.width; ++x)
                to[x] = kept[x] ? values[x] : voting.at(y, static_cast<std::ptrdiff_t>(x));
        }
    });
}

}  // namespace salticid
