// Rows of an image shared out among threads.
#pragma once

#include <cstddef>
#include <functional>

namespace salticid {

// Cuts `rows` into at most `threads` bands and calls `work(first, last)` once for each, the first band on the
// calling thread. Returns when all are done; an exception that `work` throws is thrown again here.
//
// Not a template: this file's code must never be compiled with the flags of one instruction set.
void for_each_band(std::size_t rows, std::size_t threads,
                   const std::function<void(std::size_t first, std::size_t last)>& work);

// The same where rows take different times: whoever is free takes the next few. `prepare` is called once on each
// thread, and what it returns once for each row.
void for_each_row(std::size_t rows, std::size_t threads,
                  const std::function<std::function<void(std::size_t row)>()>& prepare);

}  // namespace salticid
