"""Contacts from the rise and fall of the feet alone: all that a view from behind or in front shows.

The middle of a foot falls fastest just before it lands (O'Connor et al. 2007). When its toe leaves is hardly to be seen
from there, for the heel has been rising for long, so there are no toe-offs: what needs them is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages
from salticid.motion.measured import Activity

APART = 0.6  # of a stride, between two contacts


@dataclass(frozen=True, slots=True)
class Landing:
    """What tells the landing from the other falls of a foot."""

    sharpest: float  # of the fastest fall: slower ones are no landing
    low: float  # of the foot's rise: how high it is at most soon after


# In walking the landing is among the fastest falls, but the picture then lowers the foot further as it moves back
# towards the camera. In running the foot falls faster from behind the thigh, and is low only after the landing.
LANDINGS: dict[Activity, Landing] = {"walk": Landing(0.55, 1.0), "run": Landing(0.2, 0.25)}
SOON = 0.12  # of a stride


def vertical_contacts(times_s: Array, height: Array, stride_s: float, activity: Activity) -> Array:
    """Return when a foot lands, (N,) seconds, roughly: from its height (T,), filtered, in any unit."""
    known = np.isfinite(height)
    if known.sum() < 3:
        return np.empty(0)
    landing = LANDINGS[activity]
    falls_s = _peaks(times_s, -np.gradient(height, times_s), landing.sharpest)
    lowest, highest = np.percentile(height[known], [5, 98])
    after = np.interp(falls_s + SOON * stride_s, times_s, height)
    landings_s = falls_s[after < lowest + landing.low * (highest - lowest)]
    return np.asarray(landings_s[np.diff(landings_s, append=np.inf) > APART * stride_s])  # the last of a few


def _peaks(times_s: Array, course: Array, sharpest: float) -> Array:
    """Return when a course has its larger peaks, between the samples."""
    rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    filled = np.where(np.isfinite(course), course, np.nanmin(course))
    least = sharpest * float(np.nanpercentile(course, 98))
    found, _ = packages.require("scipy").signal.find_peaks(filled, height=least)
    before, top, after = (filled[found + step] for step in (-1, 0, 1))
    bend = before - 2 * top + after
    return np.asarray(times_s[found] + np.where(bend < 0, 0.5 * (before - after) / bend, 0.0) / rate_hz)
