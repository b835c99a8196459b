"""The answer to a clip as files: a page for people, and the same in JSON, tables and OpenSim's formats for programs.

report.html      one file, opens anywhere, prints to PDF
score.json       verdict, changes, curves
features.csv     every feature of every stride          (features.parquet on request)
curves.csv       every stride in 101 points             (curves.parquet on request)
signals.csv      angles and distances frame by frame    (signals.parquet on request)
keypoints.trc    joints in meters: of a picture where the height is known, else as the network guesses them in 3D
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
from typing import TYPE_CHECKING

from salticid import __version__
from salticid.core.atomic import check_target, make_folder, write_bytes
from salticid.core.types import Image
from salticid.errors import InputError
from salticid.motion.files.mot import write_mot
from salticid.motion.files.tables import Table, curves_table, features_table, signals_table, write_table
from salticid.motion.files.trc import write_body, write_trc, write_world
from salticid.motion.measure.body import read_body
from salticid.motion.report import sections
from salticid.motion.report.curves import curves
from salticid.motion.report.method import method, own_clips, quality
from salticid.motion.report.page import page
from salticid.motion.report.text import phrase, verdict

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline
    from salticid.motion.score import MotionScore

PAGE = "report.html"
FOOTER = f"Not a medical device. Made by salticid {__version__}."
JSON_VERSION = 1
PARQUET = ("features.parquet", "curves.parquet", "signals.parquet")


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


def write_report(
    score: MotionScore,
    baseline: Baseline,
    folder: str | os.PathLike[str],
    *,
    stills: Sequence[tuple[Image, str]] = (),
    title: str = "",
    parquet: bool = False,
    overwrite: bool = True,
) -> WrittenReport:
    """Write the report of a clip.

    Parameters
    ----------
    score, baseline
        The answer, and what it was compared with.
    folder
        Made where it is missing; files in it that are none of a report stay.
    stills
        Pictures of the clip, (H, W, 3) uint8 RGB each, with a caption; see `overlay.stills`.
    title
        What stands above the verdict; by default the clip's name.
    parquet
        Write the tables as Parquet too.

    Raises
    ------
    InputError
        The folder cannot be written, or a file of the report is there and `overwrite` is false.
    MissingError
        Parquet was asked for, and pyarrow is not installed.
    """
    outputs = _outputs(score, title or score.name, baseline, parquet=parquet)
    place = make_folder(folder)
    names = {output.name for output in outputs}
    for name in (PAGE, *names):
        check_target(place / name, overwrite=overwrite)
    for name in PARQUET if overwrite else ():
        if name not in names:
            (place / name).unlink(missing_ok=True)  # of another clip: it would pass for this one's
    left_out = {output.name: reason for output in outputs if (reason := _written(output, place))}
    files = [(output.name, output.content) for output in outputs if output.name not in left_out]
    absent = [(name, f"not written: {reason}") for name, reason in left_out.items()]
    html = report_html(score, baseline, title, stills, [*files, *absent])
    write_bytes(place / PAGE, html.encode(errors="replace"))  # a file's name can hold what is no text
    return WrittenReport(place, (PAGE, *(name for name, _ in files)), left_out)


def report_html(
    score: MotionScore,
    baseline: Baseline,
    title: str = "",
    stills: Sequence[tuple[Image, str]] = (),
    files: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page, which loads nothing; `files` are named at its end, each with what is in it."""
    heading = title or score.name
    parts = (
        sections.head(score, heading),
        sections.changes(score, baseline),
        sections.stills(stills),
        curves(score),
        sections.sides(score),
        sections.features(score),
        sections.not_measured(score),
        quality(score),
        own_clips(baseline),
        method(score, baseline, files),
    )
    return page(heading, parts, FOOTER)


def report_json(score: MotionScore, title: str = "") -> str:
    """Return the same for programs: `MotionScore.to_dict` with the verdict and the changes as sentences."""
    told = score.to_dict()
    for change, one in zip(told["changes"], score.changes, strict=True):
        change["says"] = phrase(one)
    head = {"format_version": JSON_VERSION, "title": title or score.name, "verdict": verdict(score)}
    return json.dumps({**head, **told}, indent=1, allow_nan=False) + "\n"


def _outputs(score: MotionScore, title: str, baseline: Baseline, *, parquet: bool) -> list[_Output]:
    """Return the files beside the page."""
    measured = score.measured
    features, every_stride, every_frame = features_table(measured), curves_table(measured), signals_table(measured)
    outputs = [
        _Output("score.json", "verdict, changes and curves for programs", partial(_write_json, score, title)),
        _Output("features.csv", "every feature of every stride", partial(_write_table, features)),
        _Output("curves.csv", "every stride in 101 points", partial(_write_table, every_stride)),
        _Output("signals.csv", "angles and distances frame by frame", partial(_write_table, every_frame)),
        _Output(
            "keypoints.trc",
            f"joints for OpenSim{_guessed(score)}",
            partial(_write_joints, score, baseline),
            needed=False,
        ),
        _Output("angles.mot", "joint angles for OpenSim", partial(_write_angles, score), needed=False),
    ]
    if parquet:
        outputs += [replace(output, name=name) for output, name in zip(outputs[1:4], PARQUET, strict=True)]
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


def _write_json(score: MotionScore, title: str, path: Path) -> None:
    write_bytes(path, report_json(score, title).encode())


def _write_table(table: Table, path: Path) -> None:
    write_table(path, table)


def _write_angles(score: MotionScore, path: Path) -> None:
    write_mot(path, score.measured.signals)


def _write_joints(score: MotionScore, baseline: Baseline, path: Path) -> None:
    """Write where the joints are: of a room as they are, of a picture in meters by the person's height."""
    if score.clip is None:
        raise InputError("only what was measured in the clip is known, not its joints")
    keypoints = score.clip.keypoints
    if keypoints.dimensions == 3:
        write_trc(path, keypoints.times_s, keypoints.positions, keypoints.names)
        return
    if math.isfinite(score.measured.height_m):
        write_body(path, read_body(keypoints, baseline.options))
        return
    if keypoints.world_m is None:
        raise InputError("it is in meters, which need the person's height: give it (height_m)")
    write_world(path, keypoints, score.measured.view, score.measured.direction)


def _guessed(score: MotionScore) -> str:
    """Return how the file of joints says that it is a guess, where it is one."""
    if score.clip is None or score.clip.keypoints.world_m is None or math.isfinite(score.measured.height_m):
        return ""
    return ", in 3D as the network guesses them, for want of the person's height"
