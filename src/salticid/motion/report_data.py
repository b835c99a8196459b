"""What a report shows of a clip, put together from the clip's measurements and what they were compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Side
from salticid.motion.measured import Measured
from salticid.motion.report_text import Difference, verdict


@dataclass(frozen=True, slots=True)
class Band:
    """The person's own range of a curve."""

    low: Array  # (101,)
    high: Array  # (101,)
    mean: Array  # (101,)


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that is on the page, without its form."""

    measured: Measured
    inside: bool | None  # None: the clip cannot be judged
    score: float
    limit: float
    own_scores: tuple[float, ...]  # of the own clips, each compared with the others
    clips: int  # of the baseline
    confidence: str  # "high", "medium", "low"; empty where unknown
    reasons: tuple[str, ...]  # for the confidence
    warnings: tuple[str, ...]
    changes: tuple[Difference, ...]  # outside the own range, largest first
    features: dict[str, Difference]  # all that was measured in both, by key
    own_values: dict[str, tuple[float, ...]]  # of the own clips, by key
    cautions: dict[str, str]  # by key
    bands: dict[str, Band]  # of the curves, by key
    quality: tuple[tuple[str, str], ...]  # of the clip: what was found in how many frames, ...
    method: tuple[tuple[str, str], ...]  # how it was computed

    @property
    def cycle(self) -> str:
        """What the movement consists of."""
        return "repetition" if self.measured.activity == "exercise" else "stride"

    @property
    def verdict(self) -> str:
        """The sentence above everything else; a change of one side goes before one between the sides."""
        of_a_side = (change for change in self.changes if not change.is_comparison)
        first = next(of_a_side, next(iter(self.changes), None))
        return verdict(self.inside, self.measured.activity, self.clips, first, self.confidence)

    @property
    def not_measured(self) -> list[tuple[str, Side | None, str]]:
        """Titles, sides, and why there is no number."""
        return [
            (measurement.feature.title, measurement.side, measurement.reason)
            for measurement in self.measured.measurements.values()
            if not measurement.count
        ]

    @property
    def coarse(self) -> list[tuple[str, Side | None, str]]:
        """Titles, sides, and why a number is to be taken with care."""
        known = ((self.features[key], caution) for key, caution in self.cautions.items() if key in self.features)
        return [(one.title, one.side, caution) for one, caution in known]


def toe_off_percent(measured: Measured, side: Side | None) -> float:
    """Return where stance ends, in percent of the stride: the median over the strides; nan where it was not seen."""
    shares = [
        100 * (stride.toe_off_s - stride.start_s) / (stride.end_s - stride.start_s)
        for stride in measured.strides
        if side in (None, stride.side) and math.isfinite(stride.toe_off_s)
    ]
    return float(np.median(shares)) if shares else math.nan
