"""The part of the demo about depth: a simulated pair, and a real one where there is data, with their true error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.cli.page import Page
    from salticid.core.types import FloatMap, Image, Mask
    from salticid.stereo.calibration import Calibration
    from salticid.stereo.disparity import DisparityMap

FOLDER = "stereo"  # of the data
REAL_SCENES = ("cones", "teddy", "Aloe")
PROFILES = ("speed", "quality")
ERROR_SHOWN_PX = 2.0

COLUMNS = ("pair", "profile", "engine", "known %", "bad-0.5 %", "bad-1 %", "bad-2 %", "MAE px", "depth error mm", "ms")


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair with its truth, simulated or real."""

    name: str
    left: Image
    right: Image
    truth_px: FloatMap
    counted: Mask
    num_disparities: int
    rig: Calibration | None  # None where nobody knows the cameras


@dataclass(frozen=True, slots=True)
class Trial:
    """What one profile made of a pair."""

    pair: Pair
    profile: str
    found: DisparityMap


def show_depth(page: Page, data: Path | None, output: Path, out: Output) -> list[dict[str, Any]]:
    """Put depth on the page, write cloud.ply into `output`, and return the errors, a row per pair and profile."""
    pairs = [_simulated(), *(_real(data) if data else [])]
    trials = [trial for pair in out.progress(pairs, len(pairs), "pairs") for trial in _trials(pair)]
    rows = [_row(trial) for trial in trials]
    page.heading("Depth from two views")
    page.text(
        "Two cameras see the same scene from two places. How far a point moves between the views, its disparity, tells "
        "how far away it is. The truth is exact for the simulated pair and measured for the real one."
    )
    page.text(
        "Percent of the pixels that both views see and that are off by more than N px, holes filled from the row:"
    )
    page.table(COLUMNS, rows)
    for trial in trials:
        if trial.profile == PROFILES[-1]:
            _show(page, trial, output)
    out.table("errors over the pixels that both views see, holes filled", COLUMNS, rows)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _simulated() -> Pair:
    from salticid.stereo.simulate import simulate_pair

    scene = simulate_pair()
    return Pair(
        name="simulated",
        left=scene.left,
        right=scene.right,
        truth_px=scene.disparity_left_px,
        counted=scene.visible,
        num_disparities=scene.rig.num_disparities or 128,
        rig=scene.rig,
    )


def _real(data: Path) -> list[Pair]:
    """Return a real pair out of `data`, if it has any."""
    from salticid.core.image import read_image
    from salticid.stereo.evaluate import find_scenes, load_truth, search_range

    if not (data / FOLDER).is_dir():
        return []
    found = find_scenes(data / FOLDER)
    scene = min(
        found, key=lambda scene: REAL_SCENES.index(scene.name) if scene.name in REAL_SCENES else len(REAL_SCENES)
    )
    views = read_image(scene.left), read_image(scene.right)
    return [Pair(f"real: {scene.name}", *views, *load_truth(scene), search_range(scene), None)]


def _trials(pair: Pair) -> list[Trial]:
    """Match `pair` under each profile."""
    from salticid.stereo.matching import StereoMatcher

    trials = []
    for profile in PROFILES:
        matcher = StereoMatcher(profile=profile, num_disparities=pair.num_disparities)
        matcher(pair.left, pair.right)  # the first call allocates
        trials.append(Trial(pair, profile, matcher(pair.left, pair.right)))
    return trials


def _row(trial: Trial) -> list[Any]:
    """Return one line of the table of errors."""
    from salticid.stereo.evaluate import measure

    pair, found = trial.pair, trial.found
    figures = measure(found.disparity_px, pair.truth_px, pair.counted)
    bad = [figures[f"bad_{threshold}_fill"] for threshold in ("0.5", "1", "2")]
    errors = [100 * figures["density"], *bad, figures["mae_fill_px"], _depth_error_mm(found, pair)]
    return [pair.name, trial.profile, found.engine, *errors, sum(found.latency_ms.values())]


def _show(page: Page, trial: Trial, output: Path) -> None:
    """Put pictures, times and the cloud on the page."""
    pair, found = trial.pair, trial.found
    page.heading(f"The pair: {pair.name}")
    page.pictures(_pictures(found, pair))
    page.table(("stage", "ms"), list(found.latency_ms.items()))
    if pair.rig is not None:
        cloud = found.to_cloud(pair.rig)
        cloud.save(output / "cloud.ply")
        page.cloud(cloud, f"{len(cloud):,} points: drag to turn, wheel to come closer; also in cloud.ply")


def _pictures(found: DisparityMap, pair: Pair) -> dict[str, Image]:
    import numpy as np

    from salticid.core import draw

    low, high = float(np.nanmin(pair.truth_px)), float(np.nanmax(pair.truth_px))
    error = np.where(pair.counted, np.abs(found.disparity_px - pair.truth_px), np.nan)
    return {
        "left view": pair.left,
        "right view": pair.right,
        f"true disparity, {low:.0f} to {high:.0f} px": draw.disparity_colors(pair.truth_px, low, high),
        "found disparity, gray where unknown": draw.disparity_colors(found.disparity_px, low, high),
        f"error, 0 to {ERROR_SHOWN_PX:g} px": draw.error_colors(error, ERROR_SHOWN_PX),
        "confidence, 0 black to 1 white": np.rint(255 * found.confidence).astype(np.uint8),
    }


def _depth_error_mm(found: DisparityMap, pair: Pair) -> float:
    """Return the median error of the depth over the pixels that count; nan where nobody knows the cameras."""
    import numpy as np

    if pair.rig is None:
        return float("nan")
    error = np.abs(pair.rig.depth_mm(found.disparity_px) - pair.rig.depth_mm(pair.truth_px))
    return float(np.nanmedian(error[pair.counted]))
