"""Other ways to tell that a clip is unusual, in numpy: what the models of this package are compared with.

All look at windows of a second (`windows.py`), each signal scaled by the baseline's mean and spread. A clip's score is
the mean over its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.compare.windows import clip_windows, common_signals, fit_scale
from salticid.motion.measured import Signals

PCA_SHARE = 0.95  # of the variance
NEIGHBORS = 3
LEAST_KNOWN = 0.5  # share of a window
TREES = 100
TREE_SAMPLE = 256  # windows that a tree sees
EULER = 0.5772156649

Windows = Array  # (N, D) float64: windows, made flat
Score = Callable[[Windows], Array]  # (N,): higher for the unusual


def fit_peer(name: str, clips: Sequence[Signals], seed: int) -> Callable[[Signals], float]:
    """Return what scores a clip by the way `name` of `PEERS`, from the clips of a baseline; nan where it cannot.

    Signals that one of the clips does not know are left out. What is unknown in a window counts as usual, and windows
    of which less than half is known are left out.
    """
    names = common_signals(clips)
    windows = [clip_windows(signals, names) for signals in clips]
    scale = fit_scale(windows)

    def flat(clip: Array) -> Windows:
        known = np.isfinite(clip)
        enough = known.mean(axis=(1, 2)) >= LEAST_KNOWN
        whole = np.where(known, scale(clip), 0.0)[enough].astype(np.float64)
        rows = _moments(whole) if name == "mahalanobis" else whole.reshape(len(whole), whole.shape[1] * whole.shape[2])
        return np.asarray(rows)

    score = PEERS[name](np.concatenate([flat(clip) for clip in windows]), np.random.default_rng(seed))

    def judge(signals: Signals) -> float:
        rows = flat(clip_windows(signals, names))
        return float(score(rows).mean()) if len(rows) else float("nan")

    return judge


def pca(windows: Windows, rng: np.random.Generator) -> Score:
    """Return the squared error of reconstruction from the components that hold 95 % of the variance."""
    mean = windows.mean(axis=0)
    _, singular, axes = np.linalg.svd(windows - mean, full_matrices=False)
    share = np.cumsum(singular**2) / (singular**2).sum()
    axes = axes[: int(np.searchsorted(share, PCA_SHARE)) + 1]

    def score(rows: Windows) -> Array:
        off = rows - mean
        return np.asarray(((off - off @ axes.T @ axes) ** 2).mean(axis=1))

    return score


def nearest_neighbors(windows: Windows, rng: np.random.Generator) -> Score:
    """Return the mean distance to the three nearest windows of the baseline."""

    def score(rows: Windows) -> Array:
        squared = (rows**2).sum(axis=1)[:, None] + (windows**2).sum(axis=1) - 2 * rows @ windows.T
        nearest = np.partition(np.maximum(squared, 0), NEIGHBORS - 1, axis=1)[:, :NEIGHBORS]
        return np.asarray(np.sqrt(nearest).mean(axis=1))

    return score


def mahalanobis(windows: Windows, rng: np.random.Generator) -> Score:
    """Return the squared distance in the windows' covariance, shrunk as Ledoit and Wolf 2004."""
    mean = windows.mean(axis=0)
    inverse = np.linalg.inv(_shrunk_covariance(windows - mean))
    return lambda rows: np.einsum("ni,ij,nj->n", rows - mean, inverse, rows - mean)


@dataclass(frozen=True, slots=True)
class _Node:
    """One question of a tree, or the number of windows that were left where it ends."""

    size: int
    column: int = -1
    value: float = 0.0
    below: _Node | None = None
    above: _Node | None = None


def isolation_forest(windows: Windows, rng: np.random.Generator) -> Score:
    """Return 2^(-depth / c) of random trees (Liu, Ting and Zhou 2008): what is unusual is alone after few questions."""
    sample = min(TREE_SAMPLE, len(windows))
    deepest = int(np.ceil(np.log2(max(sample, 2))))
    trees = [_grown(windows[rng.choice(len(windows), sample, replace=False)], deepest, rng) for _ in range(TREES)]

    def score(rows: Windows) -> Array:
        depth = np.mean([_depths(tree, rows) for tree in trees], axis=0)
        return np.asarray(2.0 ** (-depth / _usual_depth(sample)))

    return score


PEERS: Mapping[str, Callable[[Windows, np.random.Generator], Score]] = {
    "pca": pca,
    "knn": nearest_neighbors,
    "isolation forest": isolation_forest,
    "mahalanobis": mahalanobis,
}


def _moments(windows: Array) -> Windows:
    """Return mean and spread of every signal in each window, (N, 2 F)."""
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)


def _shrunk_covariance(off: Windows) -> Array:
    count, size = off.shape
    covariance = off.T @ off / count
    mean_variance = float(np.trace(covariance)) / size
    spread = float((covariance**2).sum()) - size * mean_variance**2
    error = (float(((off**2).sum(axis=1) ** 2).sum()) / count - float((covariance**2).sum())) / count
    given_up = min(1.0, error / spread) if spread > 0 else 1.0
    shrunk = (1 - given_up) * covariance + (given_up * mean_variance + 1e-9) * np.eye(size)
    return np.asarray(shrunk)


def _grown(windows: Windows, depth: int, rng: np.random.Generator) -> _Node:
    low, high = windows.min(axis=0), windows.max(axis=0)
    able = np.flatnonzero(high > low)
    if depth == 0 or len(windows) < 2 or not len(able):
        return _Node(len(windows))
    column = int(rng.choice(able))
    value = float(rng.uniform(low[column], high[column]))
    under = windows[:, column] < value
    below, above = (_grown(windows[side], depth - 1, rng) if side.any() else _Node(0) for side in (under, ~under))
    return _Node(len(windows), column, value, below, above)


def _depths(node: _Node, rows: Windows, depth: int = 0) -> Array:
    """Return how many questions it takes until each row is alone, (N,)."""
    if node.below is None or node.above is None:
        return np.full(len(rows), depth + _usual_depth(node.size))
    under = rows[:, node.column] < node.value
    found = np.empty(len(rows))
    found[under] = _depths(node.below, rows[under], depth + 1)
    found[~under] = _depths(node.above, rows[~under], depth + 1)
    return found


def _usual_depth(count: int) -> float:
    """Return c(n): the mean depth of a search that fails in a binary tree of n (eq. 1)."""
    return 2 * (np.log(count - 1) + EULER) - 2 * (count - 1) / count if count > 2 else float(count == 2)
