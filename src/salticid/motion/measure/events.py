"""When a foot meets the ground and when it leaves it.

A foot stands while one of its points is low and moves as the ground does: the heel first, the toe last. That holds for
walking and running, heel and forefoot strikes, on a road (the ground rests) and on a treadmill (it moves back under
the body). Where both cross their limits tells the events roughly, and `event_timing` then exactly, between frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.activity import gait_rhythm
from salticid.motion.measure.body import Body
from salticid.motion.measure.event_timing import Course, Window, refine_events
from salticid.motion.measure.events_vertical import vertical_contacts
from salticid.motion.measure.ground import ground_speed, pace_of
from salticid.motion.measure.signals import FORWARD, UP

LOW = 0.025  # of the body's height above a point's own lowest place
SLOW = 0.35  # body heights / s, against the ground
MOVING_S, RESTING = 0.06, 0.4  # seconds, and part of the stance, that are looked at on either side of an event
LEAST_FRAMES = 2.5  # on either side
SHORTEST_STANCE, SHORTEST_SWING = 0.12, 0.15  # of a stride


@dataclass(frozen=True, slots=True)
class FootEvents:
    """Contacts and toe-offs of one foot, in seconds; a toe-off follows its contact."""

    contacts_s: Array  # (N,) float64
    toe_offs_s: Array  # (N,) float64; nan where the foot was lost before, and where the view hides it


def find_events(body: Body) -> dict[Side, FootEvents]:
    """Find when each foot stands; none where the feet do not take turns."""
    stride_s = stride_time_of(body)
    if not np.isfinite(stride_s):
        return {side: FootEvents(np.empty(0), np.empty(0)) for side in SIDES}
    if not np.isfinite(body.pelvis[:, FORWARD]).any():
        seen = vertical_contacts(body, stride_s)
        return {side: FootEvents(seen[side], np.full(len(seen[side]), np.nan)) for side in SIDES}
    stances = {side: _standing(body, side, stride_s) for side in SIDES}
    contacts, toe_offs = _exact(body, stances, arrives=True), _exact(body, stances, arrives=False)
    return {side: FootEvents(contacts[side], toe_offs[side]) for side in SIDES}


def stride_time_of(body: Body) -> float:
    """Return the usual time from a contact to the next of the same foot; nan where the feet do not take turns."""
    return 1 / gait_rhythm({name: course / body.height for name, course in body.joints.items()}, body.rate_hz).hz


@dataclass(frozen=True, slots=True)
class _Stances:
    """From when to when a foot stands, as thresholds tell it, and the point that comes first and leaves last."""

    contacts_s: Array  # (N,)
    toe_offs_s: Array  # (N,)
    first: str
    last: str


def _standing(body: Body, side: Side, stride_s: float) -> _Stances:
    parts = _soles(body, side)
    off = np.stack([_off_ground(body, f"{side}_{part}") for part in parts])
    stances = np.array(list(_stances(body.times_s, np.fmin.reduce(off), stride_s))).reshape(-1, 2)
    first, last = (parts[_lowest_at(body.times_s, off, moments_s)] for moments_s in stances.T)
    return _Stances(stances[:, 0], stances[:, 1], first, last)


def _lowest_at(times_s: Array, off: Array, moments_s: Array) -> int:
    """Return which point stands at most of these moments, by its row in `off` (P, T)."""
    samples = np.searchsorted(times_s, moments_s[np.isfinite(moments_s)]).clip(max=len(times_s) - 1)
    which = np.argmin(np.nan_to_num(off[:, samples], nan=np.inf), axis=0)
    return int(np.bincount(which, minlength=len(off)).argmax())


def _exact(body: Body, stances: dict[Side, _Stances], *, arrives: bool) -> dict[Side, Array]:
    """Return the exact contacts, or toe-offs; both feet together where the same point makes them."""
    parts = {side: stances[side].first if arrives else stances[side].last for side in SIDES}
    exact: dict[Side, Array] = {}
    for part in sorted(set(parts.values())):
        sides = [side for side in SIDES if parts[side] == part]
        courses = [_course(body, f"{side}_{part}", stances[side], arrives) for side in sides]
        window = _window(body, [stances[side] for side in sides])
        moments_s = refine_events(body.times_s, courses, window, pace_of(body), arrives=arrives)
        exact |= dict(zip(sides, moments_s, strict=True))
    return exact


def _course(body: Body, name: str, stances: _Stances, arrives: bool) -> Course:
    ground = np.outer(body.times_s, [ground_speed(body), 0])
    places = (body.rough[name][:, [FORWARD, UP]] - ground) / body.height
    return Course(places, stances.contacts_s if arrives else stances.toe_offs_s)


def _window(body: Body, stances: list[_Stances]) -> Window:
    durations_s = np.concatenate([one.toe_offs_s - one.contacts_s for one in stances])
    known = durations_s[np.isfinite(durations_s)]
    least_s, stance_s = LEAST_FRAMES / body.rate_hz, float(np.median(known)) if len(known) else 0.0
    return Window(max(MOVING_S, least_s), max(RESTING * stance_s, least_s))


def _soles(body: Body, side: Side) -> list[str]:
    """Return the parts of a foot that touch the ground; its ankle stands for them where the source knows neither."""
    known = [part for part in ("heel", "toe") if np.isfinite(body.joint(f"{side}_{part}")[:, FORWARD]).any()]
    return known or ["ankle"]


def _off_ground(body: Body, name: str) -> Array:
    """Return how far a point is from standing, (T,): below 1 while it stands."""
    point, ground = body.joint(name), ground_speed(body)
    known = np.isfinite(point[:, UP])
    height = (point[:, UP] - np.percentile(point[known, UP], 5)) / body.height
    forward = np.gradient(point[:, FORWARD], body.times_s) - ground
    speed = np.hypot(forward, np.gradient(point[:, UP], body.times_s)) / body.height
    return np.asarray(np.maximum(height / LOW, speed / SLOW))


def _stances(times_s: Array, off: Array, stride_s: float) -> Iterator[tuple[float, float]]:
    """Yield from when to when a foot stands; those that begin unseen or as it comes in sight are left out."""
    standing = _closed(times_s, off < 1, SHORTEST_SWING * stride_s)
    steps = np.diff(standing.astype(np.int8))
    for down in np.flatnonzero(steps == 1).tolist():
        ups = down + 1 + np.flatnonzero(steps[down + 1 :] == -1)
        contact = _crossing(times_s, off, down)
        toe_off = _crossing(times_s, off, int(ups[0])) if len(ups) else float("nan")
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
    """Return when `off` crosses 1 between this sample and the next; nan near a gap or an end, where a filter strays."""
    around = max(1, round(MOVING_S / (times_s[1] - times_s[0])))
    near = off[max(0, before + 1 - around) : before + 1 + around]
    if len(near) < 2 * around or not np.isfinite(near).all():
        return float("nan")
    first, second = off[before], off[before + 1]
    return float(times_s[before] + (1 - first) / (second - first) * (times_s[before + 1] - times_s[before]))
