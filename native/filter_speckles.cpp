// Speckles: islands of disparity too small to be believed.
//
// Runs of a row that hang together are joined to those of the row above, as sets with a tree of parents each
// (union-find). Every thread does so for a band of rows; then the bands are joined in the same way where they meet.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "filter.h"
#include "memory.h"
#include "parallel.h"

namespace salticid {
namespace {

constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

struct Run {
    std::uint32_t parent;      // a run that comes before; a root is its own
    std::uint32_t first, end;  // columns
    std::uint32_t area;        // of a root: pixels of its island
};

// What a pixel is to the one before it in the row.
enum State : std::uint8_t { is_unknown, starts, goes_on };

class Islands {
public:
    Islands(const MapRows<float>& map, float range)
        : map_(map), range_(range), rows_(map.height),
          runs_(reinterpret_cast<Run*>(memory_.take(map.height * map.width * sizeof(Run)))) {}

    void add_rows(std::size_t first, std::size_t last) {
        std::vector<std::uint8_t> states(map_.width + sizeof(std::uint64_t));  // and a word that a scan may read
        std::size_t next = first * map_.width;
        for (std::size_t y = first; y < last; ++y) {
            look_at(row(y), states.data());
            rows_[y] = {next, add_row(states.data(), next)};
            next = rows_[y].end;
            if (y > first) join_to_row_above(y);
        }
    }

    // Runs of the row above belong to another band, or not; nobody else may be at work then.
    void join_to_row_above(std::size_t y) {
        const float *above = row(y - 1), *here = row(y);
        std::size_t a = rows_[y - 1].begin, b = rows_[y].begin;
        while (a != rows_[y - 1].end && b != rows_[y].end) {
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

    // Leads every run to its root. A parent comes before, and so has its root for a parent already.
    void flatten() {
        for (const Row& row : rows_)
            for (std::size_t run = row.begin; run != row.end; ++run) runs_[run].parent = runs_[runs_[run].parent].parent;
    }

    void erase_up_to(std::size_t area, std::size_t first, std::size_t last) {
        for (std::size_t y = first; y < last; ++y)
            for (const Run* run = runs_ + rows_[y].begin; run != runs_ + rows_[y].end; ++run)
                if (runs_[run->parent].area <= area) std::fill(row(y) + run->first, row(y) + run->end, unknown);
    }

private:
    float* row(std::size_t y) const { return map_.pixels + static_cast<std::ptrdiff_t>(y) * map_.stride; }

    struct Row {
        std::size_t begin, end;  // runs, from left to right
    };

    bool alike(float a, float b) const { return std::fabs(a - b) <= range_; }  // never where one of them is unknown

    void look_at(float* pixels, std::uint8_t* states) const {
        const float range = range_, most = std::numeric_limits<float>::max();
        const std::size_t width = map_.width;  // a local: bytes may alias the other
        for (std::size_t x = 0; x < width; ++x) pixels[x] = std::fabs(pixels[x]) <= most ? pixels[x] : unknown;
        states[0] = std::isnan(pixels[0]) ? is_unknown : starts;
        for (std::size_t x = 1; x < width; ++x) {
            const int known = pixels[x] == pixels[x], near = std::fabs(pixels[x] - pixels[x - 1]) <= range;
            states[x] = static_cast<std::uint8_t>(known + near);
        }
    }

    // Returns the end of the runs that begin at `next`.
    std::size_t add_row(const std::uint8_t* states, std::size_t next) const {
        for (std::size_t x = 0; (x = skip(states, x, is_unknown)) < map_.width; ++next) {
            const std::size_t end = skip(states, x + 1, goes_on);
            runs_[next] = {static_cast<std::uint32_t>(next), static_cast<std::uint32_t>(x),
                           static_cast<std::uint32_t>(end), static_cast<std::uint32_t>(end - x)};
            x = end;
        }
        return next;
    }

    // The first pixel from x on that is something else; at most the width.
    std::size_t skip(const std::uint8_t* states, std::size_t x, std::uint8_t state) const {
        static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first pixel is the lowest byte of a word");
        for (const std::uint64_t all = 0x0101010101010101 * state; x < map_.width; x += sizeof all) {
            std::uint64_t eight;
            std::memcpy(&eight, states + x, sizeof eight);
            if (eight == all) continue;
            x += static_cast<std::size_t>(__builtin_ctzll(eight ^ all)) / 8;
            break;
        }
        return std::min(x, map_.width);
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
    std::vector<Row> rows_;
    Memory memory_;
    Run* runs_;  // one for each pixel, so that every band has room; what is never written takes none
};

}  // namespace

void remove_speckles(const MapRows<float>& map, std::size_t area, float range, std::size_t threads) {
    Islands islands(map, range);
    const std::size_t bands = std::clamp<std::size_t>(threads, 1, map.height);
    const auto start = [&](std::size_t band) { return map.height * band / bands; };
    for_each_band(bands, bands, [&](std::size_t first, std::size_t last) {
        for (std::size_t band = first; band < last; ++band) islands.add_rows(start(band), start(band + 1));
    });
    for (std::size_t band = 1; band < bands; ++band) islands.join_to_row_above(start(band));
    islands.flatten();
    for_each_band(map.height, bands, [&](std::size_t first, std::size_t last) {
        islands.erase_up_to(area, first, last);
    });
}

}  // namespace salticid
