"""From logits at a part of an image's size to the class of every pixel: bilinear upsampling and argmax in one.

Upsampled logits of all classes are large, and the argmax is all that is wanted of them. Where the four positions around
a pixel have one winner, so has the pixel, and nothing needs to be computed; elsewhere most classes cannot win. The
kernel, written in C++, gives the labels that one gets by computing everything, bit by bit; `native/label.h` says why.
The reference computes everything in numpy, and answers where no kernels were built.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salticid.core import native
from salticid.core.out import check_out
from salticid.core.types import FloatMap
from salticid.errors import InputError

Labels = NDArray[np.uint8]  # (H, W), the number of a class
Logits = NDArray[np.float32]  # (C, h, w)
Places = NDArray[np.intp]
Weights = NDArray[np.float32]

SCALES = (2, 4, 8, 16, 32)  # powers of two, whose weights float32 holds exactly
MOST_CLASSES = 255


def upsample_argmax(
    logits: Logits,
    *,
    scale: int = 8,
    size: tuple[int, int] | None = None,
    threads: int = 1,
    instruction_set: str | None = None,
    out: Labels | None = None,
) -> Labels:
    """Return the class of the greatest logit of every pixel, after bilinear upsampling by `scale`.

    Positions are the centers of blocks of `scale` x `scale` pixels; beyond the outermost ones their logits go on
    unchanged. That is `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` and ONNX Resize with
    "half_pixel", followed by argmax. Of equal logits the lowest class wins. A pixel's logit is computed in float32,
    along the row first; other programs round otherwise, which can show where two logits are equal but for rounding.

    Parameters
    ----------
    logits
        (C, h, w) float32, 1 to 255 classes, of any strides; finite.
    scale
        2, 4, 8, 16 or 32.
    size
        (H, W) in pixels: only the labels at the top left, of an image that was padded on the right and at the bottom.
        At most, and for None, (h * scale, w * scale).
    threads
        Bands of rows that are labelled side by side. Starting one costs about as much as 250,000 pixels take.
    instruction_set
        One of `salticid.core.native.instruction_sets()`, or None for the best. The labels are the same for all, and
        the same as `upsample_argmax_reference` gives, which is used where no kernels were built.
    out
        (H, W) uint8 for the labels, apart from `logits` in memory; a new array when None.

    Returns
    -------
    NDArray[np.uint8]
        (H, W).

    Raises
    ------
    InputError
        `logits` or `out` is no such array, or an option has a value that is not allowed. Or a logit that matters for
        the labels is infinite or nan; `out` then holds nothing of use.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    used, size = _used(logits, scale, size)
    check_out(out, size, "labels")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, not {threads!r}")
    chosen = native.choose(instruction_set)
    kernels = native.load()
    if kernels is None:
        return _into(out, upsample_argmax_reference(logits, scale=scale, size=size))
    source = used if _has_plain_rows(used) else np.ascontiguousarray(used)
    reuse = out is not None and _has_plain_rows(out) and not np.may_share_memory(out, source)
    labels = out if out is not None and reuse else np.empty(size, np.uint8)
    if not kernels.upsample_argmax(source, labels, scale, threads, chosen):
        raise _not_finite(used)
    return _into(out, labels)


def upsample_argmax_reference(logits: Logits, *, scale: int = 8, size: tuple[int, int] | None = None) -> Labels:
    """Return what `upsample_argmax` returns, computed with numpy, one class after another."""
    used, size = _used(logits, scale, size)
    if not np.isfinite(used).all():
        raise _not_finite(used)
    best = _upsampled(used[0], scale, size)
    labels = np.zeros(size, np.uint8)
    for label in range(1, len(used)):
        plane = _upsampled(used[label], scale, size)
        labels[plane > best] = label
        np.maximum(best, plane, out=best)
    return labels


def _upsampled(plane: FloatMap, scale: int, size: tuple[int, int]) -> FloatMap:
    left, right, near, far = _neighbors(plane.shape[1], scale, size[1])
    rows = plane[:, left] * near + plane[:, right] * far
    above, below, near, far = _neighbors(plane.shape[0], scale, size[0])
    upsampled: FloatMap = np.add(rows[above] * near[:, None], rows[below] * far[:, None])
    return upsampled


def _neighbors(count: int, scale: int, pixels: int) -> tuple[Places, Places, Weights, Weights]:
    """Return the positions before and after every pixel, and how much each of the two counts."""
    place = np.clip((np.arange(pixels) + 0.5) / scale - 0.5, 0, count - 1)
    before = place.astype(np.intp)
    far = (place - before).astype(np.float32)
    return before, np.minimum(before + 1, count - 1), np.float32(1) - far, far


def _used(logits: Logits, scale: int, size: tuple[int, int] | None) -> tuple[Logits, tuple[int, int]]:
    """Return the logits that the labels depend on, and the size of the labels; raise InputError for what is wrong."""
    if not isinstance(logits, np.ndarray) or logits.dtype != np.float32 or logits.ndim != 3:
        given = f"{logits.dtype} {logits.shape}" if isinstance(logits, np.ndarray) else type(logits).__name__
        raise InputError(f"logits must be a float32 array (C, h, w), not {given}: give those of one image")
    classes, height, width = logits.shape
    if logits.size == 0 or classes > MOST_CLASSES:
        raise InputError(f"logits are {logits.shape}: give 1 to {MOST_CLASSES} classes, and at least 1x1 positions")
    if isinstance(scale, bool) or not isinstance(scale, int) or scale not in SCALES:
        raise InputError(f"scale must be one of {', '.join(map(str, SCALES))}, not {scale!r}")
    rows, columns = _checked_size(size, (height * scale, width * scale))
    return logits[:, : _reach(rows, scale), : _reach(columns, scale)], (rows, columns)


def _reach(pixels: int, scale: int) -> int:
    """Return how many positions the first `pixels` pixels depend on: those before them, and the next one."""
    return (pixels + scale // 2 - 1) // scale + 1


def _checked_size(size: tuple[int, int] | None, most: tuple[int, int]) -> tuple[int, int]:
    if size is None:
        return most
    if not isinstance(size, tuple) or len(size) != 2 or not all(type(pixels) is int for pixels in size):
        raise InputError(f"size must be (height, width) in pixels, or None for all of {most}, not {size!r}")
    if not all(1 <= pixels <= limit for pixels, limit in zip(size, most, strict=True)):
        raise InputError(f"size is {size}, but these logits label at least (1, 1) and at most {most} pixels")
    return size


def _not_finite(logits: Logits) -> InputError:
    label, row, column = np.argwhere(~np.isfinite(logits))[0]
    return InputError(
        f"logits must be finite, but that of class {label} at row {row}, column {column} is "
        f"{logits[label, row, column]}: look for an overflow in the network, or a damaged model file"
    )


def _has_plain_rows(array: NDArray[np.float32] | Labels) -> bool:
    """Return whether the kernels can read the array as it is: rows of numbers side by side."""
    *outer, inner = array.strides
    return array.flags.aligned and inner == array.itemsize and all(step % array.itemsize == 0 for step in outer)


def _into(out: Labels | None, labels: Labels) -> Labels:
    if out is None:
        return labels
    if out is not labels:
        out[...] = labels
    return out
