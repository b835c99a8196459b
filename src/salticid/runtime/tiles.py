"""Run a step on an image piece by piece, so that its memory depends on the tile and not on the image.

`apply_exact` gives each tile a halo as wide as the step can see and keeps the middle: the result is the one that the
step gives for the whole image, bit for bit if the step does the same arithmetic for every pixel (a vector loop in
floating point may round its last few otherwise). `strips` is the same for results that are too large to hold.
`apply_blended` is for steps that see without limit, such as attention or diffusion: there overlapping results are
averaged with weights that fall to zero towards the edge of each tile.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

Step = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Tile:
    """One piece of work: the step reads `window` of the input and answers for `core`, which lies in it."""

    window: tuple[slice, slice]  # rows and columns
    core: tuple[slice, slice]

    def crop(self, scale: int = 1) -> tuple[slice, slice]:
        """Return where the core lies in what the step makes of the window, `scale` times as large."""
        rows, columns = self.core
        return _scaled(rows, scale, self.window[0].start), _scaled(columns, scale, self.window[1].start)


@dataclass(frozen=True, slots=True)
class Patch:
    """One piece of blended work: the step reads `window`, and its answer counts with the product of `weights`."""

    window: tuple[slice, slice]  # rows and columns
    weights: tuple[Array, Array]  # float32, per row and per column of the answer; over all patches they sum to 1


def plan_tiles(height: int, width: int, *, tile: int, halo: int, align: int = 1) -> tuple[Tile, ...]:
    """Cut an image into tiles, row by row.

    Parameters
    ----------
    height, width
        Size of the image.
    tile
        Largest side of a core. Cores share the image evenly, so that none is a sliver.
    halo
        How far the window reaches beyond the core, less at the border of the image: there the
        step pads as it would for the whole image.
    align
        Windows start at multiples of this, and end there or at the border: the stride of a step
        that works on a coarser grid.

    Raises
    ------
    InputError
        The image is empty, or a size makes no sense.
    """
    _check_sizes(height, width, tile=tile, halo=halo, align=align)
    rows, columns = (_cut(length, tile, halo, align) for length in (height, width))
    return tuple(
        Tile((row_window, column_window), (row, column))
        for (row_window, row), (column_window, column) in itertools.product(rows, columns)
    )


def strips(step: Step, image: Array, *, tile: int, halo: int, scale: int = 1, align: int = 1) -> Iterator[Array]:
    """Yield the result of `step` in strips of full width from top to bottom, each as soon as it is finished.

    Takes what `apply_exact` takes; the strips below each other are what it returns.
    """
    return strips_of(step, [image], _size(image), tile=tile, halo=halo, scale=scale, align=align)


def strips_of(
    step: Step,
    parts: Iterable[Array],
    size: tuple[int, int],
    *,
    tile: int,
    halo: int,
    scale: int = 1,
    align: int = 1,
) -> Iterator[Array]:
    """Yield the same for an image that comes in strips itself, of which no more is kept than one row of tiles sees.

    Parameters
    ----------
    parts
        Strips of full width from top to bottom, of any heights.
    size
        Height and width of the image that they make up.

    Raises
    ------
    InputError
        The strips make up another image, or what `apply_exact` raises.
    """
    rows = _Rows(parts, size)
    for _, row in itertools.groupby(plan_tiles(*size, tile=tile, halo=halo, align=align), key=_first_row):
        pieces = list(row)
        window = rows.within(pieces[0].window[0])
        strip = None
        answers = _answers(step, window, ((slice(None), piece.window[1]) for piece in pieces), scale)
        for piece, answer in zip(pieces, answers, strict=True):
            core = answer[piece.crop(scale)]
            if strip is None:
                strip = np.empty((len(core), size[1] * scale, *core.shape[2:]), core.dtype)
            strip[:, _scaled(piece.core[1], scale)] = core
        assert strip is not None
        yield strip
    rows.check_end()


def apply_exact(
    step: Step,
    image: Array,
    *,
    tile: int,
    halo: int,
    scale: int = 1,
    align: int = 1,
    out: Array | None = None,
) -> Array:
    """Return `step(image)`, made from tiles.

    Parameters
    ----------
    step
        From (h, w) or (h, w, C) to (scale h, scale w) or (scale h, scale w, any C). It must not
        change what it is given, and may return the same buffer each time.
    image
        (H, W) or (H, W, C).
    tile, halo, align
        See `plan_tiles`. The result is that of the whole image when `halo` is at least as wide as
        the step can see, in pixels of the image, and `align` is a multiple of its stride.
    scale
        How many times larger the result is than the image.
    out
        Where to write the result, (scale H, scale W) or (scale H, scale W, C).

    Raises
    ------
    InputError
        The step returns something of another size, `out` does not fit, or a size makes no sense.
    """
    height, width = _size(image)
    top = 0
    for strip in strips(step, image, tile=tile, halo=halo, scale=scale, align=align):
        shape = (height * scale, width * scale, *strip.shape[2:])
        out = np.empty(shape, strip.dtype) if out is None else out
        if out.shape != shape or out.dtype != strip.dtype:
            raise InputError(
                f"out is {out.dtype} {out.shape} and the result is {strip.dtype} {shape}: give one like it"
            )
        out[top : top + len(strip)] = strip
        top += len(strip)
    assert out is not None
    return out


def plan_patches(height: int, width: int, *, tile: int, overlap: int, scale: int = 1) -> tuple[Patch, ...]:
    """Cover an image with patches of one size that overlap by `overlap` pixels or more, row by row.

    Raises
    ------
    InputError
        The image is empty, or `overlap` is not smaller than `tile`.
    """
    _check_sizes(height, width, tile=tile, halo=overlap, scale=scale)
    if overlap >= tile:
        raise InputError(f"overlap must be smaller than the tile of {tile}, not {overlap}")
    rows, columns = (_cover(length, tile, overlap, scale) for length in (height, width))
    return tuple(
        Patch((row, column), (row_weights, column_weights))
        for (row, row_weights), (column, column_weights) in itertools.product(rows, columns)
    )


def apply_blended(step: Step, image: Array, *, tile: int, overlap: int, scale: int = 1) -> Array:
    """Return the weighted mean of what `step` makes of overlapping tiles.

    Parameters
    ----------
    step
        From (h, w) or (h, w, C) to numbers, (scale h, scale w) or (scale h, scale w, any C).
    image
        (H, W) or (H, W, C).
    tile
        Side of the square that the step is given; less where the image is smaller.
    overlap
        Pixels of the image over which one tile fades into the next, at least.
    scale
        How many times larger the result is than the image.

    Returns
    -------
    Array
        Of the dtype that the step returns; integers are rounded.

    Raises
    ------
    InputError
        The step returns something of another size or no numbers, or a size makes no sense.
    """
    height, width = _size(image)
    patches = plan_patches(height, width, tile=tile, overlap=overlap, scale=scale)
    total, dtype = None, np.dtype(np.float32)
    for patch, answer in zip(patches, _answers(step, image, (patch.window for patch in patches), scale), strict=True):
        if answer.dtype.kind not in "iuf":
            raise InputError(
                f"the step returned {answer.dtype}, which has no mean: return numbers, not labels or masks"
            )
        if total is None:
            dtype = answer.dtype
            total = np.zeros((height * scale, width * scale, *answer.shape[2:]), np.result_type(dtype, np.float32))
        _add_weighted(total, answer, patch, scale)
    assert total is not None
    return total.astype(dtype, copy=False) if dtype.kind == "f" else np.rint(total, out=total).astype(dtype)


def _first_row(tile: Tile) -> int:
    return int(tile.core[0].start)


class _Rows:
    """The rows of an image that comes in strips, the latest of them."""

    def __init__(self, parts: Iterable[Array], size: tuple[int, int]) -> None:
        self._parts, self._size = iter(parts), size
        self._held: list[Array] = []
        self._top, self._bottom = 0, 0

    def within(self, window: slice) -> Array:
        """Return the rows of a window; no earlier ones are asked for any more."""
        while self._held and self._top + len(self._held[0]) <= window.start:
            self._top += len(self._held.pop(0))
        while self._bottom < window.stop:
            self._take(next(self._parts, None))
        whole = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
        self._held, self._top = [whole[window.start - self._top :]], window.start
        return self._held[0][: window.stop - window.start]

    def check_end(self) -> None:
        """Raise `InputError` where rows are left over."""
        if any(len(part) for part in self._parts):
            raise InputError(f"more rows came than the {self._size[0]} of the image")

    def _take(self, part: Array | None) -> None:
        height, width = self._size
        if part is None:
            raise InputError(f"{self._bottom} rows came of an image of {height}")
        if part.ndim not in (2, 3) or part.shape[1] != width or self._bottom + len(part) > height:
            raise InputError(f"a strip of {part.shape} came at row {self._bottom} of an image of {height} x {width}")
        self._held.append(part)
        self._bottom += len(part)


def _check_sizes(height: int, width: int, *, tile: int, halo: int, align: int = 1, scale: int = 1) -> None:
    if height < 1 or width < 1:
        raise InputError(f"an image of {height} x {width} has no pixels: give a larger one")
    if align < 1 or tile < align or halo < 0 or scale < 1:
        raise InputError(
            f"tile {tile}, halo or overlap {halo}, align {align}, scale {scale}: give align and scale of 1 or more, "
            f"a tile of {max(align, 1)} or more, and no negative halo"
        )


def _size(image: Array) -> tuple[int, int]:
    if image.ndim not in (2, 3):
        raise InputError(f"image must be (H, W) or (H, W, C), not {image.shape}")
    return image.shape[0], image.shape[1]


def _cut(length: int, tile: int, halo: int, align: int) -> list[tuple[slice, slice]]:
    """Return (window, core) along one axis; cores are even in cells of `align` pixels."""
    cells = -(-length // align)
    count = -(-cells // (tile // align))
    bounds = [min(index * cells // count * align, length) for index in range(count + 1)]
    pieces = []
    for start, stop in itertools.pairwise(bounds):
        first = max((start - halo) // align * align, 0)
        last = min(-(-(stop + halo) // align) * align, length)
        pieces.append((slice(first, last), slice(start, stop)))
    return pieces


def _cover(length: int, tile: int, overlap: int, scale: int) -> list[tuple[slice, Array]]:
    """Return (window, weights) along one axis, windows spread evenly."""
    tile = min(tile, length)
    count = 1 if tile == length else -(-(length - overlap) // (tile - overlap))
    starts = [index * (length - tile) // max(count - 1, 1) for index in range(count)]
    weights = np.zeros((count, length * scale))
    for index, start in enumerate(starts):
        before = starts[index - 1] + tile - start if index else 0
        after = start + tile - starts[index + 1] if index + 1 < count else 0
        shape = _fade_in(tile * scale, before * scale) * _fade_in(tile * scale, after * scale)[::-1]
        weights[index, start * scale : (start + tile) * scale] = shape
    weights /= weights.sum(axis=0)
    windows = [slice(start, start + tile) for start in starts]
    return [
        (window, row[_scaled(window, scale)].astype(np.float32)) for window, row in zip(windows, weights, strict=True)
    ]


def _fade_in(length: int, ramp: int) -> Array:
    """Return weights that rise from above 0 to 1 over `ramp` samples as a quarter of a squared sine."""
    place = (np.arange(length) + 0.5) / max(ramp, 0.5)
    return np.asarray(np.sin(np.minimum(place, 1.0) * (np.pi / 2)) ** 2)


def _answers(step: Step, image: Array, windows: Iterable[tuple[slice, slice]], scale: int) -> Iterator[Array]:
    """Yield what `step` makes of each window, checked: a wrong size would be seen as a shifted image."""
    first = None
    for window in windows:
        part = image[window]
        answer = np.asarray(step(part))
        size = (part.shape[0] * scale, part.shape[1] * scale)
        if answer.ndim not in (2, 3) or answer.shape[:2] != size:
            raise InputError(f"the step made {answer.shape} of {part.shape}, and {size} was expected: check scale")
        kind = (answer.dtype, answer.shape[2:])
        if first not in (None, kind):
            raise InputError(f"the step returned {first} for one tile and {kind} for another: return one kind")
        first = kind
        yield answer


def _add_weighted(total: Array, answer: Array, patch: Patch, scale: int) -> None:
    rows, columns = patch.weights
    weights = (rows[:, None] * columns).reshape(*answer.shape[:2], *[1] * (answer.ndim - 2))
    total[_scaled(patch.window[0], scale), _scaled(patch.window[1], scale)] += weights * answer


def _scaled(part: slice, scale: int, origin: int = 0) -> slice:
    return slice((part.start - origin) * scale, (part.stop - origin) * scale)
