"""The exact moment at which a point of the foot comes to rest on the ground, or leaves it.

A filter blurs that moment by more than a frame, and a threshold is crossed too early or too late, by how much depends
on the movement. So here the unfiltered places of all strides of a clip, laid over each other, are explained by

    place(t) = rest + drift (t - a)                          while the point stands
    place(t) = rest + speed (t - a) + bend (t - a)² / 2      while it comes or goes

and `a` is the moment that explains them best (a regression with a change point; Hinkley 1971). A dozen strides at all
their different phases against the frames give the shape between the frames; each stride then tells by how much it is
earlier or later than the others.

Whether a foot sets off gently or with a jerk changes the moment by more than a frame, and noise hides it. So both
beliefs about `speed` are tried, and each counts as much as it foresees the data (Bayesian model averaging; Hoeting et
al. 1999, eq. 1 and 2, with the evidence of a linear model as in Bishop 2006, eq. 3.86).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array

ROUNDS = 3  # of finding the shape, and then each stride's moment
SEARCH_S, STEP_S = 0.06, 0.002
# How far from 0 rest, drift, speed and bend usually are, in body heights and seconds; the last two at a pace of one
# body height per second. A weak prior (ridge regression) for clips of few strides.
PLACE, DRIFT, BEND = 0.05, 0.05, 25.0
ARRIVING, DEPARTING = (0.2,), (0.015, 0.3)  # speeds: a foot lands with some, and sets off from rest or with a jerk
LEAST_NOISE = 0.006  # of the body's height: how well the shape explains even what is measured without noise
LEAST_SAMPLES = 6  # on either side of the moment, of all strides together
SET_OFF = 2  # which of these is the speed at the change point
COMMON_SD_S = 0.09  # what the rough moments of all strides together stray
MOST_OWN_S, OWN_SD_S = 0.04, 0.01  # of one stride beyond what is common to all: what a rough moment strays


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the course around an event is looked at."""

    moving_s: float
    resting_s: float


@dataclass(frozen=True, slots=True)
class Course:
    """Where one point of a foot is over time, and roughly when it comes to rest, or leaves."""

    places: Array  # (T, A) forward and up, or up alone, unfiltered, in body heights, in axes in which the ground rests
    rough_s: Array  # (N,) moments that are wrong by up to `SEARCH_S`, all in much the same way; nan stays


def refine_events(
    times_s: Array, courses: Sequence[Course], window: Window, pace: float, *, arrives: bool
) -> list[Array]:
    """Return the exact moments (N,) of each course at which its point arrives at its place on the ground, or departs.

    Parameters
    ----------
    courses
        Of the same point of one foot or both: they share the shape, so twice as many strides tell it.
    pace
        Body heights per second that the body goes over the ground.
    """
    direction = 1.0 if arrives else -1.0  # of time in which the point comes to rest
    speeds = ARRIVING if arrives else DEPARTING
    usual = np.array([[PLACE, DRIFT, speed * pace, BEND * pace] for speed in speeds])
    rough_s = np.concatenate([course.rough_s for course in courses])
    if not len(rough_s):
        return [course.rough_s for course in courses]
    whose = [course for course in courses for _ in course.rough_s]
    common, own = 0.0, np.zeros(len(rough_s))  # shifts of all strides, and of each beyond that
    for _ in range(ROUNDS):
        moments = rough_s + direction * (common + own)
        clouds = [
            _cloud(times_s, course.places, moment, window, direction)
            for course, moment in zip(whose, moments, strict=True)
        ]
        ages, near = np.concatenate([age for age, _ in clouds]), np.concatenate([place for _, place in clouds])
        if min((ages < 0).sum(), (ages > 0).sum()) < LEAST_SAMPLES:
            break
        noise = max(float(near[ages > 0].std()), LEAST_NOISE)
        offset, shape = _change_point(ages, near, noise / usual, noise, common)
        own = np.array([_own_shift(*cloud, offset, shape, noise, was) for cloud, was in zip(clouds, own, strict=True)])
        own, common = own - np.nanmedian(own), common + offset
    exact_s = rough_s + direction * (common + own)
    ends = np.cumsum([len(course.rough_s) for course in courses])
    return np.split(exact_s, ends[:-1])


def _cloud(times_s: Array, places: Array, moment_s: float, window: Window, direction: float) -> tuple[Array, Array]:
    """Return the samples around a moment: their age, above 0 while the point rests, and how far off its rest it is."""
    age = direction * (times_s - moment_s)
    near = (age > -window.moving_s) & (age < window.resting_s) & np.isfinite(places).all(axis=1)
    resting = near & (age > 0)
    if not resting.any():
        return np.empty(0), np.empty((0, places.shape[1]))
    return age[near], places[near] - np.median(places[resting], axis=0)


def _change_point(ages: Array, places: Array, weak: Array, noise: float, was: float) -> tuple[float, Array]:
    """Return the age at which the point comes to rest, and the shape (4, A) of its course around it.

    `weak` (B, 4) holds what each belief adds to the data: noise over what is usual.
    """
    away = np.sign(places[ages <= np.quantile(ages[ages < 0], 0.4)].mean(axis=0))
    offsets = np.arange(-SEARCH_S, SEARCH_S + STEP_S / 2, STEP_S)
    rough = ((was + offsets) / COMMON_SD_S) ** 2
    terms = np.stack([_terms(ages - offset) for offset in offsets])
    fits = [_fitted(terms, places, away, one, noise) for one in weak]
    surprises = np.stack([surprise + rough for surprise, _ in fits])
    likely = np.exp((surprises.min() - surprises) / 2)
    offset = float(np.average(offsets, weights=likely.sum(axis=0)))
    belief = int(likely.sum(axis=1).argmax())
    return offset, fits[belief][1][int(np.abs(offsets - offset).argmin())]


def _fitted(terms: Array, places: Array, away: Array, weak: Array, noise: float) -> tuple[Array, Array]:
    """Return how much the places surprise at each offset (O,), minus twice the logarithm, and the shapes (O, 4, A)."""
    terms = np.concatenate([terms, np.broadcast_to(np.diag(weak), (len(terms), 4, 4))], axis=1)
    data = np.concatenate([places, np.zeros((4, places.shape[1]))])
    shapes = np.stack([_shapes(terms, data[:, axis], away[axis]) for axis in range(places.shape[1])], axis=2)
    misses = ((terms @ shapes - data) ** 2).sum(axis=(1, 2)) / noise**2
    room = np.linalg.slogdet(np.swapaxes(terms, 1, 2) @ terms)[1] - 2 * np.log(weak).sum()
    return misses + places.shape[1] * room, shapes


def _shapes(terms: Array, course: Array, away: float) -> Array:
    """Return the shape of one axis for each set of terms, (O, 4); none sets off against the way that it then takes."""
    squared, pulled = np.swapaxes(terms, 1, 2) @ terms, np.swapaxes(terms, 1, 2) @ course
    shapes = np.linalg.solve(squared, pulled[..., None])[..., 0]
    wrong = shapes[:, SET_OFF] * away > 0
    squared[wrong, SET_OFF], squared[wrong, :, SET_OFF], pulled[wrong, SET_OFF] = 0, 0, 0
    squared[wrong, SET_OFF, SET_OFF] = 1  # which leaves this term out
    return np.asarray(np.linalg.solve(squared, pulled[..., None])[..., 0])


def _terms(age: Array) -> Array:
    """Return what rest, drift, speed and bend are multiplied by, (N, 4)."""
    before = np.minimum(age, 0)
    return np.stack([np.ones_like(age), np.maximum(age, 0), before, before**2 / 2], axis=1)


def _own_shift(ages: Array, places: Array, offset: float, shape: Array, noise: float, was: float) -> float:
    """Return by how much one stride comes to rest later than its rough moment says, beyond what is common to all.

    `was` is what has been assumed when the ages were taken. Where the samples tell little, the rough moment counts.
    """
    shifts = np.arange(-MOST_OWN_S, MOST_OWN_S + STEP_S / 2, STEP_S)
    shifted = np.subtract.outer(was - offset - shifts, -ages)
    expected = _terms(shifted.ravel()).reshape(*shifted.shape, 4) @ shape
    misses = ((expected - places) ** 2).sum(axis=(1, 2)) + (noise * shifts / OWN_SD_S) ** 2
    return float(shifts[int(misses.argmin())])
