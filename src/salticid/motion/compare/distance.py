"""How far a clip lies from a few others, when there are hundreds of numbers and five clips.

The squared Mahalanobis distance u' R^-1 u / p with R = kept S + (1 - kept) I. S is the correlation of the few clips,
each number divided by its moderated spread; the share that is kept is the one of Ledoit and Wolf 2004 (A
well-conditioned estimator for large-dimensional covariance matrices, lemma 3.2 to 3.4), with the identity as target.
R has the rank of the clips plus a multiple of the identity, so its inverse needs a matrix of clips x clips alone
(Woodbury).
"""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array

MOST_KEPT = 0.95  # R stays invertible


def kept_correlation(residuals: Array) -> float:
    """Return the share of the correlation of `residuals` to keep, 0..0.95.

    Parameters
    ----------
    residuals
        (N, P) float64: deviations of N clips from their mean, in moderated spreads; 0 where unknown.
    """
    clips, numbers = residuals.shape
    if clips < 2 or numbers < 2:
        return 0.0
    gram = residuals @ residuals.T
    largeness = np.diag(gram)
    square_of_s = float((gram**2).sum()) / clips**2
    spread = square_of_s - float(largeness.sum() / clips) ** 2 / numbers
    error = (float((largeness**2).sum()) - clips * square_of_s) / clips**2
    if spread <= 0:
        return 0.0
    return float(np.clip(1 - error / spread, 0.0, MOST_KEPT))


def shrunk_distance(deviations: Array, residuals: Array, kept: float) -> float:
    """Return u' R^-1 u / p, about 1 for one more clip of the same kind; nan where nothing is known.

    Parameters
    ----------
    deviations
        (P,) float64, u: of the clip, in units of what one more clip of the person would deviate; nan where unknown.
    residuals
        (N, P) float64, as for `kept_correlation`.
    kept
        Share of their correlation that counts.
    """
    known = np.isfinite(deviations)
    if not known.any():
        return float("nan")
    u, z = deviations[known], residuals[:, known]
    plain = float(u @ u)
    if kept > 0:
        inner = (1 - kept) * (len(z) - 1) * np.eye(len(z)) + kept * (z @ z.T)
        projected = z @ u
        plain -= kept * float(projected @ np.linalg.solve(inner, projected))
    return plain / (1 - kept) / len(u)
