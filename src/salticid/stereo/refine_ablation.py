"""What each step of the refinement is worth, on pairs with truth.

Every way makes a map for every pixel and ranks its pixels. `cross_validated` judges each scene by a network that never
saw it; `judge_scene` takes one network for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from salticid.core import metrics
from salticid.core.types import Array, FloatMap
from salticid.engine.integer import FloatLayer, real_layer
from salticid.engine.patches import MIDDLE, Tap, gather
from salticid.stereo.evaluate import THRESHOLDS_PX, Scene
from salticid.stereo.fill import fill_background, to_px
from salticid.stereo.refine import chosen_by, confidence_table
from salticid.stereo.refine_maps import FILLED, NEAR, ROWS
from salticid.stereo.refine_network import INPUT_SCALE, TAPS, WITHIN_PX, UltraLightweightRefinementNet, load
from salticid.stereo.refine_samples import CANDIDATES, Samples, View, read_pair, samples_of, see
from salticid.stereo.refine_train import Progress, Schedule, train, train_layers

MEDIAN_SIZE = 5
PLAIN_TAPS = tuple(Tap(ROWS, dy, dx, ROWS, 0) for dy in range(-3, 4) for dx in range(-3, 4))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one way makes of the pixels of a view that count."""

    way: str
    disparity_px: FloatMap  # (N,) float32
    confidence: FloatMap  # (N,) float32, larger is surer


Refine = Callable[[View], Judged]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to learn from, and how."""

    folds: int = 5
    pixels: int = 12_000  # of each view
    schedule: Schedule = field(default_factory=Schedule)


def classical_ways(view: View) -> list[Judged]:
    """Return what needs no network: the matcher's map with its holes filled in several ways."""
    counted = view.pair.counted
    measured_px = view.disparity_px[counted]
    known = np.isfinite(measured_px)
    sure = np.where(known, view.confidence[counted], np.float32(0))
    nothing = fill_background(view.disparity_px)
    smooth = np.where(view.maps[NEAR] == view.maps[FILLED], view.disparity_px, np.float32(np.nan))
    return [
        Judged("nothing; left-right mask", nothing[counted], known.astype(np.float32)),
        Judged("nothing; matcher's confidence", nothing[counted], sure),
        Judged("median 5x5", np.asarray(cv2.medianBlur(nothing, MEDIAN_SIZE), np.float32)[counted], sure),
        Judged("holes filled by votes", to_px(view.maps[FILLED], view.disparity_px)[counted], sure),
        Judged("classical", to_px(view.maps[NEAR], smooth)[counted], sure),
    ]


def network_ways(network: UltraLightweightRefinementNet) -> list[Refine]:
    """Return the network in floating point and in whole numbers."""
    patches = network.patch_network()
    table, scale = confidence_table(patches), patches.network.layers[-1].scale

    def refined(way: str, view: View, outputs: Array) -> Judged:
        maps = tuple(plane[view.pair.counted] for plane in view.maps)
        return Judged(way, *chosen_by(outputs, maps, view.disparity_px[view.pair.counted], table))

    def in_floats(view: View) -> Judged:
        outputs = np.rint(network(gather(TAPS, view.maps, view.pair.counted)) / scale)
        return refined("network, float32", view, outputs.clip(-(1 << 15), (1 << 15) - 1).astype(np.int16))

    def in_bytes(view: View) -> Judged:
        outputs = patches.network(gather(TAPS, view.maps, view.pair.counted))
        return refined("network, int8", view, outputs.astype(np.int16))

    return [in_floats, in_bytes]


def plain_way(layers: Sequence[FloatLayer]) -> Refine:
    """Return a network that sees 7x7 disparities of the map with its rows filled, and says what to add."""

    def refined(view: View) -> Judged:
        counted = view.pair.counted
        values: Array = (gather(PLAIN_TAPS, view.maps, counted).astype(np.float64) - MIDDLE) * INPUT_SCALE
        for layer in layers:
            values = real_layer(layer, values)
            values = np.maximum(values, 0) if layer.relu else values
        base = to_px(view.maps[ROWS], view.disparity_px)[counted]
        return Judged("plain 7x7 network", base + values[:, 0].astype(np.float32), values[:, 1].astype(np.float32))

    return refined


def judge_scene(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per way for one scene: what a pool's worker is given is `{"scene": ..., "model": ...}`."""
    view = see(read_pair(Scene(**request["scene"])))
    ways = network_ways(load(request["model"]))
    return [figures(view, found) for found in (*classical_ways(view), *(way(view) for way in ways))]


def cross_validated(
    scenes: Sequence[Sequence[View]],
    simulated: Sequence[Sequence[View]],
    plan: Plan,
    progress: Progress = lambda line: None,
) -> Iterator[dict[str, Any]]:
    """Yield one row per scene and way; the networks of a fold learn from the other folds and the simulated pairs.

    Parameters
    ----------
    scenes, simulated
        For each pair its views: as it was taken, then worsened.
    """
    pairs = (*scenes, *simulated)
    own = [samples_of(views, TAPS, plan.pixels, CANDIDATES) for views in pairs]
    plain = [samples_of(views, PLAIN_TAPS, plan.pixels, (ROWS,)) for views in pairs]
    for fold in range(plan.folds):
        progress(f"fold {fold + 1} of {plan.folds}")
        learned = [n for n in range(len(pairs)) if n >= len(scenes) or n % plan.folds != fold]
        network = train(Samples.joined([own[n] for n in learned]), plan.schedule)
        layers = train_layers(Samples.joined([plain[n] for n in learned]), plan.schedule)
        ways = [plain_way(layers), *network_ways(network)]
        for views in scenes[fold :: plan.folds]:
            for found in (*classical_ways(views[0]), *(way(views[0]) for way in ways)):
                yield figures(views[0], found)


def figures(view: View, found: Judged) -> dict[str, Any]:
    """Return the accuracy of one way on one view.

    Returns
    -------
    dict
        group, name, way, bad_N (percent of all pixels), mae_px, auc (of errors up to 1 px), and bad_2_equal: bad-2 of
        the surest pixels, as many as the matcher found.
    """
    error_px = np.abs(found.disparity_px - view.pair.truth_px[view.pair.counted])
    matched = int(np.isfinite(view.disparity_px[view.pair.counted]).sum())
    surest = np.argsort(-found.confidence, kind="stable")[:matched]
    row: dict[str, Any] = {"group": view.pair.group, "name": view.pair.name, "way": found.way}
    row |= {f"bad_{limit:g}": 100 * float((error_px > limit).mean()) for limit in THRESHOLDS_PX}
    row["bad_2_equal"] = 100 * float((error_px[surest] > 2).mean())
    row["mae_px"] = float(error_px.mean())
    row["auc"] = metrics.roc_auc(found.confidence, error_px <= WITHIN_PX)
    return row


def means(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each way the mean over all scenes, and over those of each group."""
    groups = [None, *sorted({row["group"] for row in rows})]
    ways = list(dict.fromkeys(row["way"] for row in rows))
    return [_mean(rows, way, group) for group in groups for way in ways]


def _mean(rows: Sequence[dict[str, Any]], way: str, group: str | None) -> dict[str, Any]:
    chosen = [row for row in rows if row["way"] == way and group in (None, row["group"])]
    numbers = [key for key, value in chosen[0].items() if isinstance(value, float)]
    return {"group": group or "all", "way": way, "scenes": len(chosen)} | {
        key: float(np.mean([row[key] for row in chosen])) for key in numbers
    }
