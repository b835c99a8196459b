// Speckles: islands of disparity too small to be believed.
//
// Runs of a row that hang together are joined to those of the row above, as sets with a tree of parents each
// (union-find). Every thread does so for a band of rows; then the bands are joined in the same way where they meet.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "filter.h"
#include "parallel.h"

namespace salticid {
namespace {

struct Run {
    std::uint32_t first, end;  // columns
    std::uint32_t parent;      // a run that comes before; a root is its own
    std::uint32_t area;        // of a root: pixels of its island
};

class Islands {
public:
    Islands(const MapRows<float>& map, float range) : map_(map), range_(range) {}

    void add_rows(std::size_t first, std::size_t last) {
        first_row_ = first;
        for (std::size_t y = first; y < last; ++y) {
            add_row(row(y));
            if (y > first) join_to_row_above(y);
        }
    }

    // Takes in the islands of the rows that follow.
    void append(Islands below) {
        const auto offset = static_cast<std::uint32_t>(runs_.size());
        const std::size_t seam = first_row_ + starts_.size() - 1;
        for (Run run : below.runs_) {
            run.parent += offset;
            runs_.push_back(run);
        }
        for (std::size_t n = 1; n < below.starts_.size(); ++n) starts_.push_back(offset + below.starts_[n]);
        join_to_row_above(seam);
    }

    void erase_up_to(std::size_t area) {
        for (std::size_t n = 0; n + 1 < starts_.size(); ++n)
            for (std::size_t i = starts_[n]; i < starts_[n + 1]; ++i) {
                Run& run = runs_[i];
                run.parent = runs_[run.parent].parent;  // which comes before, and so has its root for a parent already
                if (runs_[run.parent].area > area) continue;
                std::fill(row(first_row_ + n) + run.first, row(first_row_ + n) + run.end, unknown);
            }
    }

private:
    static constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

    float* row(std::size_t y) const { return map_.pixels + static_cast<std::ptrdiff_t>(y) * map_.stride; }

    bool alike(float a, float b) const { return std::fabs(a - b) <= range_; }  // never where one of them is unknown

    void add_row(float* pixels) {
        std::size_t x = 0;
        while (x < map_.width) {
            if (!std::isfinite(pixels[x])) {
                pixels[x++] = unknown;
                continue;
            }
            const std::size_t first = x++;
            while (x < map_.width && alike(pixels[x - 1], pixels[x])) ++x;
            const auto area = static_cast<std::uint32_t>(x - first);
            runs_.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(x),
                             static_cast<std::uint32_t>(runs_.size()), area});
        }
        starts_.push_back(runs_.size());
    }

    void join_to_row_above(std::size_t y) {
        const std::size_t n = y - first_row_;
        const float *above = row(y - 1), *here = row(y);
        for (std::size_t a = starts_[n - 1], b = starts_[n]; a < starts_[n] && b < starts_[n + 1];) {
            const std::size_t end = std::min(runs_[a].end, runs_[b].end);
            std::size_t x = std::max(runs_[a].first, runs_[b].first);
            while (x < end && !alike(above[x], here[x])) ++x;
            if (x < end) unite(a, b);
            if (runs_[a].end == end)
                ++a;
            else
                ++b;
        }
    }

    std::uint32_t root(std::size_t run) {
        auto at = static_cast<std::uint32_t>(run);
        while (runs_[at].parent != at) at = runs_[at].parent = runs_[runs_[at].parent].parent;
        return at;
    }

    void unite(std::size_t a, std::size_t b) {
        const std::uint32_t root_a = root(a), root_b = root(b);
        if (root_a == root_b) return;
        const std::uint32_t kept = std::min(root_a, root_b), joined = std::max(root_a, root_b);
        runs_[joined].parent = kept;
        runs_[kept].area += runs_[joined].area;
    }

    MapRows<float> map_;
    float range_;
    std::size_t first_row_ = 0;
    std::vector<Run> runs_;                 // row by row, from left to right
    std::vector<std::size_t> starts_ = {0};  // of each row, its first run; and the end
};

}  // namespace

void remove_speckles(const MapRows<float>& map, std::size_t area, float range, std::size_t threads) {
    const std::size_t bands = std::clamp<std::size_t>(threads, 1, map.height);
    std::vector<Islands> islands(bands, Islands(map, range));
    for_each_band(bands, bands, [&](std::size_t band, std::size_t) {
        islands[band].add_rows(map.height * band / bands, map.height * (band + 1) / bands);
    });
    for (std::size_t band = 1; band < bands; ++band) islands[0].append(std::move(islands[band]));
    islands[0].erase_up_to(area);
}

}  // namespace salticid
