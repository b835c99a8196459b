#include "dispatch.h"

#include <stdexcept>
#include <string>

namespace salticid {
namespace {

std::vector<InstructionSet> detect() {
    std::vector<InstructionSet> found;
#ifdef SALTICID_X86_64
    // The compiler's run-time library asks CPUID for the instructions and XGETBV for the registers.
    __builtin_cpu_init();
#ifdef SALTICID_EMULATE_AVX512
    const bool avx512 = true;
#else
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bitalg") &&
                        __builtin_cpu_supports("avx512vnni");
#endif
    if (avx512)
        found.push_back({"avx512", &census_avx512, &sgm_avx512, &sgm_narrow_avx512, &filter_avx512, &patch_avx512,
                         &patch_float_avx512, &refine_avx512, &label_avx512, &plain_net_avx512});
    if (__builtin_cpu_supports("avx2")) {
        const auto* float_patches = __builtin_cpu_supports("fma") ? &patch_float_avx2 : &patch_float_scalar;
        found.push_back({"avx2", &census_avx2, &sgm_avx2, &sgm_avx2, &filter_avx2, &patch_avx2, float_patches,
                         &refine_avx2, &label_avx2, &plain_net_avx2});
    }
#endif
#ifdef SALTICID_AARCH64
    found.push_back({"neon", &census_neon, &sgm_neon, &sgm_neon, &filter_scalar, &patch_neon, &patch_float_neon,
                     &refine_neon, &label_scalar, &plain_net_neon});
#endif
    found.push_back({"scalar", &census_scalar, &sgm_scalar, &sgm_scalar, &filter_scalar, &patch_scalar,
                     &patch_float_scalar, &refine_scalar, &label_scalar, &plain_net_scalar});
    return found;
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
    static const std::vector<InstructionSet> found = detect();
    return found;
}

const InstructionSet& instruction_set(std::string_view name) {
    for (const InstructionSet& set : instruction_sets())
        if (set.name == name) return set;
    throw std::invalid_argument("this CPU runs no kernels for instruction set '" + std::string(name) + "'");
}

}  // namespace salticid
