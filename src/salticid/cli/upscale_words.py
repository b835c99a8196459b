"""What `salticid upscale` says to a person about a plan, an image or a video."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from salticid.runtime.ladder import Skip
    from salticid.upscale.plan import UpscalePlan
    from salticid.upscale.result import Upscaled
    from salticid.upscale.video import UpscaledVideo
    from salticid.upscale.video_plan import VideoPlan

Sides = tuple[int, int]  # height and width


def plan_words(plan: UpscalePlan) -> str:
    """Return what enlarging an image will take."""
    return f"{_way(plan)}, {lasting(plan.seconds)}"


def video_plan_words(plan: VideoPlan) -> str:
    """Return what enlarging a video will take, or each frame of it where nothing tells how many there are."""
    many = "" if plan.frames is None else f"{plan.frames} frames of "
    takes = f"{lasting(plan.frame_seconds)} a frame" if plan.frames is None else lasting(plan.seconds)
    return f"{many}{_way(plan.frame)}, {takes} (ms each, at the same time: {_stages(plan.latency_ms)})"


def image_words(made: Upscaled, size: Sides, target: Sides, ms: float) -> str:
    """Return who enlarged an image by how much, and what that took, writing included."""
    return f"{by(made.model, made.step)}, {sides(size, target)}, {ms:.0f} ms"


def video_words(made: UpscaledVideo) -> str:
    """Return the same of a video, and how much of it did not have to be computed."""
    how = f"{by(made.model, _steps(made.steps))}, {sides(made.size, made.target)}"
    dropped = f", {made.dropped} dropped" if made.dropped else ""
    speed = f"{made.frames} frames{dropped}, {made.fps:.1f} frames/s (ms each: {_stages(made.latency_ms)})"
    sound = f", {made.tracks} sound track{'s' * (made.tracks > 1)} copied" if made.tracks else ""
    return f"{how}, {speed}, {100 * made.unchanged:.0f} % of the tiles unchanged and taken over{sound}"


def skip_words(step: str, skipped: Sequence[Skip]) -> str:
    """Return why a lower step of the ladder had to do; nothing where none was skipped."""
    if not skipped:
        return ""
    from salticid.runtime.ladder import reasons

    return f"made by {step}, because better was not possible ({reasons(skipped)})"


def share_words(count: int, frames: int) -> str:
    """Return of how much of a video something is said; nothing where it is said of all of it.

    >>> share_words(15, 20), share_words(20, 20)
    ('15 of 20 frames ', '')
    """
    return f"{count} of {frames} frames " if count < frames else ""


def sides(size: Sides, target: Sides) -> str:
    """Return both sizes, as people say them.

    >>> sides((180, 320), (720, 1280))
    '320 x 180 -> 1280 x 720'
    """
    return f"{size[1]} x {size[0]} -> {target[1]} x {target[0]}"


def lasting(time_s: float) -> str:
    """Return how long something will take.

    >>> lasting(0.0123), lasting(75.4), lasting(math.nan)
    ('about 12 ms', 'about 75 s', 'time not known')
    """
    if math.isnan(time_s):
        return "time not known"
    return f"about {1000 * time_s:.0f} ms" if time_s < 1 else f"about {time_s:.0f} s"


def by(model: str, step: str) -> str:
    """Return who enlarges, and how where that says more.

    >>> by("fast", "int8 on cpu"), by("bicubic", "bicubic")
    ('fast (int8 on cpu)', 'bicubic')
    """
    return model if model == step else f"{Path(model).name} ({step})"


def _way(plan: UpscalePlan) -> str:
    """Return the sizes, who enlarges in how many tiles, and the memory."""
    tiles = f", {plan.tiles} tile{'s' * (plan.tiles > 1)} of up to {plan.tile_px} px" if plan.tiles else ""
    return f"{sides(plan.size, plan.target)} by {by(plan.model, plan.step)}{tiles}, {plan.peak_bytes / 1e6:.3g} MB"


def _steps(steps: Mapping[str, int]) -> str:
    """Return how frames were made, and where that was in several ways, how many in each.

    >>> _steps({"int8 on cpu": 20}), _steps({"int8 on cpu": 5, "bicubic": 15})
    ('int8 on cpu', '5 frames by int8 on cpu, 15 frames by bicubic')
    """
    if len(steps) == 1:
        return next(iter(steps))
    return ", ".join(f"{count} frame{'s' * (count > 1)} by {step}" for step, count in steps.items())


def _stages(latency_ms: Mapping[str, float]) -> str:
    return ", ".join(f"{stage} {value:.1f}" for stage, value in latency_ms.items())
