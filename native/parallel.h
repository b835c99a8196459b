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

}  // namespace salticid
