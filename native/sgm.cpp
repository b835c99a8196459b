// How the work of semi-global matching is ordered, for speed without a change in results.
//
// Two sweeps go through the image at the same time, one from the top and one from the bottom. Up to the middle each keeps
// its halves (see sgm_kernels.h); beyond it each meets the halves of the other, and the sums are complete. Costs are
// computed twice rather than kept: that takes less time than memory does.
//
// Within a sweep, `rows_in_flight` rows form a group. The rows of a group advance together, each a chunk of pixels
// behind the row before it, so that what a row leaves is read while it is still in a cache near by. The groups of a
// sweep are handed to whoever is free; a group stays a chunk behind the group before it in the same way. That is all
// that threads wait for, and the group before was always taken first, so somebody is at work on it.
//
// Where memory is short (SgmOptions::band_rows), a sweep keeps no halves but, at the start of every band of rows, what it
// carries; the other sweep later computes the halves of a band again from there, just before it goes through the band.
#include "sgm.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "parallel.h"
#include "sgm_layout.h"

namespace salticid {
namespace {

constexpr int rise_weight = 1;  // what a cost counts beside each path's share of it: the paths' own costs bend towards
                                // whole disparities where surfaces are nearly level, the costs do not

// What the kernels rely on: the totals of a window full of rises fit 16 bits, and padding costs more than any sum.
constexpr int largest_cost = 32 + sgm_gradient_cap;
constexpr int largest_rise = 8 * (largest_cost + sgm_max_penalty + rise_weight * largest_cost);
constexpr int fitted_pixels = (2 * sgm_fit_radius + 1) * (2 * sgm_fit_radius + 1);
static_assert(fitted_pixels * largest_rise <= 32767);
static_assert(largest_cost + sgm_max_penalty < sgm_padding_cost && sgm_padding_cost + sgm_max_penalty < 256);
static_assert(4 * sgm_max_penalty < 256);

// Puts the winners of a chunk, which come in scan order, where they belong in their row.
void store_winners(const SgmWinners& from, std::size_t x, std::size_t count, bool down, bool evidence,
                   const Winners& to) {
    const auto store = [=](const auto* chunk, auto* row) {
        if (down)
            std::copy_n(chunk, count, row + x);
        else
            std::reverse_copy(chunk, chunk + count, row + x);
    };
    store(from.best, to.best);
    store(from.cost, to.cost);
    store(from.second, to.second);
    store(from.rise_before, to.rise_before);
    store(from.rise_after, to.rise_after);
    if (!evidence) return;
    store(from.before, to.before);
    store(from.after, to.after);
}

enum class Duty { drop, store, finish };

// Some rows of a sweep. Passes of one list come one after the other.
struct Pass {
    Sweep* sweep;
    Duty duty;
    std::size_t first, count;  // rows, in scan order
    std::uint8_t* halves;      // of the rows of the pass, from the top of the image down
    const std::uint8_t* load;  // what the sweep carries is first replaced by this, unless null,
    std::uint8_t* save;        // and saved there, unless null
    Pass* before;

    std::atomic<std::size_t> next_group{0}, groups_done{0};
    std::unique_ptr<std::atomic<std::size_t>[]> chunks_done;  // of each group

    Pass(Sweep* s, Duty d, std::size_t f, std::size_t c, std::uint8_t* h, Pass* b)
        : sweep(s), duty(d), first(f), count(c), halves(h), load(nullptr), save(nullptr), before(b),
          chunks_done(new std::atomic<std::size_t>[groups()]()) {}

    std::size_t groups() const { return (count + rows_in_flight - 1) / rows_in_flight; }
};

void wait_for(const std::atomic<std::size_t>& value, std::size_t least) {
    while (value.load(std::memory_order_acquire) < least) std::this_thread::yield();
}

// Path costs of the disparities of a range that another range lacks become those of nowhere.
void forget_outside(std::uint8_t* costs, const SgmRange& range, const SgmRange& kept) {
    const std::size_t end = range.first + range.count, kept_end = kept.first + kept.count;
    const auto forget = [=](std::size_t from, std::size_t to) {
        if (from < to) std::memset(costs + from, sgm_nowhere, to - from);
    };
    forget(range.first, std::min<std::size_t>(end, kept.first));
    forget(std::max<std::size_t>(range.first, kept_end), end);
}

class Match {
public:
    Match(const CensusKernels& census, const SgmKernels& kernels, const SgmOptions& options, std::size_t height,
          std::size_t width, const SgmRange* ranges, std::size_t threads, bool evidence, std::uint8_t* memory)
        : census_(census),
          kernels_(kernels),
          options_(options),
          sizes_(kernels, options, height, width),
          threads_(std::clamp<std::size_t>(threads, 1, (height + rows_in_flight - 1) / rows_in_flight)),
          evidence_(evidence),
          carver_(memory),
          ranges_(carver_, sizes_, ranges),
          left_(carver_, sizes_),
          right_(carver_, sizes_),
          down_(carver_, sizes_, true),
          up_(carver_, sizes_, false),
          found_(carver_, sizes_) {
        for (std::size_t n = 0; n < threads_; ++n) workers_.emplace_back(carver_, sizes_, evidence);
        plan();
    }

    std::size_t bytes() const { return carver_.used(); }

    void run(const GrayImage& left, const GrayImage& right, const SgmResult& result);

private:
    void plan();
    std::vector<std::uint8_t*> plan_to_middle(Sweep& sweep, std::size_t rows, std::deque<Pass>& passes);
    void plan_beyond(Sweep& sweep, const Sweep& other, std::size_t rows, const std::vector<std::uint8_t*>& kept,
                     std::deque<Pass>& passes);
    std::size_t bytes_of_halves() const { return sizes_.width * sizes_.depth; }  // of a row, at most
    void work(std::size_t worker, std::array<std::deque<Pass>, 2>& passes);
    void run_group(Pass& pass, std::size_t group, Worker& worker);
    void prepare_row(const Pass& pass, RowState& row, std::size_t at);
    void advance(const Pass& pass, Worker& worker, RowState& row, std::size_t chunk);
    void select(Worker& worker, const RowState& row, const SgmSweepArguments& swept, std::size_t column,
                std::size_t first);
    void leave_range(const Pass& pass, const RowState& row, std::size_t tile, const SgmSweepArguments& done);
    void finish_row(const RowState& row, Worker& worker);
    void fit(std::size_t first, std::size_t last, Worker& worker);

    const CensusKernels& census_;
    const SgmKernels& kernels_;
    SgmOptions options_;
    Sizes sizes_;
    std::size_t threads_;
    bool evidence_;
    std::size_t band_ = 0;  // rows of a band
    bool keep_ = true;      // the halves to the middle, not what a sweep carries at the start of its bands
    Carver carver_;
    Ranges ranges_;
    View left_, right_;
    Sweep down_, up_;
    Found found_;
    std::deque<Sweep> again_;  // compute halves a second time
    std::deque<Worker> workers_;
    std::array<std::deque<Pass>, 2> apart_, together_;  // of the sweep down and the sweep up, to the middle and beyond
    SgmResult result_{};
};

void Match::plan() {
    const std::size_t upper = (sizes_.height + 1) / 2, lower = sizes_.height - upper;
    band_ = options_.band_rows == 0 ? upper : std::min(options_.band_rows, upper);
    keep_ = band_ >= upper;
    const std::vector<std::uint8_t*> of_down = plan_to_middle(down_, upper, apart_[0]);
    const std::vector<std::uint8_t*> of_up = plan_to_middle(up_, lower, apart_[1]);
    plan_beyond(down_, up_, lower, of_up, together_[0]);
    plan_beyond(up_, down_, upper, of_down, together_[1]);
}

// The first `rows` of a sweep, in bands. Returns of each the memory for its halves or for what the sweep carries there.
std::vector<std::uint8_t*> Match::plan_to_middle(Sweep& sweep, std::size_t rows, std::deque<Pass>& passes) {
    std::vector<std::uint8_t*> kept;
    for (std::size_t first = 0; first < rows; first += band_) {
        const std::size_t count = std::min(band_, rows - first);
        Pass* before = passes.empty() ? nullptr : &passes.back();
        kept.push_back(carver_.take<std::uint8_t>(keep_ ? count * bytes_of_halves() : sizes_.carried_bytes()));
        passes.emplace_back(&sweep, keep_ ? Duty::store : Duty::drop, first, count, keep_ ? kept.back() : nullptr, before);
        if (!keep_) passes.back().save = kept.back();
    }
    return kept;
}

// The rest of a sweep: the first `rows` of the other one, whose last band comes first.
void Match::plan_beyond(Sweep& sweep, const Sweep& other, std::size_t rows, const std::vector<std::uint8_t*>& kept,
                        std::deque<Pass>& passes) {
    std::uint8_t* halves = keep_ ? nullptr : carver_.take<std::uint8_t>(band_ * bytes_of_halves());
    if (!keep_) again_.emplace_back(carver_, sizes_, other.down);
    const auto before = [&] { return passes.empty() ? nullptr : &passes.back(); };
    for (std::size_t index = kept.size(); index-- > 0;) {
        const std::size_t first = index * band_, count = std::min(band_, rows - first);
        if (!keep_) {
            passes.emplace_back(&again_.back(), Duty::store, first, count, halves, before());
            passes.back().load = kept[index];
        }
        const std::size_t own_first = sizes_.height - first - count;
        passes.emplace_back(&sweep, Duty::finish, own_first, count, keep_ ? kept[index] : halves, before());
    }
}

void Match::run(const GrayImage& left, const GrayImage& right, const SgmResult& result) {
    result_ = result;
    ranges_.add_up();
    for_each_band(sizes_.height, threads_, [&](std::size_t first, std::size_t last) {
        left_.fill(left, false, first, last);
        right_.fill(right, true, first, last);
    });
    for (Worker& worker : workers_)
        for (std::size_t d = 0; d < sizes_.depth; ++d)
            worker.padding[d] = d < options_.num_disparities ? 0 : sgm_padding_cost;
    for (Sweep* sweep : {&down_, &up_}) std::memset(sweep->carried, 0, sizes_.carried_bytes());
    for (auto* passes : {&apart_, &together_})
        for_each_band(threads_, threads_, [&](std::size_t first, std::size_t last) {
            for (std::size_t worker = first; worker < last; ++worker) work(worker, *passes);
        });
    found_.reject_border();
    for_each_band(threads_, threads_, [&](std::size_t first, std::size_t last) {
        for (std::size_t worker = first; worker < last; ++worker)
            fit(sizes_.height * worker / threads_, sizes_.height * (worker + 1) / threads_, workers_[worker]);
    });
}

// Takes groups of the one sweep, and when none is left, of the other.
void Match::work(std::size_t worker, std::array<std::deque<Pass>, 2>& passes) {
    for (std::size_t side : {worker % 2, 1 - worker % 2})
        for (Pass& pass : passes[side])
            for (;;) {
                const std::size_t group = pass.next_group.fetch_add(1);
                if (group >= pass.groups()) break;
                run_group(pass, group, workers_[worker]);
            }
}

void Match::run_group(Pass& pass, std::size_t group, Worker& worker) {
    if (group == 0) {
        if (pass.before != nullptr) wait_for(pass.before->groups_done, pass.before->groups());
        if (pass.load != nullptr) std::memcpy(pass.sweep->carried, pass.load, sizes_.carried_bytes());
        if (pass.save != nullptr) std::memcpy(pass.save, pass.sweep->carried, sizes_.carried_bytes());
    }
    const std::size_t rows = std::min(rows_in_flight, pass.count - group * rows_in_flight);
    const std::size_t chunks = sizes_.tiles_across;
    for (std::size_t n = 0; n < rows; ++n)
        prepare_row(pass, worker.rows[n], pass.first + group * rows_in_flight + n);
    for (std::size_t step = 0; step < chunks + rows - 1; ++step) {
        // A path comes from the pixel ahead in the row before, which may be in the next chunk.
        if (group > 0 && step < chunks) wait_for(pass.chunks_done[group - 1], std::min(chunks, step + 2));
        for (std::size_t n = 0; n < rows && n <= step; ++n)
            if (step - n < chunks) advance(pass, worker, worker.rows[n], step - n);
        if (step + 1 >= rows) pass.chunks_done[group].store(step + 2 - rows, std::memory_order_release);
    }
    if (pass.duty == Duty::finish)
        for (std::size_t n = 0; n < rows; ++n) finish_row(worker.rows[n], worker);
    // On x86 a locked instruction, which also makes sure that stores past the cache have arrived.
    pass.groups_done.fetch_add(1, std::memory_order_acq_rel);
}

void Match::prepare_row(const Pass& pass, RowState& row, std::size_t at) {
    const bool down = pass.sweep->down;
    const std::size_t width = sizes_.width, code_bytes = sizes_.planes - 1;
    row.y = down ? at : sizes_.height - 1 - at;
    const auto y = static_cast<std::ptrdiff_t>(row.y);
    const auto radius = static_cast<std::ptrdiff_t>(options_.pattern.height / 2);
    std::array<const std::int8_t*, 7> left{}, right{};
    for (std::size_t n = 0; n < options_.pattern.height; ++n) {
        left[n] = left_.row(y - radius + static_cast<std::ptrdiff_t>(n));
        right[n] = right_.row(y - radius + static_cast<std::ptrdiff_t>(n));
    }
    std::uint8_t* mirrored = row.right + sizes_.right_front;
    (census_.*options_.pattern.planes)(left.data(), width, row.left, sizes_.left_stride);
    (census_.*options_.pattern.mirrored)(right.data(), width, mirrored, sizes_.right_stride);
    kernels_.gradients({left_.row(y - 1), left_.row(y), left_.row(y + 1), width, false,
                        row.left + code_bytes * sizes_.left_stride});
    kernels_.gradients({right_.row(y - 1), right_.row(y), right_.row(y + 1), width, true,
                        mirrored + code_bytes * sizes_.right_stride});
    for (std::size_t plane = 0; plane < sizes_.planes; ++plane) {  // the border of the right view, replicated
        std::uint8_t* first = row.right + plane * sizes_.right_stride;
        std::uint8_t* pixels = first + sizes_.right_front;
        std::fill(first, pixels, pixels[0]);
        std::fill(pixels + width, first + sizes_.right_stride, pixels[width - 1]);
    }

    const std::ptrdiff_t step = down ? 1 : -1;
    const std::int8_t* here = left_.row(y);
    const std::int8_t* before = left_.row(y - step);
    const std::int8_t* const from[] = {here - step, before, before - step, before + step};
    for (std::size_t path = 0; path < static_cast<std::size_t>(options_.paths) / 2; ++path)
        kernels_.penalties({here, from[path], width, options_.p2, options_.p2_least, options_.p2_slope,
                            row.p2 + path * sizes_.left_stride});
    std::memset(row.along, 0, sizes_.depth);
    std::memset(row.behind, 0, sizes_.depth);
    row.carried[0] = row.carried[1] = 0;
}

void Match::advance(const Pass& pass, Worker& worker, RowState& row, std::size_t chunk) {
    const bool down = pass.sweep->down;
    const std::ptrdiff_t step = down ? 1 : -1;
    const std::size_t tile = down ? chunk : sizes_.tiles_across - 1 - chunk;
    const std::size_t column = tile * sgm_tile_width, count = ranges_.columns(tile);
    const std::size_t x = down ? column : column + count - 1;         // the first pixel in scan order
    const std::size_t at = down ? column : sizes_.width - column - count;  // and how many come before it
    const SgmRange& range = ranges_.of(row.y, tile);

    SgmCostArguments costs{};
    costs.left = row.left;
    costs.left_stride = sizes_.left_stride;
    costs.right = row.right + sizes_.right_front + options_.min_disparity + range.first;
    costs.right_stride = sizes_.right_stride;
    costs.width = sizes_.width;
    costs.x = x;
    costs.step = step;
    costs.count = count;
    costs.padding = worker.padding + range.first;
    costs.depth = range.count;
    costs.costs = worker.costs;
    (options_.pattern.bytes == 3 ? kernels_.costs_of_3 : kernels_.costs_of_4)(costs);

    SgmSweepArguments sweep{};
    sweep.costs = worker.costs;
    sweep.count = count;
    sweep.depth = range.count;
    sweep.stride = sizes_.depth;
    sweep.p1 = options_.p1;
    sweep.p2 = row.p2 + x;
    sweep.p2_stride = sizes_.left_stride;
    sweep.step = step;
    sweep.row = pass.sweep->carried + (at + 1) * sizes_.pixel_bytes + range.first;
    sweep.minima = pass.sweep->carried + sizes_.row_bytes + (at + 1) * 4;
    sweep.along = row.along + range.first;
    sweep.behind = row.behind + range.first;
    sweep.carried = row.carried;
    sweep.half = worker.dropped;
    sweep.half_step = 0;
    sweep.past_cache = options_.band_rows == 0;
    sweep.sums = worker.sums;
    if (pass.duty != Duty::drop) {
        const std::size_t top = down ? pass.first : sizes_.height - pass.first - pass.count;
        sweep.half = pass.halves + ranges_.distance(top, row.y, tile) + (x - column) * range.count;
        sweep.half_step = step * static_cast<std::ptrdiff_t>(range.count);
    }
    sweep.own_half = evidence_ ? worker.own_half : nullptr;
    const bool all_8 = options_.paths == 8;
    if (pass.duty == Duty::finish) {
        (all_8 ? kernels_.finish_8 : kernels_.finish_4)(sweep);
        select(worker, row, sweep, down ? x : column, range.first);
    } else {
        (all_8 ? kernels_.store_8 : kernels_.store_4)(sweep);
    }
    leave_range(pass, row, tile, sweep);
}

void Match::select(Worker& worker, const RowState& row, const SgmSweepArguments& swept, std::size_t column,
                   std::size_t first) {
    const int paths = options_.paths;
    const auto select = [&](const Winners& to) {
        SgmSelectArguments select{};
        select.sums = worker.sums;
        select.costs = worker.costs;
        select.count = swept.count;
        select.depth = swept.depth;
        select.first = first;
        select.last = std::min(options_.num_disparities - first, swept.depth) - 1;
        select.cost_weight = rise_weight * paths;
        select.padding_sum = static_cast<std::uint16_t>(paths * sgm_padding_cost);
        select.winners = worker.winners;
        kernels_.select(select);
        store_winners(*worker.winners, column, swept.count, swept.step > 0, evidence_, to);
    };
    select(row.winners);
    if (!evidence_) return;
    const auto add_up = [&](const std::uint8_t* half, std::ptrdiff_t half_step) {
        kernels_.add_up(swept, static_cast<std::uint8_t>(paths), half, half_step);
    };
    add_up(worker.own_half, static_cast<std::ptrdiff_t>(swept.depth));
    select(row.own);
    add_up(swept.half, swept.half_step);
    select(row.other);
}

// Where a tile of another range was left, what its paths cost outside of the new one is forgotten.
void Match::leave_range(const Pass& pass, const RowState& row, std::size_t tile, const SgmSweepArguments& done) {
    const bool down = pass.sweep->down;
    const SgmRange& now = ranges_.of(row.y, tile);
    const bool first_row = row.y == (down ? 0 : sizes_.height - 1);
    const bool first_tile = tile == (down ? 0 : sizes_.tiles_across - 1);
    const SgmRange& above = first_row ? ranges_.all() : ranges_.of(down ? row.y - 1 : row.y + 1, tile);
    const SgmRange& beside = first_tile ? ranges_.all() : ranges_.of(row.y, down ? tile - 1 : tile + 1);
    std::uint8_t* pixel = done.row - now.first;
    if (options_.paths == 8) {  // the next tile may want more of the last pixel than this one did
        const std::uint8_t* last = pixel + (done.count - 1) * sizes_.pixel_bytes + sizes_.depth;
        const std::size_t end = now.first + now.count;
        std::copy(last, last + now.first, row.behind);
        std::copy(last + end, last + sizes_.depth, row.behind + end);
    }
    forget_outside(row.along, beside, now);
    if (above.first == now.first && above.count == now.count) return;
    for (std::size_t n = 0; n < done.count; ++n, pixel += sizes_.pixel_bytes)
        for (std::size_t path = 0; path < sizes_.pixel_bytes; path += sizes_.depth)
            forget_outside(pixel + path, above, now);
}

void Match::finish_row(const RowState& row, Worker& worker) {
    const std::size_t start = row.y * sizes_.width, width = sizes_.width, at = found_.at(row.y);
    const SgmEvidence* evidence = result_.evidence;
    kernels_.judge({row.winners.best, row.winners.cost, row.winners.second, width, options_.min_disparity,
                    options_.left_right, options_.uniqueness_percent, worker.claims, found_.best + at,
                    evidence_ ? evidence->left_right + start : worker.left_right, result_.confidence + start});
    std::copy_n(row.winners.rise_before, width, found_.rise_before + at);
    std::copy_n(row.winners.rise_after, width, found_.rise_after + at);
    if (!evidence_) return;
    std::copy_n(row.winners.cost, width, evidence->cost + start);
    std::copy_n(row.winners.before, width, evidence->before + start);
    std::copy_n(row.winners.after, width, evidence->after + start);
    std::copy_n(row.winners.second, width, evidence->second + start);
    for (std::size_t x = 0; x < width; ++x)
        evidence->disagreement[start + x] = static_cast<std::uint16_t>(std::abs(row.own.best[x] - row.other.best[x]));
}

void Match::fit(std::size_t first, std::size_t last, Worker& worker) {
    const Winners& totals = worker.rows[0].winners;
    for (std::size_t y = first; y < last; ++y) {
        const std::size_t at = found_.at(y);
        kernels_.gather({found_.best + at, found_.rise_before + at, found_.rise_after + at, found_.stride, sizes_.width,
                         totals.rise_before, totals.rise_after});
        kernels_.fit({found_.best + at, totals.rise_before, totals.rise_after, sizes_.width, options_.min_disparity,
                      result_.disparity + y * sizes_.width});
    }
}

}  // namespace

class SgmWorkspace {
public:
    Memory memory;
    std::mutex in_use;
};

void SgmWorkspaceDeleter::operator()(SgmWorkspace* workspace) const { delete workspace; }

SgmWorkspacePointer make_sgm_workspace() { return SgmWorkspacePointer(new SgmWorkspace); }

std::size_t sgm_bytes(const SgmKernels& kernels, const SgmOptions& options, std::size_t height, std::size_t width,
                      std::size_t threads, bool evidence) {
    return Match(census_scalar, kernels, options, height, width, nullptr, threads, evidence, nullptr).bytes();
}

std::size_t sgm_thrifty_band(std::size_t height, int paths) {
    // A band of B rows takes B rows of halves; h / B bands take as many saved sweeps, of `rows` rows each. Half the image.
    const double half = static_cast<double>(height) / 2, rows = paths == 8 ? 3 : 1;
    const double band = std::ceil(std::sqrt(rows * half));
    const double saved = rows * (std::ceil(half / band) + 1);  // and one more sweep, which computes halves again
    return band + saved < half ? static_cast<std::size_t>(band) : 0;
}

void sgm_match(SgmWorkspace& workspace, const CensusKernels& census, const SgmKernels& kernels,
               const SgmOptions& options, const GrayImage& left, const GrayImage& right, const SgmRange* ranges,
               std::size_t threads, const SgmResult& result) {
    const std::lock_guard<std::mutex> lock(workspace.in_use);
    const bool evidence = result.evidence != nullptr;
    const auto match = [&](std::uint8_t* memory) {
        return Match(census, kernels, options, left.height, left.width, ranges, threads, evidence, memory);
    };
    match(workspace.memory.take(match(nullptr).bytes())).run(left, right, result);
}

}  // namespace salticid
