"""How well each model tells one person's usual movement from others: AUC per clip over random splits.

    score = evaluate("mocap/", splits=10, seed=0)
    for row in score.rows: print(row.model, row.against, row.auc, row.flagged_normal)

Of each movement, five random clips of the usual style are the baseline; the other clips of that style are held-out
normal clips; they are ranked against each other style of the movement, and against the other movements in the folder.
A limit comes from the five clips alone. Keypoints are as the product sees them: noisy, in three dimensions or from one
view.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from salticid.core.metrics import roc_auc
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.compare.judge import NETWORK, Judge, Method, fit_judge
from salticid.motion.compare.mocap_measured import Key, Progress, measure_folder
from salticid.motion.compare.peers import PEERS, fit_peer
from salticid.motion.compare.thresholds import leave_one_out, upper_limit
from salticid.motion.files.mocap import NORMAL
from salticid.motion.measured import Measured, View

if TYPE_CHECKING:
    from salticid.motion.compare.autoencoder_network import GaitAutoencoder

JUDGES: tuple[Method, ...] = get_args(Method)
MODELS = (*JUDGES, *PEERS)
BASELINE_CLIPS = 5
LEAST_HELD_OUT = 2
NOISE_M = 0.015
ALL = "all"  # the mean over what a movement was compared with

Clips = Mapping[Key, Sequence[Measured]]
Score = Callable[[Measured], float]


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One model on one movement against one style or other movement."""

    movement: str
    model: str
    against: str  # a style of the movement, "movement:<name>", or "all"
    auc: float  # mean over the splits; nan where nothing could be ranked
    auc_sd: float
    found: float  # share of these clips that are outside of the limit
    flagged_normal: float  # share of the held-out normal clips that are outside of it
    flagged_normal_sd: float
    clips: int  # compared
    unscored: float  # of these clips, per split, that the model could not score; they are not ranked
    splits: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rows, and the clips that could not be measured."""

    rows: tuple[EvaluationRow, ...]
    failed: tuple[tuple[str, str], ...]  # name, reason


def evaluate(
    folder: str | os.PathLike[str],
    *,
    models: Sequence[str] = MODELS,
    splits: int = 10,
    seed: int = 0,
    view: View = "room",
    noise_m: float = NOISE_M,
    normal: str = NORMAL,
    network: GaitAutoencoder | None = None,
    progress: Progress = lambda line: None,
) -> Evaluation:
    """Measure every clip of a folder once, then rank and judge them by every model.

    Parameters
    ----------
    folder
        Motion capture, see `mocap.py`.
    models
        Of `MODELS`.
    view
        "room": three dimensions; else the picture of a camera that goes along.
    noise_m
        Standard deviation of each coordinate of the keypoints.
    normal
        The style that is the person's own.
    network
        For the autoencoder and the ensemble; None: the one in the package. It must not have seen these clips.

    Raises
    ------
    InputError
        A model or folder is not known, or no movement has seven clips of the usual style.
    MissingError
        torch is not installed, and an autoencoder is wanted.
    """
    _check(models, splits)
    clips, failed = measure_folder(folder, view=view, noise_m=noise_m, seed=seed, progress=progress)
    rows = evaluate_clips(
        clips, models=models, splits=splits, seed=seed, normal=normal, network=network, progress=progress
    )
    return Evaluation(tuple(rows), failed)


def evaluate_clips(
    clips: Clips,
    *,
    models: Sequence[str] = MODELS,
    splits: int = 10,
    seed: int = 0,
    normal: str = NORMAL,
    network: GaitAutoencoder | None = None,
    progress: Progress = lambda line: None,
) -> list[EvaluationRow]:
    """Return the rows of clips that are measured already; see `evaluate`."""
    least = BASELINE_CLIPS + LEAST_HELD_OUT
    movements = [movement for (movement, style), own in clips.items() if style == normal and len(own) >= least]
    if not movements:
        raise InputError(
            f"no movement has {least} clips or more of the style {normal!r}: {BASELINE_CLIPS} make a baseline"
        )
    if network is None and {NETWORK, "ensemble"} & set(models):
        from salticid.motion.compare.autoencoder_train import shipped_network

        network = shipped_network()
    rows: list[EvaluationRow] = []
    for movement in movements:
        plan = _Plan(clips, movement, normal, tuple(models), network)
        results = []
        for split in range(splits):
            progress(f"{movement}: split {split + 1} of {splits}")
            results.append(plan.run(seed + split))
        rows += _rows(plan, results)
    return rows


@dataclass(frozen=True, slots=True)
class _Scored:
    """One model in one split."""

    normal: Array  # scores of the held-out normal clips
    against: dict[str, Array]  # scores of the others
    limit: float


@dataclass(frozen=True, slots=True)
class _Plan:
    """One movement, and what it is compared with."""

    clips: Clips
    movement: str
    normal: str
    models: tuple[str, ...]
    network: GaitAutoencoder | None

    @property
    def groups(self) -> dict[str, list[Measured]]:
        """What the normal clips are held against, by its name in the table."""
        found: dict[str, list[Measured]] = {}
        for (movement, style), members in self.clips.items():
            if movement != self.movement:
                found.setdefault(f"movement:{movement}", []).extend(members)
            elif style != self.normal:
                found[style] = list(members)
        return found

    def run(self, seed: int) -> dict[str, _Scored]:
        """Return the scores of all models for one choice of five clips."""
        own = self.clips[self.movement, self.normal]
        order = np.random.default_rng(seed).permutation(len(own))
        baseline = [own[index] for index in order[:BASELINE_CLIPS]]
        held_out = [own[index] for index in order[BASELINE_CLIPS:]]
        return {
            model: _Scored(
                _all(score, held_out), {name: _all(score, them) for name, them in self.groups.items()}, limit
            )
            for model, score, limit in self._fitted(baseline, seed)
        }

    def _fitted(self, baseline: Sequence[Measured], seed: int) -> Iterator[tuple[str, Score, float]]:
        """Yield each model's name, what scores a clip, and the limit. Judges give scores in units of their limit."""
        judges = [model for model in JUDGES if model in self.models]
        wants_network = any(model != "statistics" for model in judges)
        if judges:
            judge = fit_judge(baseline, "statistics", self.network if wants_network else None, seed)
            parts_of = _remembered(judge)
            for method in judges:
                yield method, _relative(replace(judge, method=method), parts_of), 1.0
        for model in self.models:
            if model in PEERS:
                yield _peer(model, baseline, seed)


def _check(models: Sequence[str], splits: int) -> None:
    for model in models:
        if model not in MODELS:
            raise InputError(f"there is no model {model!r}: choose of {', '.join(MODELS)}")
    if splits < 1:
        raise InputError(f"splits must be 1 or more, not {splits}")


def _remembered(judge: Judge) -> Callable[[Measured], Mapping[str, float]]:
    """Return `judge.parts_of` that works out each clip once; all judges share the distances."""
    known: dict[int, Mapping[str, float]] = {}

    def parts_of(measured: Measured) -> Mapping[str, float]:
        if id(measured) not in known:
            known[id(measured)] = judge.parts_of(measured)
        return known[id(measured)]

    return parts_of


def _relative(judge: Judge, parts_of: Callable[[Measured], Mapping[str, float]]) -> Score:
    """Return the score as a share of its limit, which is another where a clip has no strides; nan where refused."""

    def score(measured: Measured) -> float:
        try:
            verdict = judge.judge_parts(parts_of(measured))
        except InputError:
            return math.nan
        return verdict.score / verdict.limit.value

    return score


def _peer(model: str, baseline: Sequence[Measured], seed: int) -> tuple[str, Score, float]:
    signals = [clip.signals for clip in baseline]
    judge = fit_peer(model, signals, seed)
    own = leave_one_out(signals, lambda others: fit_peer(model, others, seed), lambda peer, left: peer(left))
    return model, lambda measured: judge(measured.signals), upper_limit(own).value


def _all(score: Score, clips: Sequence[Measured]) -> Array:
    return np.array([score(clip) for clip in clips])


def _rows(plan: _Plan, results: Sequence[Mapping[str, _Scored]]) -> Iterator[EvaluationRow]:
    names = list(plan.groups)
    for model in plan.models:
        scored = [result[model] for result in results]
        table = np.array([[_auc(one.normal, one.against[name]) for name in names] for one in scored])
        for column, name in enumerate(names):
            yield _row(plan, model, name, scored, [name], table[:, column])
        if len(names) > 1:
            yield _row(plan, model, ALL, scored, names, table.mean(axis=1))


def _row(
    plan: _Plan, model: str, against: str, scored: Sequence[_Scored], names: Sequence[str], auc: Array
) -> EvaluationRow:
    flagged = [_beyond(one.normal, one.limit) for one in scored]
    found = [np.mean([_beyond(one.against[name], one.limit) for name in names]) for one in scored]
    unscored = [sum(int(np.isnan(one.against[name]).sum()) for name in names) for one in scored]
    return EvaluationRow(
        movement=plan.movement,
        model=model,
        against=against,
        auc=float(np.mean(auc)),
        auc_sd=float(np.std(auc)),
        found=float(np.mean(found)),
        flagged_normal=float(np.mean(flagged)),
        flagged_normal_sd=float(np.std(flagged)),
        clips=sum(len(plan.groups[name]) for name in names),
        unscored=float(np.mean(unscored)),
        splits=len(scored),
    )


def _auc(normal: Array, others: Array) -> float:
    """Return the chance that a clip of the others scores higher, of those that have a score."""
    scores, labels = np.concatenate([normal, others]), np.repeat([0, 1], [len(normal), len(others)])
    known = np.isfinite(scores)
    return roc_auc(scores[known], labels[known])


def _beyond(scores: Array, limit: float) -> float:
    """Return the share of the clips with a score that are outside."""
    known = scores[np.isfinite(scores)]
    return float((known > limit).mean()) if len(known) else math.nan
