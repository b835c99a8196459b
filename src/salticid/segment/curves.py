"""How a training went: a table to compute with and a picture to look at, both written after every epoch."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from salticid.core import atomic
from salticid.errors import IntegrityError

WIDTH, HEIGHT, MARGIN = 720, 360, 48


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch."""

    epoch: int  # from 1
    loss: float  # mean of its batches
    learning_rate: float  # at its end
    miou: float  # of the averaged weights on the validation images, 0..1; nan where it was not looked
    seconds: float


def write_csv(path: str | os.PathLike[str], epochs: Sequence[Epoch]) -> None:
    """Write one line per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in epochs)
    atomic.write_bytes(path, text.getvalue().encode())


def read_csv(path: str | os.PathLike[str]) -> list[Epoch]:
    """Return the epochs of a table that `write_csv` wrote.

    Raises
    ------
    IntegrityError
        It is another table, or damaged.
    """
    try:
        with Path(path).open(newline="") as file:
            return [
                Epoch(int(row.pop("epoch")), **{name: float(value) for name, value in row.items()})
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise IntegrityError(
            f"{os.fspath(path)} is no table of a training ({problem}): start in a new folder"
        ) from None


def write_svg(path: str | os.PathLike[str], epochs: Sequence[Epoch]) -> None:
    """Draw loss and mIoU over the epochs."""
    losses = [(float(row.epoch), row.loss) for row in epochs if math.isfinite(row.loss)]
    scores = [(float(row.epoch), row.miou) for row in epochs if math.isfinite(row.miou)]
    highest = max((value for _, value in losses), default=1.0)
    last = max(2.0, float(len(epochs)))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_axes(last, highest),
        _line(losses, last, highest, "#b35900"),
        _line(scores, last, 1.0, "#1f5fa8"),
        "</svg>",
    ]
    atomic.write_bytes(path, "\n".join(parts).encode())


def _axes(last: float, highest: float) -> list[str]:
    right, bottom = WIDTH - MARGIN, HEIGHT - MARGIN
    best_text = f'<text x="{right + 6}" y="{MARGIN + 4}" fill="#1f5fa8">1</text>'
    return [
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{right}V{MARGIN}" fill="none" stroke="#888"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 14}" fill="#b35900">loss, to {highest:.2f}</text>',
        f'<text x="{right}" y="{MARGIN - 14}" text-anchor="end" fill="#1f5fa8">mIoU, to 1</text>',
        best_text,
        f'<text x="{right}" y="{bottom + 20}" text-anchor="end">epoch {last:.0f}</text>',
    ]


def _line(points: Sequence[tuple[float, float]], last: float, highest: float, color: str) -> str:
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    placed = " ".join(
        f"{MARGIN + (x - 1) / (last - 1) * width:.1f},{HEIGHT - MARGIN - y / (highest or 1.0) * height:.1f}"
        for x, y in points
    )
    return f'<polyline points="{placed}" fill="none" stroke="{color}" stroke-width="1.5"/>'
