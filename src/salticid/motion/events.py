"""When a foot meets the ground and when it leaves it.

A foot stands while one of its points is low and moves as the ground does: the heel first, the toe last. That holds for
walking and running, heel and forefoot strikes, on a road (the ground rests) and on a treadmill (it moves back under
the body). Events are crossings, so they lie between frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from salticid.core.types import Array
from salticid.motion.activity import gait_rhythm
from salticid.motion.body import Body
from salticid.motion.event_timing import Window, refine_events
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.signals import FORWARD, UP

LOW = 0.025  # of the body's height above a point's own lowest place
SLOW = 0.35  # body heights / s, against the ground
MOVING_S, RESTING = 0.06, 0.4  # seconds, and part of the stance, that are looked at on either side of an event
LEAST_FRAMES = 2.5  # on either side
SHORTEST_STANCE, SHORTEST_SWING = 0.12, 0.15  # of a stride


@dataclass(frozen=True, slots=True)
class FootEvents:
    """Contacts and toe-offs of one foot, in seconds; a toe-off follows its contact."""

    contacts_s: Array  # (N,) float64
    toe_offs_s: Array  # (N,) float64; nan where the foot was still standing when it was lost


def find_events(body: Body) -> dict[Side, FootEvents]:
    """Find when each foot stands; none where the feet do not take turns."""
    stride_s = stride_time_of(body)
    return {side: _events(body, side, stride_s) for side in SIDES}


def stride_time_of(body: Body) -> float:
    """Return the usual time from a contact to the next of the same foot; nan where the feet do not take turns."""
    return 1 / gait_rhythm({name: course / body.height for name, course in body.joints.items()}, body.rate_hz).hz


def ground_speed(body: Body) -> float:
    """Return how fast the ground moves along the body's forward axis: 0 on a road, negative on a treadmill.

    In the unit of the body per second. While a foot is low it moves as the ground does.
    """
    speeds = [_speed_when_low(body, side) for side in SIDES]
    return float(np.nanmean(speeds))


def _speed_when_low(body: Body, side: Side) -> float:
    point = body.joint(f"{side}_toe") if f"{side}_toe" in body.joints else body.joint(f"{side}_ankle")
    if not np.isfinite(point[:, FORWARD]).any():
        point = body.joint(f"{side}_ankle")
    speed = np.gradient(point[:, FORWARD], body.times_s)
    above = point[:, UP]
    known = np.isfinite(speed) & np.isfinite(above)
    if not known.any():
        return float("nan")
    low = known & (np.nan_to_num(above, nan=np.inf) <= np.percentile(above[known], 25))
    return float(np.median(speed[low]))


def _events(body: Body, side: Side, stride_s: float) -> FootEvents:
    nothing = FootEvents(np.empty(0), np.empty(0))
    if not np.isfinite(stride_s):
        return nothing
    off = np.stack([_off_ground(body, f"{side}_{part}") for part in _soles(body, side)])
    stances = list(_stances(body.times_s, np.fmin.reduce(off), stride_s))
    return _refined(body, side, stride_s, off, *np.array(stances).T) if stances else nothing


def _refined(body: Body, side: Side, stride_s: float, off: Array, contacts_s: Array, toe_offs_s: Array) -> FootEvents:
    """Time the first point that comes to rest and the last one that leaves."""
    least_s, stance_s = LEAST_FRAMES / body.rate_hz, float(np.nanmedian(toe_offs_s - contacts_s))
    window = Window(max(MOVING_S, least_s), max(RESTING * stance_s, least_s))
    rest = np.outer(body.times_s, [ground_speed(body), 0])
    parts = _soles(body, side)
    exact = []
    for rough_s, arrives in ((contacts_s, True), (toe_offs_s, False)):
        part = parts[_lowest_at(body.times_s, off, rough_s)]
        places = (body.rough[f"{side}_{part}"][:, [FORWARD, UP]] - rest) / body.height
        exact.append(refine_events(body.times_s, places, rough_s, window, pace_of(body), arrives=arrives))
    return FootEvents(*exact)


def _lowest_at(times_s: Array, off: Array, moments_s: Array) -> int:
    """Return which point stands at most of these moments, by its row in `off` (P, T)."""
    samples = np.searchsorted(times_s, moments_s[np.isfinite(moments_s)]).clip(max=len(times_s) - 1)
    which = np.argmin(np.nan_to_num(off[:, samples], nan=np.inf), axis=0)
    return int(np.bincount(which, minlength=len(off)).argmax())


def pace_of(body: Body) -> float:
    """Return how fast the body moves against the ground, in body heights / s."""
    forward = body.pelvis[:, FORWARD]
    known = np.flatnonzero(np.isfinite(forward))
    own = (forward[known[-1]] - forward[known[0]]) / (body.times_s[known[-1]] - body.times_s[known[0]])
    return abs(float(own - ground_speed(body))) / body.height


def _soles(body: Body, side: Side) -> list[str]:
    """Return the parts of a foot that touch the ground; the ankle stands in for a heel that the source does not know."""
    known = [part for part in ("heel", "toe") if np.isfinite(body.joint(f"{side}_{part}")).any()]
    return known if "heel" in known else ["ankle", *known]


def _off_ground(body: Body, name: str) -> Array:
    """Return how far a point is from standing, (T,): below 1 while it stands."""
    point, ground = body.joint(name), ground_speed(body)
    known = np.isfinite(point[:, UP])
    height = (point[:, UP] - np.percentile(point[known, UP], 5)) / body.height
    forward = np.gradient(point[:, FORWARD], body.times_s) - ground
    speed = np.hypot(forward, np.gradient(point[:, UP], body.times_s)) / body.height
    return np.asarray(np.maximum(height / LOW, speed / SLOW))


def _stances(times_s: Array, off: Array, stride_s: float) -> Iterator[tuple[float, float]]:
    """Yield from when to when a foot stands; stances that begin unseen are left out."""
    standing = _closed(times_s, off < 1, SHORTEST_SWING * stride_s)
    steps = np.diff(standing.astype(np.int8))
    for down in np.flatnonzero(steps == 1):
        ups = np.flatnonzero(steps[down + 1 :] == -1)
        contact = _crossing(times_s, off, int(down))
        toe_off = _crossing(times_s, off, int(down) + 1 + int(ups[0])) if len(ups) else float("nan")
        if np.isfinite(contact) and not toe_off - contact < SHORTEST_STANCE * stride_s:
            yield contact, toe_off


def _closed(times_s: Array, standing: Array, shortest_s: float) -> Array:
    """Return when a foot stands, with liftings that are too short for a swing taken out."""
    closed = standing.copy()
    edges = np.flatnonzero(np.diff(standing.astype(np.int8)))
    for up, down in pairwise(edges):
        if standing[up] and times_s[down] - times_s[up] < shortest_s:
            closed[up : down + 1] = True
    return closed


def _crossing(times_s: Array, off: Array, before: int) -> float:
    """Return when `off` crosses 1 between this sample and the next; nan next to a gap."""
    first, second = off[before], off[before + 1]
    return float(times_s[before] + (1 - first) / (second - first) * (times_s[before + 1] - times_s[before]))
