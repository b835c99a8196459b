"""`salticid motion score`: a clip beside a personal baseline, and a report that people read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import OutputFolder, Overwrite, with_output
from salticid.cli.motion_flags import CaptureFps, Speed
from salticid.cli.output import Output
from salticid.errors import InputError, ResourceError, SalticidError

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline
    from salticid.motion.score import MotionScore

MOST_CHANGES = 8  # that are told on a terminal; the report has all
OVERLAY = "overlay.mp4"

Clips = Annotated[list[Path], typer.Argument(metavar="CLIP", help="Videos, or files of keypoints.", show_default=False)]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is written of every clip."""

    overlay: bool
    parquet: bool
    overwrite: bool


@with_output
def score(
    clips: Clips,
    *,
    baseline: Annotated[
        Path, typer.Option("--baseline", "-b", help="The folder of 'salticid motion baseline'.", show_default=False)
    ],
    output: OutputFolder,
    speed: Speed = None,
    fps: CaptureFps = None,
    overlay: Annotated[bool, typer.Option(help="Write overlay.mp4: the clip with the skeleton in it.")] = True,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write the tables as Parquet too.")] = False,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Compare clips with a person's own: inside or outside, what changed, on which side, how surely.

    The folder then holds report.html, the same as JSON and CSV, joints and angles for OpenSim, and the clip with its
    skeleton; with several clips a folder each. Exit 0 for inside and for outside: --json tells which.
    """
    from salticid.engine import packages
    from salticid.motion.baseline import Baseline

    folders = _folders(clips, output)
    if parquet:
        packages.require("pyarrow")  # that it is missing is said before the work
    own = Baseline.load(baseline)
    wanted = _Wanted(overlay, parquet, overwrite)
    done: list[dict[str, Any]] = []
    failed: list[tuple[Path, SalticidError]] = []
    for path, folder in folders.items():
        try:
            _check_free(folder, wanted)
            found = _scored(out, own, path, speed, fps)
            done.append(_write(out, own, found, path, folder, wanted))
        except ResourceError:
            raise
        except SalticidError as problem:
            if len(folders) == 1:
                raise
            failed.append((path, problem))
    reasons = [{"clip": path, "reason": str(problem)} for path, problem in failed]
    out.result({"clips": done, "failed": reasons})
    for entry in reasons:
        typer.echo(f"failed: {entry['clip']}: {entry['reason']}", err=True)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _folders(clips: list[Path], output: Path) -> dict[Path, Path]:
    """Return where the report of each clip goes."""
    if len(clips) == 1:
        return {clips[0]: output}
    folders = {path: output / path.stem for path in clips}
    if len(set(folders.values())) < len(clips):
        raise InputError("two clips have the same name: give them one by one, with a folder each")
    return folders


def _check_free(folder: Path, wanted: _Wanted) -> None:
    """Raise `InputError` before the work where a report is there already that is not to be replaced."""
    from salticid.core.atomic import check_target
    from salticid.motion.report.write import PAGE

    if not folder.exists():
        return
    for name in (PAGE, OVERLAY) if wanted.overlay else (PAGE,):
        check_target(folder / name, overwrite=wanted.overwrite)


def _scored(out: Output, own: Baseline, path: Path, speed: float | None, fps: float | None) -> MotionScore:
    from salticid.cli.clip_progress import ClipProgress

    with ClipProgress(out, [path.name]) as progress:
        return own.score(path, speed_kmh=speed, fps=fps, progress=lambda done, total: progress(0, done, total))


def _write(out: Output, own: Baseline, found: MotionScore, path: Path, folder: Path, wanted: _Wanted) -> dict[str, Any]:
    """Write the report of one clip, its page last, say what it says, and return it for a program."""
    from salticid.motion.report.stills import report_stills
    from salticid.motion.report.write import PAGE, write_report

    pictures = report_stills(found, path)
    if wanted.overwrite:
        (folder / PAGE).unlink(missing_ok=True)  # where there is a page, all beside it is of its clip
    overlays = _write_overlay(found, path, folder / OVERLAY, wanted)
    written = write_report(found, own, folder, stills=pictures, parquet=wanted.parquet, overwrite=wanted.overwrite)
    _tell(out, found)
    files = [*(folder / name for name in written.files), *overlays]
    out.say(f"wrote {files[0]} (open it in a browser), {', '.join(file.name for file in files[1:])}")
    for name, reason in written.left_out.items():
        out.say(f"not written: {name}: {reason}")
    return found.to_dict() | {"files": files, "not_written": written.left_out}


def _write_overlay(found: MotionScore, path: Path, target: Path, wanted: _Wanted) -> list[Path]:
    """Write the clip with its skeleton where it is a video, and return the file; that of another clip goes."""
    from salticid.core.atomic import make_folder
    from salticid.motion.pose.overlay import write_overlay

    if wanted.overlay and found.clip is not None and found.clip.info is not None:
        make_folder(target.parent)
        write_overlay(path, found.clip.keypoints, target, overwrite=wanted.overwrite)
        return [target]
    if wanted.overwrite:
        target.unlink(missing_ok=True)  # it would pass for this clip's
    return []


def _tell(out: Output, found: MotionScore) -> None:
    from salticid.motion.report.text import verdict

    out.say(f"{found.name}: {verdict(found)}")
    rows = [
        (change.title, change.side or "-", change.phase, change.value, change.low, change.high, change.unit, change.z)
        for change in found.notable[:MOST_CHANGES]
    ]
    if rows:
        columns = ("what", "side", "when", "now", "own least", "own most", "unit", "own spreads off")
        out.table("changed", columns, rows)
    out.say(f"score {found.score:.2f}, inside up to {found.limit:.2f}; sure to {found.confidence:.0%}")
    for reason in found.reasons:
        out.say(f"  because {reason}")
    out.warn(*found.warnings)
