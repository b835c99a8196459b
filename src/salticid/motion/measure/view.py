"""From where the camera looks at a body, and which way the body faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.proportions import THIGH, TRUNK
from salticid.motion.measure.scale import known_median
from salticid.motion.measured import View

Joints = Mapping[str, Array]  # name -> (T, D)

# Distance of the two shoulders across the picture, in lengths of the trunk: about 0.9 seen from behind, and what the
# rotation of the shoulders leaves of it seen from the side. Drillis & Contini 1966: 0.259 H over 0.288 H.
SIDE_BREADTH, REAR_BREADTH = 0.3, 0.7


@dataclass(frozen=True, slots=True)
class Seen:
    """How a body is seen."""

    view: View
    direction: Side | None  # of a side view: which way it faces in the picture
    confidence: float  # 0..1; low for a view that is oblique


def find_view(joints: Joints, dimensions: int, wanted: Literal["auto", "side", "rear", "front"] = "auto") -> Seen:
    """Find the view from breadths, feet and the order of left and right.

    Parameters
    ----------
    joints
        (T, D) positions by name: pixels with y down, or meters in a room, where there is no view to find.
    wanted
        What the user says; then only the direction is found.

    Raises
    ------
    InputError
        Neither the shoulders nor the hips were ever seen together with a trunk, so the view must be given.
    """
    if dimensions == 3:
        return Seen("room", None, 1.0)
    if wanted != "auto":
        return Seen(wanted, _direction(joints) if wanted == "side" else None, 1.0)
    breadth = _breadth(joints)
    middle = (SIDE_BREADTH + REAR_BREADTH) / 2
    confidence = min(1.0, abs(breadth - middle) / (middle - SIDE_BREADTH))
    if breadth < middle:
        return Seen("side", _direction(joints), confidence)
    return Seen(_rear_or_front(joints), None, confidence)


def _breadth(joints: Joints) -> float:
    """Return the breadth of the shoulders, as they and the hips tell it, in lengths of the trunk."""
    shoulders, hips = (joints["right_" + part] - joints["left_" + part] for part in ("shoulder", "hip"))
    trunk = _trunk(joints)
    # Networks and markers place the hips at about 0.55 of the shoulders' distance.
    breadths = [known_median(np.abs(shoulders[:, 0])), known_median(np.abs(hips[:, 0])) / 0.55]
    known = [breadth / trunk for breadth in breadths if np.isfinite(breadth)] if trunk > 0 else []
    if not known:
        raise InputError("neither trunk nor legs are seen whole: give the view (side, rear or front)")
    return float(np.mean(known))


def _trunk(joints: Joints) -> float:
    """Return the length of the trunk, or what it is for legs of this length where it is not seen."""
    trunks = [joints[f"{side}_shoulder"] - joints[f"{side}_hip"] for side in SIDES]
    legs = [joints[f"{side}_hip"] - joints[f"{side}_knee"] for side in SIDES]
    lengths = (known_median(np.linalg.norm(np.concatenate(limbs), axis=1)) for limbs in (trunks, legs))
    trunk, thigh = lengths
    return trunk if np.isfinite(trunk) else thigh * TRUNK / THIGH


def _rear_or_front(joints: Joints) -> View:
    """Seen from behind, the left side of the body is at the left of the picture."""
    across = [joints["right_" + part][:, 0] - joints["left_" + part][:, 0] for part in ("shoulder", "hip")]
    return "rear" if known_median(np.concatenate(across)) > 0 else "front"


def _direction(joints: Joints) -> Side:
    """Return which way the feet point; the nose against the ears and the way of travel where there are no feet."""
    pairs = [
        (f"{side}_{start}", f"{side}_{end}") for side in SIDES for start, end in (("heel", "toe"), ("ankle", "toe"))
    ]
    feet = [known_median(joints[end][:, 0] - joints[start][:, 0]) for start, end in pairs]
    face = [known_median(joints["nose"][:, 0] - joints[f"{side}_ear"][:, 0]) for side in SIDES]
    for votes in (feet, face, [_travel(joints)]):
        known = [vote for vote in votes if np.isfinite(vote)]
        if known and sum(known) != 0:
            return "right" if sum(known) > 0 else "left"
    raise InputError("neither feet nor face are seen, and nobody travels: which way the person faces cannot be told")


def _travel(joints: Joints) -> float:
    hips = (joints["left_hip"] + joints["right_hip"])[:, 0]
    known = hips[np.isfinite(hips)]
    return float(known[-1] - known[0]) if len(known) > 1 else float("nan")
