// The refinement of a map: what is the same for every instruction set.
//
// Row by row, with a wait for all threads between the steps:
//     whole numbers; holes take the farther of their neighbors on the row                        -> rows
//     holes at the border go on with the slope of their neighbor; rows without any take the nearest row's
//     holes take the weighted median of 13 votes, of 5x5 that lie 9 px apart                     -> filled
//     pixels whose votes differ take the weighted median of 5x5 votes, 2 px apart                -> near
//     the same pixels, with votes 6 px apart                                                     -> far
//     the network looks at these and chooses
#include "refine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "parallel.h"
#include "patch_runner.h"

namespace salticid {
namespace {

constexpr std::size_t side = refine_most_reach;  // pixels before and behind every row: no tap and no vote reaches further
constexpr int alike = 16;  // votes that differ by no more, 1 px, leave a pixel as it is

constexpr std::ptrdiff_t slope_reach = 10;  // rows and columns of the surface that a hole at the border goes on with
constexpr std::ptrdiff_t slope_half_step = 2;
constexpr int slope_limit = 16;      // neighbors that differ by more lie on different surfaces
constexpr std::int64_t most_continued = 32;  // a surface is not continued further up or down than this, 2 px

static_assert(side >= vote_reach * 9);

struct Votes {
    std::ptrdiff_t spacing;
    bool sparse;
    int alike;
};
constexpr Votes fill_votes = {9, true, alike}, near_votes = {2, false, alike}, far_votes = {6, true, alike};

template <class Pixel>
struct Padded {  // `side` pixels before and behind each row
    Pixel* first;
    std::size_t stride;

    Pixel* row(std::size_t y) const { return first + y * stride; }

    // The nearest pixel counts beyond the ends of a row.
    void pad(std::size_t y, std::size_t width, std::size_t count) const {
        Pixel* pixels = row(y);
        std::fill_n(pixels - count, count, pixels[0]);
        std::fill_n(pixels + width, count, pixels[width - 1]);
    }
};

struct RowFacts {
    std::int16_t least, most;   // of what is known
    std::size_t first, end;     // the first known pixel, and the one behind the last; both 0 if there is none
    bool too_large;
};

// Floor of a / b for b > 0.
std::int64_t floored(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

}  // namespace

class RefineWorkspace {
public:
    std::mutex in_use;

    void prepare(const RefineInput& given) {
        height_ = given.height;
        width_ = given.width;
        const std::size_t stride = rounded_up(width_, 64) + 2 * side, plane = height_ * stride;
        const std::size_t words = refine_planes * plane, bytes = (2 + given.channels) * plane;
        auto* memory = memory_.take(words * sizeof(std::int16_t) + bytes + side);
        for (std::size_t n = 0; n < refine_planes; ++n)
            planes_[n] = {reinterpret_cast<std::int16_t*>(memory) + n * plane + side, stride};
        memory += words * sizeof(std::int16_t);
        known_ = {memory + side, stride};
        settled_ = {memory + plane + side, stride};
        for (std::size_t n = 0; n < 3; ++n)
            colors_[n] = {memory + (2 + (given.channels == 1 ? 0 : n)) * plane + side, stride};
        facts_.assign(height_, {});
    }

    template <class Work>
    void each_row(std::size_t threads, const Work& work) const {
        for_each_row(height_, threads, [&] { return [&](std::size_t y) { work(y); }; });
    }

    bool fill(const RefineKernels& kernels, const RefineInput& given, std::size_t threads) {
        prepare(given);
        each_row(threads, [&](std::size_t y) { take_row(kernels, given, y); });
        if (std::any_of(facts_.begin(), facts_.end(), [](const RowFacts& row) { return row.too_large; })) return false;
        least_ = INT16_MAX;
        most_ = INT16_MIN;
        for (const RowFacts& row : facts_) {
            least_ = std::min(least_, row.least);
            most_ = std::max(most_, row.most);
        }
        each_row(threads, [&](std::size_t y) { continue_row(y); });
        fill_empty_rows();
        each_row(threads,
                 [&](std::size_t y) { vote(kernels, plane_rows, plane_filled, fill_votes, &known_, nullptr, y); });
        return true;
    }

    void smooth(const RefineKernels& kernels, std::size_t threads) {
        each_row(threads, [&](std::size_t y) { smooth_row(kernels, y); });
    }

    void smooth_near_and_far(const RefineKernels& kernels, std::size_t threads) {
        each_row(threads, [&](std::size_t y) {
            smooth_row(kernels, y);
            vote(kernels, plane_filled, plane_far, far_votes, &settled_, nullptr, y);
        });
    }

    const std::int16_t* row(RefinePlane plane, std::size_t y) const { return planes_[plane].row(y); }
    const std::uint8_t* known(std::size_t y) const { return known_.row(y); }
    std::array<Plane, refine_planes> planes() const {
        std::array<Plane, refine_planes> found;
        for (std::size_t n = 0; n < refine_planes; ++n)
            found[n] = {planes_[n].first, static_cast<std::ptrdiff_t>(planes_[n].stride)};
        return found;
    }

private:
    void take_row(const RefineKernels& kernels, const RefineInput& given, std::size_t y) {
        const auto at = static_cast<std::ptrdiff_t>(y);
        QuantizeRow taken{};
        taken.disparity = given.disparity + at * given.stride;
        taken.confidence = given.confidence == nullptr ? nullptr : given.confidence + at * given.stride;
        taken.width = width_;
        taken.steps = planes_[plane_rows].row(y);
        taken.known = known_.row(y);
        taken.confident = planes_[plane_confidence].row(y);
        kernels.quantize(taken);
        const auto [first, end] = fill_row(taken.steps, taken.known);
        facts_[y] = {taken.least, taken.most, first, end, taken.too_large};

        ColorRow colors{};
        colors.pixels = given.image + at * given.image_stride;
        colors.channels = given.channels;
        colors.width = width_;
        for (std::size_t n = 0; n < 3; ++n) colors.planes[n] = colors_[n].row(y);
        colors.gray = planes_[plane_gray].row(y);
        kernels.split(colors);
        for (std::size_t n = 0; n < given.channels; ++n) colors_[n].pad(y, width_, side);
        planes_[plane_gray].pad(y, width_, side);
        if (given.confidence != nullptr) planes_[plane_confidence].pad(y, width_, side);
        std::memset(known_.row(y) + width_, 1, side);
    }

    // Holes between known pixels take the smaller disparity, which is the background's. Returns where the known ones
    // begin and end.
    std::pair<std::size_t, std::size_t> fill_row(std::int16_t* steps, const std::uint8_t* known) const {
        const auto next = [&](std::size_t x, std::uint8_t wanted) {
            const auto* found = static_cast<const std::uint8_t*>(std::memchr(known + x, wanted, width_ - x));
            return found == nullptr ? width_ : static_cast<std::size_t>(found - known);
        };
        const std::size_t first = next(0, 1);
        if (first == width_) return {0, 0};
        for (std::size_t hole = next(first, 0); hole < width_;) {
            const std::size_t end = next(hole, 1);
            if (end == width_) return {first, hole};
            std::fill(steps + hole, steps + end, std::min(steps[hole - 1], steps[end]));
            hole = next(end, 0);
        }
        return {first, width_};
    }

    void continue_row(std::size_t y) {
        const std::size_t first = facts_[y].first, end = facts_[y].end;
        if (first == end) return;
        if (first > 0) continue_from(y, first, 0, first);
        if (end < width_) continue_from(y, end - 1, end, width_);
        planes_[plane_rows].pad(y, width_, side);
    }

    // Columns from `begin` to `end` go on with the mean slope of the surface around the known pixel in `column`.
    void continue_from(std::size_t y, std::size_t column, std::size_t begin, std::size_t end) {
        std::int64_t rise = 0, pairs = 0;
        const auto row = static_cast<std::ptrdiff_t>(y), x = static_cast<std::ptrdiff_t>(column);
        const auto height = static_cast<std::ptrdiff_t>(height_), width = static_cast<std::ptrdiff_t>(width_);
        const std::ptrdiff_t first = std::max(x - slope_reach, slope_half_step);
        const std::ptrdiff_t last = std::min(x + slope_reach, width - 1 - slope_half_step);
        for (std::ptrdiff_t near = std::max<std::ptrdiff_t>(row - slope_reach, 0);
             near <= std::min(row + slope_reach, height - 1); ++near) {
            const std::int16_t* steps = planes_[plane_rows].row(static_cast<std::size_t>(near));
            const std::uint8_t* known = known_.row(static_cast<std::size_t>(near));
            for (std::ptrdiff_t middle = first; middle <= last; ++middle) {
                const std::ptrdiff_t left = middle - slope_half_step, right = middle + slope_half_step;
                const int apart = steps[right] - steps[left];
                const bool same = (known[left] & known[right]) != 0 && apart <= slope_limit && apart >= -slope_limit;
                rise += same ? apart : 0;
                pairs += same;
            }
        }
        const std::int64_t columns = std::max<std::int64_t>(pairs, 1) * 2 * slope_half_step;
        std::int16_t* steps = planes_[plane_rows].row(y);
        for (std::size_t n = begin; n < end; ++n) {
            const std::int64_t away = static_cast<std::ptrdiff_t>(n) - x;
            const std::int64_t risen = floored(2 * rise * away + columns, 2 * columns);
            steps[n] = static_cast<std::int16_t>(
                std::clamp<std::int64_t>(steps[column] + std::clamp(risen, -most_continued, most_continued),
                                         least_, most_));
        }
    }

    // A row without any known pixel takes what the nearest row with some got; of two, the one above.
    void fill_empty_rows() {
        const auto is_empty = [&](std::size_t y) { return facts_[y].first == facts_[y].end; };
        for (std::size_t y = 0; y < height_; ++y) {
            if (!is_empty(y)) continue;
            std::size_t away = 1;
            const auto above = [&] { return y >= away && !is_empty(y - away); };
            const auto below = [&] { return y + away < height_ && !is_empty(y + away); };
            while (away < height_ && !above() && !below()) ++away;
            std::int16_t* steps = planes_[plane_rows].row(y);
            if (away == height_)
                std::fill_n(steps, width_, std::int16_t{0});
            else
                std::copy_n(planes_[plane_rows].row(above() ? y - away : y + away), width_, steps);
            planes_[plane_rows].pad(y, width_, side);
        }
    }

    void smooth_row(const RefineKernels& kernels, std::size_t y) const {
        vote(kernels, plane_filled, plane_near, near_votes, nullptr, &settled_, y);
    }

    void vote(const RefineKernels& kernels, RefinePlane from, RefinePlane to, const Votes& votes,
              const Padded<std::uint8_t>* kept, const Padded<std::uint8_t>* settled, std::size_t y) const {
        VoteRow row{};
        const auto here = static_cast<std::ptrdiff_t>(y), last = static_cast<std::ptrdiff_t>(height_) - 1;
        for (std::size_t n = 0; n < vote_rows; ++n) {
            const auto away = static_cast<std::ptrdiff_t>(n) - static_cast<std::ptrdiff_t>(vote_reach);
            const auto at =
                static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(here + away * votes.spacing, 0, last));
            row.values[n] = planes_[from].row(at);
            for (std::size_t channel = 0; channel < 3; ++channel) row.colors[n][channel] = colors_[channel].row(at);
        }
        row.spacing = votes.spacing;
        row.sparse = votes.sparse;
        row.alike = votes.alike;
        row.kept = kept == nullptr ? nullptr : kept->row(y);
        row.settled = settled == nullptr ? nullptr : settled->row(y);
        row.width = width_;
        row.result = planes_[to].row(y);
        kernels.vote(row);
        planes_[to].pad(y, width_, side);
    }

    std::size_t height_ = 0, width_ = 0;
    Memory memory_;
    Padded<std::int16_t> planes_[refine_planes] = {};
    Padded<std::uint8_t> known_ = {}, settled_ = {}, colors_[3] = {};
    std::vector<RowFacts> facts_;
    std::int16_t least_ = 0, most_ = 0;  // of all that is known
};

namespace {

// A row of a plane in px, with what was measured as it was.
void write_row(const RefineInput& given, const RefineWorkspace& workspace, RefinePlane plane, std::size_t y,
               const RefineResult& result) {
    const auto at = static_cast<std::ptrdiff_t>(y);
    const float* measured = given.disparity + at * given.stride;
    const std::int16_t *steps = workspace.row(plane, y), *filled = workspace.row(plane_filled, y);
    const std::uint8_t* known = workspace.known(y);
    float* disparity = result.disparity + at * result.stride;
    for (std::size_t x = 0; x < given.width; ++x)
        disparity[x] = known[x] && steps[x] == filled[x] ? measured[x] : static_cast<float>(steps[x]) * (1.0F / 16);
    if (result.confidence == nullptr || given.confidence == nullptr) return;
    const float* before = given.confidence + at * given.stride;
    float* confidence = result.confidence + at * result.stride;
    for (std::size_t x = 0; x < given.width; ++x)  // nan counts as 0
        confidence[x] = known[x] && before[x] > 0 ? std::min(before[x], 1.0F) : 0;
}

// What a thread needs to ask the network about one row after another.
class RowChooser {
public:
    RowChooser(const RefineWorkspace& workspace, const RefineKernels& kernels, const PatchNetwork& network,
               const RefineConfidence& confidence, const RefineInput& given)
        : workspace_(workspace), kernels_(kernels), given_(given), confidence_(confidence),
          runner_(network, workspace.planes().data(), given.height, given.width), chosen_(2 * given.width) {}

    void choose(std::size_t y, const std::uint8_t* mask, const RefineResult& result) {
        const auto at = static_cast<std::ptrdiff_t>(y);
        float *disparity = result.disparity + at * result.stride, *confidence = result.confidence + at * result.stride;
        runner_.run(y, mask);
        if (mask == nullptr) return choose_row(y, disparity, confidence);
        float *chosen = chosen_.data(), *sure = chosen + given_.width;
        choose_row(y, chosen, sure);
        write_row(given_, workspace_, plane_near, y, result);
        for (std::size_t x = 0; x < given_.width; ++x) {
            disparity[x] = mask[x] != 0 ? chosen[x] : disparity[x];
            confidence[x] = mask[x] != 0 ? sure[x] : confidence[x];
        }
    }

private:
    void choose_row(std::size_t y, float* disparity, float* confidence) const {
        ChoiceRow row{};
        row.near_score = runner_.output(0);
        row.far_score = runner_.output(1);
        row.residual = runner_.output(2);
        row.confident = runner_.output(3);
        row.confidence_of = confidence_;
        row.measured = given_.disparity + static_cast<std::ptrdiff_t>(y) * given_.stride;
        row.known = workspace_.known(y);
        row.filled = workspace_.row(plane_filled, y);
        row.near = workspace_.row(plane_near, y);
        row.far = workspace_.row(plane_far, y);
        row.width = given_.width;
        row.disparity = disparity;
        row.confidence = confidence;
        kernels_.choose(row);
    }

    const RefineWorkspace& workspace_;
    const RefineKernels& kernels_;
    const RefineInput& given_;
    const RefineConfidence& confidence_;
    PatchRunner<PatchNetwork> runner_;
    std::vector<float> chosen_;  // where some pixels alone are asked about
};

}  // namespace

void RefineWorkspaceDeleter::operator()(RefineWorkspace* workspace) const { delete workspace; }

RefineWorkspacePointer make_refine_workspace() { return RefineWorkspacePointer(new RefineWorkspace); }

bool refine_fill(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                 std::size_t threads, const RefineResult& result) {
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    if (!workspace.fill(kernels, input, threads)) return false;
    workspace.each_row(threads, [&](std::size_t y) { write_row(input, workspace, plane_filled, y, result); });
    return true;
}

bool refine_smooth(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                   std::size_t threads, const RefineResult& result) {
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    if (!workspace.fill(kernels, input, threads)) return false;
    workspace.smooth(kernels, threads);
    workspace.each_row(threads, [&](std::size_t y) { write_row(input, workspace, plane_near, y, result); });
    return true;
}

bool refine_maps(RefineWorkspace& workspace, const RefineKernels& kernels, const RefineInput& input,
                 std::size_t threads, std::int16_t* const* maps) {
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    if (!workspace.fill(kernels, input, threads)) return false;
    workspace.smooth_near_and_far(kernels, threads);
    for (std::size_t n = 0; n < refine_planes; ++n)
        for (std::size_t y = 0; y < input.height; ++y)
            std::copy_n(workspace.row(static_cast<RefinePlane>(n), y), input.width, maps[n] + y * input.width);
    return true;
}

bool refine_choose(RefineWorkspace& workspace, const RefineKernels& kernels, const PatchNetwork& network,
                   const RefineConfidence& confidence, const RefineInput& input, const std::uint8_t* mask,
                   std::size_t threads, const RefineResult& result) {
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    if (!workspace.fill(kernels, input, threads)) return false;
    workspace.smooth_near_and_far(kernels, threads);
    for_each_row(input.height, threads, [&] {
        const auto chooser = std::make_shared<RowChooser>(workspace, kernels, network, confidence, input);
        return [&, chooser](std::size_t y) {
            chooser->choose(y, mask == nullptr ? nullptr : mask + y * input.width, result);
        };
    });
    return true;
}

}  // namespace salticid
