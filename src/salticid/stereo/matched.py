"""What an engine makes of a pair of views, and the evidence that it can give for each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import FloatMap

Counts = NDArray[np.uint16]

NONE = 65535  # in evidence: there is no such thing here


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for each disparity before any filter, (H, W) uint16 each; 65535 where there is nothing to say.

    Costs are the sums over all paths. Every pixel has a winner, also where its disparity was rejected later.
    """

    cost: Counts  # of the winner
    cost_before: Counts  # one disparity below the winner
    cost_after: Counts  # one above
    second_cost: Counts  # the smallest of those farther than 1 px from the winner
    left_right_px: Counts  # distance to the disparity of the matched pixel of the right view
    disagreement_px: Counts  # distance between the winners of the sweep down and of the sweep up the image

    @property
    def margin(self) -> FloatMap:
        """How much worse the second best is, in sums of costs, (H, W) float32; nan where there is no second."""
        margin = self.second_cost.astype(np.float32) - self.cost
        margin[self.second_cost == NONE] = np.nan
        return margin


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Disparity of the left view as an engine found it."""

    disparity_px: FloatMap  # (H, W) float32, nan where unknown
    confidence: FloatMap  # (H, W) float32, 0..1; 0 where unknown
    evidence: Evidence | None = None
    remark: str = ""  # how it was found, where the mode does not tell
