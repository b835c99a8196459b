"""Smooth paths through knots, many at once: what the simulated body's parts follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array


@dataclass(frozen=True, slots=True)
class Path:
    """N cubic paths of K knots each; value and slope are continuous."""

    knots: Array  # (N, K) float64, rising along a row
    values: Array  # (N, K)
    slopes: Array  # (N, K), per unit of the knots

    def at(self, row: Array, where: Array) -> Array:
        """Return the values of the paths `row` (T,) at the places `where` (T,)."""
        return self._between(row, self._piece(row, where), where)

    def together(self, where: Array) -> Array:
        """Return the values (N, T) of all paths at the places `where` (T,); they have the same knots."""
        piece = np.searchsorted(self.knots[0, 1:-1], where, "right")
        return self._between(slice(None), piece, where)

    def __call__(self, where: Array) -> Array:
        """Return the values of the first path, for those that have only one."""
        return self.at(np.zeros(where.shape, int), where)

    def _between(self, row: Array | slice, piece: Array, where: Array) -> Array:
        """Return the cubic Hermite polynomials of these pieces."""
        start, end = self.knots[row, piece], self.knots[row, piece + 1]
        width, u = end - start, (where - start) / (end - start)
        return np.asarray(
            self.values[row, piece] * (1 + 2 * u) * (1 - u) ** 2
            + self.slopes[row, piece] * width * u * (1 - u) ** 2
            + self.values[row, piece + 1] * u**2 * (3 - 2 * u)
            - self.slopes[row, piece + 1] * width * u**2 * (1 - u)
        )

    def _piece(self, row: Array, where: Array) -> Array:
        """Return between which knots a place lies; the outer pieces go on for ever."""
        inner = self.knots[:, 1:-1]
        if len(inner) == 1:
            return np.searchsorted(inner[0], where, "right")
        return np.asarray((where[:, None] >= inner[row]).sum(axis=1))


def smooth(knots: Array, values: Array, start_slope: Array | None = None, end_slope: Array | None = None) -> Path:
    """Return the cubic splines (continuous to the second derivative) through `values` (N, K) at `knots` (N, K).

    Without a slope (N,) an end is natural: it does not bend.
    """
    knots, values = np.atleast_2d(knots), np.atleast_2d(values)
    width = np.diff(knots, axis=1)
    rise = np.diff(values, axis=1) / width
    lower, diagonal, upper, right = (np.zeros_like(values, float) for _ in range(4))
    lower[:, 1:-1], upper[:, 1:-1] = width[:, 1:], width[:, :-1]
    diagonal[:, 1:-1] = 2 * (width[:, 1:] + width[:, :-1])
    right[:, 1:-1] = 3 * (width[:, 1:] * rise[:, :-1] + width[:, :-1] * rise[:, 1:])
    diagonal[:, 0], upper[:, 0], right[:, 0] = (2, 1, 3 * rise[:, 0]) if start_slope is None else (1, 0, start_slope)
    diagonal[:, -1], lower[:, -1], right[:, -1] = (2, 1, 3 * rise[:, -1]) if end_slope is None else (1, 0, end_slope)
    return Path(knots, values, _solve_tridiagonal(lower, diagonal, upper, right))


def _solve_tridiagonal(lower: Array, diagonal: Array, upper: Array, right: Array) -> Array:
    """Solve N systems of K equations side by side (Thomas)."""
    diagonal, right = diagonal.copy(), right.copy()
    for k in range(1, diagonal.shape[1]):
        factor = lower[:, k] / diagonal[:, k - 1]
        diagonal[:, k] -= factor * upper[:, k - 1]
        right[:, k] -= factor * right[:, k - 1]
    right[:, -1] /= diagonal[:, -1]
    for k in range(diagonal.shape[1] - 2, -1, -1):
        right[:, k] = (right[:, k] - upper[:, k] * right[:, k + 1]) / diagonal[:, k]
    return right
