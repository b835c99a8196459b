// The taps of patch networks, checked.
#include "patch_taps.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace salticid {
namespace {

constexpr int most_shift = 8;

}  // namespace

PatchTaps::PatchTaps(std::vector<Tap> taps, std::size_t planes) : taps_(std::move(taps)), planes_(planes) {
    if (taps_.empty() || taps_.size() > patch_most_units)
        throw std::invalid_argument("a patch network has 1 to 128 taps");
    for (const Tap& tap : taps_) {
        reach_ = std::max({reach_, tap.dx, -tap.dx});
        if (tap.plane >= planes || tap.center >= static_cast<std::ptrdiff_t>(planes))
            throw std::invalid_argument("a tap names a plane that is not there");
        if (tap.shift < 0 || tap.shift > most_shift) throw std::invalid_argument("shifts of a tap must be 0 to 8");
        if (std::max({tap.dy, -tap.dy, tap.dx, -tap.dx}) > patch_most_reach)
            throw std::invalid_argument("a tap is at most 127 px away");
    }
}

}  // namespace salticid
