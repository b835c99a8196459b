"""Contacts from the rise and fall of the feet alone: all that a view from behind or in front shows.

The middle of a foot falls fastest just before it lands (O'Connor et al. 2007). When its toe leaves is hardly to be seen
from there, for the heel has been rising for long, so there are no toe-offs: what needs them is not measured.
"""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages

SHARPEST = 0.2  # of the largest vertical speed: smaller peaks are no step
LANDED, LOW = 0.12, 0.25  # of a stride after it, and of the foot's rise: where a foot is that has landed
APART = 0.6  # of a stride, between two contacts


def vertical_contacts(times_s: Array, height: Array, stride_s: float) -> Array:
    """Return when a foot lands, (N,) seconds, roughly: from its height (T,), filtered, in any unit.

    Those moments of fastest fall count that leave the foot low; a foot falls in mid-swing too.
    """
    known = np.isfinite(height)
    if known.sum() < 3:
        return np.empty(0)
    falls_s = _peaks(times_s, -np.gradient(height, times_s))
    lowest, highest = np.percentile(height[known], [5, 98])
    after = np.interp(falls_s + LANDED * stride_s, times_s, height)
    landings_s = falls_s[after < lowest + LOW * (highest - lowest)]
    return np.asarray(landings_s[np.diff(landings_s, append=np.inf) > APART * stride_s])  # the last of a few


def _peaks(times_s: Array, course: Array) -> Array:
    """Return when a course has its larger peaks, between the samples."""
    rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    filled = np.where(np.isfinite(course), course, np.nanmin(course))
    least = SHARPEST * float(np.nanpercentile(course, 98))
    found, _ = packages.require("scipy").signal.find_peaks(filled, height=least)
    before, top, after = (filled[found + step] for step in (-1, 0, 1))
    bend = before - 2 * top + after
    return np.asarray(times_s[found] + np.where(bend < 0, 0.5 * (before - after) / bend, 0.0) / rate_hz)
