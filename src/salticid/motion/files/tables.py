"""What was measured in a clip as tables for spreadsheets and data frames: CSV, or Parquet if pyarrow is installed."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from salticid.core.atomic import replacing, write_bytes
from salticid.errors import InputError
from salticid.motion.measured import PHASE_POINTS, Measured, Measurement

Cell = str | float | int | None
Table = dict[str, list[Cell]]  # columns of the same length


def features_table(measured: Measured) -> Table:
    """Return one row per feature, side and stride; where nothing was measured, one row with the reason.

    Columns: `feature`, `side`, `title`, `unit`, `phase`, `stride` (from 1), `start_s` (of the stride in the clip),
    `value`, `reason`, `caution`.
    """
    rows = [row for measurement in measured.measurements.values() for row in _feature_rows(measurement, measured)]
    names = ("feature", "side", "title", "unit", "phase", "stride", "start_s", "value", "reason", "caution")
    return _columns(names, rows)


def curves_table(measured: Measured) -> Table:
    """Return one row per curve, side and stride, with 101 columns `p0` .. `p100` for percent of the stride."""
    rows: list[list[Cell]] = [
        [curve.name, curve.side, curve.title, curve.unit, number, *map(float, stride)]
        for curve in measured.curves.values()
        for number, stride in enumerate(curve.strides, 1)
    ]
    percents = (f"p{percent}" for percent in range(PHASE_POINTS))
    return _columns(("curve", "side", "title", "unit", "stride", *percents), rows)


def signals_table(measured: Measured) -> Table:
    """Return one row per frame: `time_s`, and a column per signal, its unit in brackets."""
    signals = measured.signals
    columns: Table = {"time_s": list(map(float, signals.times_s))}
    for index, (name, unit) in enumerate(zip(signals.names, signals.units, strict=True)):
        columns[f"{name} ({unit})"] = list(map(float, signals.values[:, index]))
    return columns


def write_table(path: str | os.PathLike[str], table: Mapping[str, Sequence[Cell]], *, overwrite: bool = True) -> None:
    """Write a table as `.csv` or `.parquet`, by the name; what is unknown is an empty cell, in Parquet null.

    Raises
    ------
    InputError
        The name ends otherwise, or the place cannot be written.
    MissingError
        Parquet was asked for, and pyarrow is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        write_bytes(path, _csv(table), overwrite=overwrite)
    elif suffix == ".parquet":
        _write_parquet(path, table, overwrite=overwrite)
    else:
        raise InputError(f"cannot write {os.fspath(path)}: tables end in .csv or .parquet, not {suffix!r}")


def _feature_rows(measurement: Measurement, measured: Measured) -> list[list[Cell]]:
    feature = measurement.feature
    head: list[Cell] = [feature.name, measurement.side, feature.title, feature.unit, feature.phase]
    if not measurement.count:
        return [[*head, None, None, None, measurement.reason, measurement.caution]]
    strides = [stride for stride in measured.strides if measurement.side in (None, stride.side)]
    starts = [stride.start_s for stride in strides] if len(strides) == len(measurement.values) else None
    return [
        [*head, number, starts[number - 1] if starts else None, float(value), "", measurement.caution]
        for number, value in enumerate(measurement.values, 1)
    ]


def _columns(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _known(cell: Cell) -> Cell:
    return None if cell is None or (isinstance(cell, float) and not math.isfinite(cell)) else cell


def _csv(table: Mapping[str, Sequence[Cell]]) -> bytes:
    """Return the table as text; the shortest number that is read as the same float64."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([_known(cell) for cell in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().encode()


def _write_parquet(path: str | os.PathLike[str], table: Mapping[str, Sequence[Cell]], *, overwrite: bool) -> None:
    from salticid.engine.packages import require

    require("pyarrow")
    import pyarrow
    import pyarrow.parquet

    columns = {name: [_known(cell) for cell in cells] for name, cells in table.items()}
    with replacing(path, overwrite=overwrite) as part:
        pyarrow.parquet.write_table(pyarrow.table(columns), part)
