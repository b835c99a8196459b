"""Is a clip inside of what a person has shown? Distances of several kinds, one score, and the limit it is held against.

    judge = fit_judge(clips, "statistics")            # five `Measured` of one person
    verdict = judge(measured)
    verdict.inside, verdict.score, verdict.limit, verdict.parts

The default compares three groups of numbers (`description.py`) by shrunk distances (`distance.py`) of the same weight.
The limit is that of the very same score of the person's own clips, each left out once (`thresholds.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.compare.autoencoder import Autoencoder
from salticid.motion.compare.description import GROUPS, Description, describe, group_of
from salticid.motion.compare.statistics import Statistics, distances, fit
from salticid.motion.compare.thresholds import Limit, leave_one_out, upper_limit
from salticid.motion.measured import Measured

if TYPE_CHECKING:
    from salticid.motion.compare.autoencoder_network import GaitAutoencoder

Method = Literal["statistics", "autoencoder", "ensemble"]

NETWORK = "autoencoder"
PARTS: tuple[str, ...] = (*GROUPS, NETWORK)
LEAST_OF_GROUP = 0.5  # share of a group's numbers that a clip must tell to be judged by it
LEAST_CLIPS = 2  # of the baseline must have a distance of a kind, each from the others
# Clips from which on their correlation counts. Of three, each is held against two, and two clips lie on a line whatever
# they are: that looks like a correlation without error, and distances from it are about three times too large.
LEAST_CORRELATED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One clip against the limit."""

    score: float  # distance, more for the unusual; what it means is said by the limit
    limit: Limit
    parts: dict[str, float]  # of `PARTS`: the distances that the score is made of
    part_limits: dict[str, float]  # where each would end by itself
    own_scores: Array  # (N,) of the baseline's clips, each by the others

    @property
    def inside(self) -> bool:
        """Whether the clip is no further off than the person's own."""
        return self.score <= self.limit.value

    @property
    def margin(self) -> float:
        """How far the score lies from the limit, in spreads of such scores; above 0 outside."""
        return math.log(self.score / self.limit.value) / self.limit.log_spread


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """What a new clip is held against."""

    method: Method
    statistics: Statistics
    own_parts: Array  # (N, 4) float64, of `PARTS`: the own clips, each by the others; nan where unknown
    autoencoder: Autoencoder | None

    def __call__(self, measured: Measured) -> Verdict:
        """Return how far a clip lies from the person's own.

        Raises
        ------
        InputError
            The clip tells nothing that the baseline knows, or that its own clips can be held against one another by.
        """
        return self.judge_parts(self.parts_of(measured))

    def parts_of(self, measured: Measured) -> dict[str, float]:
        """Return the distances of a clip, of each of `PARTS`; nan where it does not tell enough."""
        parts = group_distances(self.statistics, describe(measured))
        network = self.autoencoder.score(measured.signals) if self.autoencoder else math.nan
        return {**parts, NETWORK: network}

    def judge_parts(self, parts: Mapping[str, float]) -> Verdict:
        """Return the verdict on a clip of which the distances are known."""
        used = [part for part in self.known_parts if math.isfinite(parts[part])]
        if not self._suffices(used):
            raise InputError(
                "the clip tells nothing that can be compared with the baseline: it is too short, or the body is hidden"
            )
        limits = {part: upper_limit(self._own(part)).value for part in used}
        own_scores = self.own_scores(used)
        limit = upper_limit(own_scores)
        if not math.isfinite(limit.value):
            raise InputError(f"the clips of the baseline cannot be held against one another by {', '.join(used)} alone")
        return Verdict(
            score=_score(parts, used, limits),
            limit=limit,
            parts={part: float(parts[part]) for part in used},
            part_limits=limits,
            own_scores=own_scores,
        )

    @property
    def is_able(self) -> bool:
        """Whether the own clips tell what the method needs: without it no clip can be judged."""
        return self._suffices(self.known_parts)

    @property
    def known_parts(self) -> tuple[str, ...]:
        """Those of `PARTS` that the method looks at and the own clips tell."""
        wanted = {"statistics": GROUPS, "autoencoder": (NETWORK,), "ensemble": PARTS}[self.method]
        return tuple(part for part in wanted if int(np.isfinite(self._own(part)).sum()) >= LEAST_CLIPS)

    def own_scores(self, used: Sequence[str] | None = None) -> Array:
        """Return the scores of the own clips by some parts, (N,), each by a model of the others; by default by all."""
        parts = self.known_parts if used is None else used
        limits = {part: upper_limit(self._own(part)).value for part in parts}
        return np.array([_score(dict(zip(PARTS, row, strict=True)), parts, limits) for row in self.own_parts])

    def _suffices(self, parts: Sequence[str]) -> bool:
        return bool(parts) and (self.method == "statistics" or NETWORK in parts)

    def _own(self, part: str) -> Array:
        return np.asarray(self.own_parts[:, PARTS.index(part)])


def fit_judge(
    clips: Sequence[Measured], method: Method, network: GaitAutoencoder | None = None, seed: int = 0
) -> Judge:
    """Learn what is usual from the clips of one person.

    Parameters
    ----------
    clips
        Three at least, of one view and one movement.
    network
        Pre-trained; for "autoencoder" and "ensemble".

    Raises
    ------
    MissingError
        torch or onnx is not installed, and the method needs them.
    """
    descriptions = [describe(clip) for clip in clips]
    learn = partial(fit, correlated=len(clips) >= LEAST_CORRELATED)
    own = leave_one_out(descriptions, learn, lambda statistics, left: _row(group_distances(statistics, left)))
    tuned, own_errors = (None, np.full(len(clips), np.nan)) if network is None else _tuned(clips, network, seed)
    return Judge(method, learn(descriptions), np.column_stack([own, own_errors]), tuned)


def group_distances(statistics: Statistics, description: Description) -> dict[str, float]:
    """Return the distance in each group; nan in one of which the clip tells less than half."""
    told = set(np.array(description.names)[np.isfinite(description.values)].tolist()) if description.names else set()
    found = distances(statistics, description)
    return {
        group: found[group] if _share_told(statistics, group, told) >= LEAST_OF_GROUP else math.nan for group in GROUPS
    }


def _share_told(statistics: Statistics, group: str, told: set[str]) -> float:
    known = [name for name in statistics.names if group_of(name) == group]
    return sum(name in told for name in known) / len(known) if known else 0.0


def _row(parts: Mapping[str, float]) -> list[float]:
    return [parts[group] for group in GROUPS]


def _tuned(clips: Sequence[Measured], network: GaitAutoencoder, seed: int) -> tuple[Autoencoder, Array]:
    """Return the network tuned to all clips, and the score of each clip by one tuned to the others."""
    from salticid.motion.compare.autoencoder_train import fine_tune, tuned_scorer

    signals = [clip.signals for clip in clips]
    errors = leave_one_out(
        signals, lambda others: tuned_scorer(others, network, seed=seed), lambda score, left: score(left)
    )
    return fine_tune(signals, network, seed=seed), errors


def _score(parts: Mapping[str, float], used: Sequence[str], limits: Mapping[str, float]) -> float:
    """Return one number: the root of the mean square of the groups, the network's error, or what is between both.

    The two are of different kinds, so each is taken in units of its own limit, and both have the same weight.
    """
    groups = [part for part in used if part != NETWORK]
    statistical = math.sqrt(float(np.mean([parts[part] ** 2 for part in groups]))) if groups else math.nan
    if NETWORK not in used:
        return statistical
    if not groups:
        return float(parts[NETWORK])
    usual = math.sqrt(float(np.mean([limits[part] ** 2 for part in groups])))
    return math.sqrt(statistical / usual * parts[NETWORK] / limits[NETWORK])
