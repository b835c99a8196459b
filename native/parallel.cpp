#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace salticid {
namespace {

constexpr std::size_t rows_at_once = 4;

}  // namespace

void for_each_band(std::size_t rows, std::size_t threads,
                   const std::function<void(std::size_t first, std::size_t last)>& work) {
    const std::size_t bands = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(rows, 1));
    std::vector<std::exception_ptr> errors(bands);
    const auto run = [&](std::size_t band) noexcept {
        try {
            work(rows * band / bands, rows * (band + 1) / bands);
        } catch (...) {
            errors[band] = std::current_exception();
        }
    };

    std::vector<std::thread> helpers;
    helpers.reserve(bands);
    for (std::size_t band = 1; band < bands; ++band) {
        try {
            helpers.emplace_back(run, band);
        } catch (const std::exception&) {  // no more threads, or no memory for one: the work is done all the same
            run(band);
        }
    }
    run(0);
    for (std::thread& helper : helpers) helper.join();
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
}

void for_each_row(std::size_t rows, std::size_t threads,
                  const std::function<std::function<void(std::size_t row)>()>& prepare) {
    std::atomic<std::size_t> next{0};
    const std::size_t workers = std::min(threads, (rows + rows_at_once - 1) / rows_at_once);
    for_each_band(workers, workers, [&](std::size_t, std::size_t) {
        const auto work = prepare();
        for (std::size_t row; (row = next.fetch_add(rows_at_once)) < rows;)
            for (const std::size_t end = std::min(row + rows_at_once, rows); row < end; ++row) work(row);
    });
}

}  // namespace salticid
