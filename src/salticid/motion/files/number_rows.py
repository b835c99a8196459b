"""Rows of numbers in a text file: what is not a number is reported with its line and column."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from salticid.core.files import looks_like
from salticid.core.types import Array
from salticid.errors import InputError

_SHOWN = 40  # characters of a wrong cell


def decode_text(data: bytes, name: str) -> list[str]:
    """Return the lines of a text file, UTF-8 with or without its mark; `InputError` where it is none."""
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise InputError(
            f"{name} is {looks_like(data)}, not text in UTF-8 (byte {problem.start}): export it as CSV or TRC"
        ) from None


def read_rows(
    lines: Sequence[tuple[int, Sequence[str]]], columns: Sequence[str], file: str, *, decimal_comma: bool = False
) -> Array:
    """Return (N, C) float64 numbers; nan where a cell is empty or says nan.

    Parameters
    ----------
    lines
        The number of every line, counted from 1, and its cells.
    columns
        Names of the C columns, for the message.

    Raises
    ------
    InputError
        A line has another number of cells, or a cell is not a number; the message names line and column.
    """
    numbers = np.empty((len(lines), len(columns)), np.float64)
    for row, (line, cells) in enumerate(lines):
        if len(cells) != len(columns):
            raise InputError(
                f"{file}, line {line}: {len(cells)} cells, but {len(columns)} columns are named: is the file complete?"
            )
        texts = [cell.replace(",", ".") for cell in cells] if decimal_comma else cells
        try:
            numbers[row] = [float(text or "nan") for text in texts]
        except ValueError:
            raise _not_a_number(line, cells, columns, file, decimal_comma) from None
    _refuse_infinite(numbers, lines, columns, file)
    return numbers


def rising_times(times_s: Array, lines: Sequence[int], file: str) -> Array:
    """Return the (N,) times of the lines as float64; `InputError` names the first that is unknown or does not rise."""
    unknown = np.flatnonzero(~np.isfinite(times_s))
    if len(unknown):
        raise InputError(f"{file}, line {lines[unknown[0]]}: there is no time; every row needs one")
    falls = np.flatnonzero(np.diff(times_s) <= 0)
    if len(falls):
        before, after = times_s[falls[0] : falls[0] + 2]
        raise InputError(
            f"{file}, line {lines[falls[0] + 1]}: time {after:g} s comes after {before:g} s; times must rise "
            f"(two recordings in one file?)"
        )
    return np.asarray(times_s, np.float64)


def at_rate(times_s: Array, fps: float | None) -> Array:
    """Return the (N,) times stretched so that `fps` is their median rate; as they are where it is None."""
    if fps is None or len(times_s) < 2:
        return times_s
    return np.asarray(times_s / (np.median(np.diff(times_s)) * fps))


def _not_a_number(
    line: int, cells: Sequence[str], columns: Sequence[str], file: str, decimal_comma: bool
) -> InputError:
    """Return the error about the first cell that is no number."""
    for column, cell in zip(columns, cells, strict=True):
        text = cell.replace(",", ".") if decimal_comma else cell
        try:
            float(text or "nan")
        except ValueError:
            return InputError(
                f"{file}, line {line}, column {column}: {cell[:_SHOWN]!r} is not a number; "
                f"leave the cell empty where nothing is known"
            )
    raise AssertionError("every cell is a number")


def _refuse_infinite(
    numbers: Array, lines: Sequence[tuple[int, Sequence[str]]], columns: Sequence[str], file: str
) -> None:
    if not np.isinf(numbers).any():
        return
    row, column = np.argwhere(np.isinf(numbers))[0]
    sign = "-" if math.copysign(1, numbers[row, column]) < 0 else ""
    raise InputError(
        f"{file}, line {lines[row][0]}, column {columns[column]}: {sign}infinity is no place; leave the cell empty"
    )
