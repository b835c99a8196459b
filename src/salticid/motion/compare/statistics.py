"""A person's own mean and spread of every number, from a few clips; and how far another clip lies from them.

Five clips say little about a spread, and a spread that is small by luck makes everything look unusual. So each variance
is moderated: a prior of `PRIOR_CLIPS` degrees of freedom at the least spread that such a number has anyway (Smyth 2004,
Linear models and empirical Bayes methods, eq. 2; the prior's place is the number's own `least_sd`, not estimated from
the others):

    s^2 = (d0 least_sd^2 + sum (x - mean)^2) / (d0 + n - 1)

One more clip then deviates by t = (x - mean) / sqrt(s^2 (1 + 1/n) + w (1/k - 1/k0)), of Student's t with d0 + n - 1
degrees of freedom; the last term is what fewer strides (k) than in the clips of the baseline (k0) add, w being the
variance between strides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.compare.description import GROUPS, Description, Group, group_of
from salticid.motion.compare.distance import kept_correlation, shrunk_distance

PRIOR_CLIPS = 4.0  # degrees of freedom of the prior, d0: as much as five clips tell
LEAST_SHARE = 0.6  # of the clips must tell a number; else it is none of the person
# What is further off than this counts as this far (Huber 1964): one event that was missed does not make a clip.
LARGEST = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What is usual for one person, number by number."""

    names: tuple[str, ...]  # P, of `Description`
    mean: Array  # (P,) float64
    sd: Array  # (P,) float64, between clips, moderated
    least_sd: Array  # (P,) float64, what a person's spread is taken to be before any clip was seen
    low: Array  # (P,) float64, the least of the clips
    high: Array  # (P,) float64, the largest
    clips: Array  # (P,) float64, how many told
    stride_variance: Array  # (P,) float64, between the strides of a clip
    strides: Array  # (P,) float64, of a clip on average; nan for what no stride is needed for
    values: Array  # (N, P) float64, of the clips themselves; nan where unknown
    kept: Array  # (G,) float64, share of the correlation that counts in each of `GROUPS`

    def __len__(self) -> int:
        """Return from how many clips it is."""
        return len(self.values)

    @property
    def residuals(self) -> Array:
        """Deviations of the clips from the mean in `sd`, (N, P); 0 where unknown."""
        return np.asarray(np.nan_to_num((self.values - self.mean) / self.sd, nan=0.0))

    @property
    def degrees_of_freedom(self) -> Array:
        """Of the moderated spreads, (P,) float64: fewer where fewer clips told."""
        return np.asarray(PRIOR_CLIPS + self.clips - 1)

    def columns(self, names: Sequence[str]) -> list[int] | None:
        """Return the places of some numbers; None where the baseline does not know all of them."""
        place = {name: index for index, name in enumerate(self.names)}
        return [place[name] for name in names] if all(name in place for name in names) else None


def fit(descriptions: Sequence[Description], *, correlated: bool = True) -> Statistics:
    """Return what is usual in some clips of one person; two at least, or nothing is.

    A number that less than 60 % of the clips tell is left out. Unless `correlated`, all numbers vary by themselves.
    """
    names = tuple(dict.fromkeys(name for description in descriptions for name in description.names))
    table = {field: _aligned(descriptions, names, field) for field in ("values", "least_sd", "variance", "strides")}
    known = np.isfinite(table["values"])
    used = known.sum(axis=0) >= max(2, math.ceil(LEAST_SHARE * len(descriptions)))
    names = tuple(name for name, use in zip(names, used, strict=True) if use)
    values, known = table["values"][:, used], known[:, used]
    least_sd = _mean_known(table["least_sd"][:, used])
    mean, sd = _moderated(values, known, least_sd)
    residuals = np.nan_to_num((values - mean) / sd, nan=0.0)
    return Statistics(
        names,
        mean,
        sd,
        least_sd,
        np.where(known, values, np.inf).min(axis=0),
        np.where(known, values, -np.inf).max(axis=0),
        known.sum(axis=0).astype(np.float64),
        _mean_known(table["variance"][:, used]),
        _mean_known(table["strides"][:, used]),
        values,
        np.array([kept_correlation(residuals[:, _in_group(names, group)]) * correlated for group in GROUPS]),
    )


def deviations(statistics: Statistics, description: Description) -> Array:
    """Return how far each number lies from the person's mean, as Student's t, (P,) float64; nan where unknown."""
    values, _, _, strides = _of(statistics, description)
    fewer = np.nan_to_num(1 / np.maximum(strides, 1) - 1 / np.maximum(statistics.strides, 1))
    variance = statistics.sd**2 * (1 + 1 / statistics.clips) + statistics.stride_variance * np.maximum(fewer, 0)
    return np.asarray((values - statistics.mean) / np.sqrt(variance))


def distances(statistics: Statistics, description: Description) -> dict[Group, float]:
    """Return how far a clip lies from the person's own, group by group: about 1 for one of them; nan where unknown."""
    t = np.clip(deviations(statistics, description), -LARGEST, LARGEST)
    residuals = statistics.residuals
    found: dict[Group, float] = {}
    for group, kept in zip(GROUPS, statistics.kept, strict=True):
        members = _in_group(statistics.names, group)
        found[group] = math.sqrt(shrunk_distance(t[members], residuals[:, members], float(kept)))
    return found


def _moderated(values: Array, known: Array, least_sd: Array) -> tuple[Array, Array]:
    """Return mean and moderated spread, (P,) each."""
    mean = _mean_known(values)
    off = np.where(known, values - mean, 0.0)
    freedom = PRIOR_CLIPS + known.sum(axis=0) - 1
    sd = np.sqrt((PRIOR_CLIPS * least_sd**2 + (off**2).sum(axis=0)) / freedom)
    return mean, sd


def _aligned(descriptions: Sequence[Description], names: tuple[str, ...], field: str) -> Array:
    """Return one field of all descriptions in the order of `names`, (N, P); nan where one does not have a number."""
    return np.array([_in_order(description, names, getattr(description, field)) for description in descriptions])


def _of(statistics: Statistics, description: Description) -> tuple[Array, Array, Array, Array]:
    fields = description.values, description.least_sd, description.variance, description.strides
    values, least_sd, variance, strides = (_in_order(description, statistics.names, field) for field in fields)
    return values, least_sd, variance, strides


def _in_order(description: Description, names: tuple[str, ...], values: Array) -> Array:
    if description.names == names:
        return values
    place = {name: index for index, name in enumerate(description.names)}
    padded = np.append(values, np.nan)
    return np.asarray(padded[[place.get(name, -1) for name in names]])


def _mean_known(values: Array) -> Array:
    """Return the mean of each column over what is known in it; nan where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def _in_group(names: Sequence[str], group: Group) -> Array:
    return np.array([group_of(name) == group for name in names], bool)
