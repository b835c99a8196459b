// Memory for kernels: aligned for every vector, and kept until more is needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salticid {

constexpr std::size_t memory_alignment = 64;

constexpr std::size_t rounded_up(std::size_t value, std::size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

class Memory {
public:
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    // Returns at least `bytes` bytes of unknown content; what was there before is lost. Throws std::bad_alloc.
    std::uint8_t* take(std::size_t bytes);

private:
    void release();

    std::uint8_t* bytes_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace salticid
