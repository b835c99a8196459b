"""A body over time in its own axes: what every signal, event and feature of movement is computed from.

    keypoints -> unsure joints and leaps out -> short gaps filled, evenly spaced -> view -> size
              -> own axes, on level ground -> heels -> filter

So a feature is written once, for pictures and rooms, treadmills and roads, at any distance and frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import JOINTS, Keypoints, Side
from salticid.motion.measure.activity import find_activity
from salticid.motion.measure.axes import in_picture, in_room, middle
from salticid.motion.measure.filters import evenly, low_pass_each, without_leaps
from salticid.motion.measure.heel import with_heels
from salticid.motion.measure.scale import body_height
from salticid.motion.measure.view import Seen, find_view
from salticid.motion.measured import Activity, View
from salticid.motion.options import MotionOptions

# Winter 2009, ch. 3.4: walking has its power below 6 Hz; running needs about twice that.
CUTOFF_HZ: dict[Activity, float] = {"walk": 6.0, "run": 12.0, "exercise": 6.0, "other": 6.0}
PROVISIONAL_HZ = 8.0  # before it is known what the body does

LEAP = 0.05  # of the body's height: what noise alone never does
STRONGEST = 60.0  # body heights / s²: what a foot is slowed down by in a sprint; a bend of this strength is no leap
LEAST_FRAMES = 8
OBLIQUE = 0.5  # confidence in the view below which its angles are said to be doubtful


@dataclass(frozen=True, slots=True)
class Body:
    """Joints in the axes of the body that has them, evenly spaced in time and filtered; nan where unknown."""

    times_s: Array  # (T,) float64
    joints: dict[str, Array]  # (T, 3) float64: forward, left, up; travel is kept; an axis that is not seen is nan
    rough: dict[str, Array]  # the same before the filter, for what is sharp in time
    unit: Literal["m", "height"]  # of the joints: meters, or body heights where the height is not known
    height: float  # of the body in that unit
    view: View
    direction: Side | None  # of a side view: which way the body faces in the picture
    activity: Activity
    fps: float  # of the source
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.times_s)

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return float((len(self) - 1) / (self.times_s[-1] - self.times_s[0]))

    def joint(self, name: str) -> Array:
        """Return the (T, 3) course of a joint; nan where the source does not know it."""
        return self.joints[name] if name in self.joints else np.full((len(self), 3), np.nan)

    @property
    def pelvis(self) -> Array:
        """(T, 3) center of the hips."""
        return middle(self.joints, "hip")

    @property
    def neck(self) -> Array:
        """(T, 3) center of the shoulders."""
        return middle(self.joints, "shoulder")


def read_body(keypoints: Keypoints, options: MotionOptions) -> Body:
    """Make a body from keypoints.

    Raises
    ------
    InputError
        Fewer than `LEAST_FRAMES` frames show a body, its hips never do, or its size, view or heading cannot be told.
    """
    keypoints = _followed(keypoints)
    times_s, joints = _cleaned(keypoints, options.least_score)
    if not np.isfinite(middle(joints, "hip")).all(axis=1).any():
        raise InputError("the hips are never seen, and all is measured from them: film the whole body")
    rate_hz = float((len(times_s) - 1) / (times_s[-1] - times_s[0]))
    seen = find_view(joints, keypoints.dimensions, options.view)
    turned, height = _in_own_axes(joints, seen, rate_hz)
    turned, added = with_heels(turned, height)
    in_heights = {name: course / height for name, course in low_pass_each(turned, rate_hz, PROVISIONAL_HZ).items()}
    activity = find_activity(in_heights, rate_hz) if options.activity == "auto" else options.activity
    known_m = options.height_m if options.height_m is not None else (height if seen.view == "room" else None)
    factor = 1.0 if seen.view == "room" or known_m is None else known_m
    filtered = {name: factor * course for name, course in low_pass_each(turned, rate_hz, CUTOFF_HZ[activity]).items()}
    return Body(
        times_s,
        filtered,
        {name: factor * course for name, course in turned.items()},
        "height" if known_m is None else "m",
        known_m or 1.0,
        seen.view,
        seen.direction,
        activity,
        keypoints.fps,
        (*_notes(seen, added), *_turning(joints, turned)),
    )


def _followed(keypoints: Keypoints) -> Keypoints:
    """Return the stretch from the first frame with a body to the last."""
    found = np.flatnonzero(keypoints.found)
    if len(found) < LEAST_FRAMES:
        whole = f"{len(found)} of {len(keypoints)} frames"
        raise InputError(f"a body is found in {whole}: at least {LEAST_FRAMES} are needed")
    return keypoints.cut(slice(int(found[0]), int(found[-1]) + 1))


def _cleaned(keypoints: Keypoints, least_score: float) -> tuple[Array, dict[str, Array]]:
    """Return even times, and the joints at them: (T, D) each, nan where not seen."""
    fps = keypoints.fps
    count = 1 + int(np.floor((keypoints.times_s[-1] - keypoints.times_s[0]) * fps + 1e-6))
    times_s = keypoints.times_s[0] + np.arange(count) / fps
    size = _extent(keypoints)
    least_leap = size * (LEAP + 0.5 * STRONGEST / fps**2)
    gap_s = max(0.1, 1.5 / fps)
    names = dict.fromkeys([*JOINTS, *keypoints.names])
    cleaned = {}
    for name in names:
        course = np.array(keypoints.joint(name), np.float64)
        if name in keypoints.names:
            course[keypoints.scores[:, keypoints.names.index(name)] < least_score] = np.nan
        cleaned[name] = evenly(keypoints.times_s, without_leaps(course, least_leap), times_s, gap_s)
    return times_s, cleaned


def _extent(keypoints: Keypoints) -> float:
    """Return roughly how tall the body is in its unit: the median of its extents upwards."""
    up = keypoints.positions[:, :, 1]
    up = up[np.isfinite(up).any(axis=1)]
    return float(np.median(np.nanmax(up, axis=1) - np.nanmin(up, axis=1)))


def _in_own_axes(joints: dict[str, Array], seen: Seen, rate_hz: float) -> tuple[dict[str, Array], float]:
    """Return the joints (T, 3) forward, left and up, and the height of the body in their unit."""
    sizes = body_height(joints, rate_hz, seen.view)
    if not np.isfinite(sizes).all():
        raise InputError("neither trunk nor legs are seen: the size of the body cannot be told")
    if seen.view == "room":
        return in_room(joints, rate_hz), float(sizes[0])
    return in_picture(joints, seen, sizes, rate_hz), 1.0


def _notes(seen: Seen, heels_added: bool) -> tuple[str, ...]:
    notes = {
        f"the camera looks obliquely ({seen.view} view assumed): angles are smaller than they are": seen.confidence
        < OBLIQUE,
        "the source knows no heels: they are placed from ankles and toes": heels_added,
    }
    return tuple(note for note, applies in notes.items() if applies)


def _turning(joints: dict[str, Array], turned: dict[str, Array]) -> tuple[str, ...]:
    """Return what there is to say about a body that is in the picture, and in no axes of its own."""
    lost = np.isfinite(joints["left_hip"]).all(axis=1) & np.isnan(turned["left_hip"]).all(axis=1)
    return ("the person turns round: both ways are measured, the turn itself is not",) if lost.any() else ()
