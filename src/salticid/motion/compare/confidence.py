"""How surely a verdict can be taken: what speaks against it, each from 0 to 1, and the least of them.

This is no probability. Five clips cannot give one, and neither can the reasons below be multiplied: they are the usual
ways in which such a verdict is wrong, side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from salticid.motion.compare.description import cycle_of, cycles_of
from salticid.motion.compare.judge import Verdict
from salticid.motion.measured import Measured
from salticid.motion.pose.clip import Clip

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline

WITHOUT_STRIDES = 0.5  # a movement that is judged by its signals alone
COARSE = 0.8  # times that are resolved by few frames
DOUBTFUL = 0.4  # the baseline itself is in doubt
SURE = 0.9  # from here on there is nothing to say


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure, and why not surer."""

    value: float  # 0..1
    reasons: tuple[str, ...]  # the weightiest first


def judge_confidence(baseline: Baseline, measured: Measured, verdict: Verdict, clip: Clip | None) -> Confidence:
    """Return how surely a verdict can be taken."""
    found = sorted(_doubts(baseline, measured, verdict, clip))
    reasons = tuple(reason for value, reason in found if value < SURE)
    return Confidence(found[0][0], reasons)


def _doubts(baseline: Baseline, measured: Measured, verdict: Verdict, clip: Clip | None) -> Iterator[tuple[float, str]]:
    margin = abs(verdict.margin)
    yield 1 - math.exp(-margin), f"the score is {margin:.1f} of the own clips' spreads from the limit"
    clips = len(baseline.judge.statistics)
    yield clips / (clips + 1), f"the baseline is of {clips} clips"
    if "bands" in baseline.judge.known_parts:
        yield _cycle_doubt(cycles_of(measured), cycle_of(measured.activity))
    elif "windows" in verdict.parts and "features" not in verdict.parts:
        few = f"too few clips of the baseline show whole {cycle_of(baseline.activity)}s"
        yield WITHOUT_STRIDES, f"{few}: judged by the course of the signals alone"
    if clip is not None:
        yield clip.quality.found_share, f"the body was found in {clip.quality.found_share:.0%} of the frames"
    coarse = [part.feature.title for part in measured.measurements.values() if part.count and part.caution]
    if coarse:
        yield COARSE, f"coarse at {measured.fps:.0f} frames per second: {', '.join(dict.fromkeys(coarse))}"
    if baseline.doubts:
        yield DOUBTFUL, f"the baseline is in doubt: {baseline.doubts[0]}"


def _cycle_doubt(cycles: int, word: str) -> tuple[float, str]:
    if not cycles:
        return WITHOUT_STRIDES, f"no {word} was found: judged by the course of the signals alone"
    return cycles / (cycles + 1), f"at most {cycles} {word}{'' if cycles == 1 else 's'} of a side were measured"
