// Which kernels this CPU runs: one table, read once when the module is loaded.
#pragma once

#include <string_view>
#include <vector>

#include "census.h"
#include "filter.h"
#include "label.h"
#include "patch.h"
#include "patch_float.h"
#include "plain_net.h"
#include "refine.h"
#include "sgm_kernels.h"

namespace salticid {

struct InstructionSet {
    std::string_view name;
    const CensusKernels* census;
    const SgmKernels* sgm;
    const SgmKernels* sgm_narrow;  // with vectors no longer than sgm_range_multiple
    const FilterKernels* filters;
    const PatchKernels* patches;
    const FloatPatchKernels* float_patches;
    const RefineKernels* refinement;
    const LabelKernels* labels;
    const PlainNetKernels* plain_nets;
};

// What the CPU has and the operating system keeps the registers of, best first; the last is "scalar".
const std::vector<InstructionSet>& instruction_sets();

// The row of that table called `name`; throws std::invalid_argument when there is none.
const InstructionSet& instruction_set(std::string_view name);

}  // namespace salticid
