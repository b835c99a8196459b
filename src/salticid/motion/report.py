"""The answer to a clip as files: a page for people, and the same in JSON, tables and OpenSim's formats for programs.

report.html      one file, opens anywhere, prints to PDF
score.json       verdict, changes, features, curves
features.csv     every feature of every stride          (features.parquet on request)
curves.csv       every stride in 101 points             (curves.parquet on request)
keypoints.trc    joints in meters, where the person's height is known
angles.mot       joint angles
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from salticid import __version__
from salticid.core.atomic import check_target, make_folder, write_bytes
from salticid.core.plain import strict
from salticid.core.types import Image
from salticid.errors import InputError
from salticid.motion import report_sections as sections
from salticid.motion.body import read_body
from salticid.motion.clip import Clip
from salticid.motion.measured import Measured
from salticid.motion.mot import write_mot
from salticid.motion.options import MotionOptions
from salticid.motion.report_curves import curves
from salticid.motion.report_data import ReportData
from salticid.motion.report_json import report_json
from salticid.motion.report_page import page
from salticid.motion.tables import Table, curves_table, features_table, write_table
from salticid.motion.trc import write_body, write_trc

PAGE = "report.html"
FOOTER = f"Not a medical device. Made by salticid {__version__}."


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """What lies in the folder of a report."""

    folder: Path
    files: tuple[str, ...]  # names, the page first
    left_out: dict[str, str]  # names of files that could not be written of this clip, and why


@dataclass(frozen=True, slots=True)
class _Output:
    """A file beside the page."""

    name: str
    content: str  # what is in it
    write: Callable[[Path], None]
    needed: bool = True  # else an `InputError` says that this clip does not have it


def write_report_of(
    data: ReportData,
    folder: str | os.PathLike[str],
    *,
    title: str,
    clip: Clip | None = None,
    stills: Sequence[tuple[Image, str]] = (),
    parquet: bool = False,
    overwrite: bool = True,
) -> WrittenReport:
    """Write a report whose content is there already; parameters and errors are those of `write_report`."""
    outputs = _outputs(data, clip, title, parquet=parquet)
    place = make_folder(folder)
    for name in (PAGE, *(output.name for output in outputs)):
        check_target(place / name, overwrite=overwrite)
    left_out = {output.name: reason for output in outputs if (reason := _written(output, place))}
    files = [(output.name, output.content) for output in outputs if output.name not in left_out]
    absent = [(name, f"not written: {reason}") for name, reason in left_out.items()]
    write_bytes(place / PAGE, report_html(data, title, stills, [*files, *absent]).encode())
    return WrittenReport(place, (PAGE, *(name for name, _ in files)), left_out)


def report_html(
    data: ReportData, title: str, stills: Sequence[tuple[Image, str]] = (), files: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the page, which loads nothing; `files` are named at its end, each with what is in it."""
    parts = (
        sections.head(data, title),
        sections.changes(data),
        sections.stills(stills),
        curves(data),
        sections.sides(data),
        sections.features(data),
        sections.not_measured(data),
        sections.quality(data),
        sections.method(data, files),
    )
    return page(title, parts, FOOTER)


def _outputs(data: ReportData, clip: Clip | None, title: str, *, parquet: bool) -> list[_Output]:
    """Return the files beside the page."""
    measured = data.measured
    features, curves = features_table(measured), curves_table(measured)
    outputs = [
        _Output("score.json", "verdict, changes, features and curves for programs", partial(_write_json, data, title)),
        _Output("features.csv", "every feature of every stride", partial(_write_table, features)),
        _Output("curves.csv", "every stride in 101 points", partial(_write_table, curves)),
        _Output("keypoints.trc", "joints for OpenSim", partial(_write_joints, clip, measured), needed=False),
        _Output("angles.mot", "joint angles for OpenSim", partial(_write_angles, measured), needed=False),
    ]
    if parquet:
        outputs += [replace(output, name=f"{Path(output.name).stem}.parquet") for output in outputs[1:3]]
    return outputs


def _written(output: _Output, folder: Path) -> str:
    """Write a file; return why this clip does not have it, or nothing."""
    path = folder / output.name
    try:
        output.write(path)
    except InputError as problem:
        if output.needed:
            raise
        path.unlink(missing_ok=True)  # of another clip: it would pass for this one's
        return str(problem)
    return ""


def _write_json(data: ReportData, title: str, path: Path) -> None:
    text = json.dumps(strict(report_json(data, title)), indent=1, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def _write_table(table: Table, path: Path) -> None:
    write_table(path, table)


def _write_angles(measured: Measured, path: Path) -> None:
    write_mot(path, measured.signals)


def _write_joints(clip: Clip | None, measured: Measured, path: Path) -> None:
    """Write where the joints are: of a room as they are, of a picture in meters by the person's height."""
    if clip is None:
        raise InputError("the joints of the clip were not given")
    if clip.keypoints.dimensions == 3:
        write_trc(path, clip.keypoints.times_s, clip.keypoints.positions, clip.keypoints.names)
        return
    if not math.isfinite(measured.height_m):
        raise InputError("it is in meters, which need the person's height: give it (height_m)")
    write_body(path, read_body(clip.keypoints, _as_measured(measured)))


def _as_measured(measured: Measured) -> MotionOptions:
    """Return the options by which a clip is read as it was measured."""
    view = "auto" if measured.view == "room" else measured.view
    activity = "auto" if measured.activity == "other" else measured.activity
    return MotionOptions(height_m=measured.height_m, view=view, activity=activity)
