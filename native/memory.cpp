#include "memory.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace salticid {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

std::align_val_t alignment_of(std::size_t bytes) {
    return std::align_val_t{bytes < huge_page ? memory_alignment : huge_page};
}

void prefer_huge_pages([[maybe_unused]] void* bytes, [[maybe_unused]] std::size_t size) {
#ifdef __linux__
    madvise(bytes, size, MADV_HUGEPAGE);  // a wish: fewer page faults; matching works without
#endif
}

}  // namespace

Memory::~Memory() { release(); }

std::uint8_t* Memory::take(std::size_t bytes) {
    if (bytes <= size_) return bytes_;
    release();
    bytes_ = static_cast<std::uint8_t*>(::operator new(bytes, alignment_of(bytes)));
    size_ = bytes;
    if (bytes >= huge_page) prefer_huge_pages(bytes_, bytes);
    return bytes_;
}

void Memory::release() {
    if (bytes_ != nullptr) ::operator delete(bytes_, alignment_of(size_));
    bytes_ = nullptr;
    size_ = 0;
}

}  // namespace salticid
