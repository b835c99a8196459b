"""`salticid motion baseline`: five clips of one person to what is usual for them."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salticid.cli import EXIT_SOME_FAILED, EXIT_WRONG_INPUT
from salticid.cli.flags import OutputFolder, Overwrite, Workers, with_options, with_output
from salticid.cli.motion_flags import CaptureFps, Speed
from salticid.cli.output import Output
from salticid.motion.options import MotionOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from salticid.motion.baseline import Baseline
    from salticid.motion.compare.clip_report import ClipReport

COLUMNS = ("clip", "used", "frames", "body found %", "strides", "view", "movement", "km/h", "score by the others")

Clips = Annotated[
    list[Path],
    typer.Argument(
        metavar="CLIP", help="Videos of one person doing one thing, or files of keypoints; five.", show_default=False
    ),
]


@with_options(MotionOptions)
@with_output
def baseline(
    clips: Clips,
    *,
    output: OutputFolder,
    name: Annotated[str | None, typer.Option(help="Of the person (default: that of the folder).")] = None,
    speed: Speed = None,
    fps: CaptureFps = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Learn from five clips what is usual for a person, and write it to a folder.

    What is found in a video is kept in the cache: the second time takes a moment. 'salticid motion score' compares.
    """
    from salticid.cli.clip_progress import ClipProgress
    from salticid.core.atomic import check_target, make_folder
    from salticid.errors import RefusedBaselineError
    from salticid.motion.baseline import create_baseline
    from salticid.motion.compare.baseline_file import FILE

    check_target(make_folder(output) / FILE, overwrite=overwrite)
    start = time.perf_counter()
    try:
        with ClipProgress(out, [path.name for path in clips]) as progress:
            made = create_baseline(
                clips,
                name=name or output.resolve().name,
                speed_kmh=speed,
                fps=fps,
                options=MotionOptions.profile(profile).replace(**options),
                workers=workers,
                progress=progress,
            )
    except RefusedBaselineError as problem:
        _refuse(out, problem)
    made.save(output, overwrite=overwrite)
    _report(out, made, output, time.perf_counter() - start)


def _refuse(out: Output, problem: Any) -> None:
    """Say what became of every clip, and end."""
    _show(out, problem.clips)
    kind = type(problem).__name__
    out.result({"error": str(problem), "kind": kind, "clips": [asdict(clip) for clip in problem.clips]})
    typer.echo(f"salticid: {problem}", err=True)
    raise typer.Exit(EXIT_WRONG_INPUT)


def _report(out: Output, made: Baseline, folder: Path, seconds: float) -> None:
    _show(out, made.clips)
    out.say(f"{made.activity}, seen from: {made.view}; {made.fps:.0f} frames/s; {_speed(made.speed_kmh)}")
    scores = ", ".join(f"{score:.2f}" for score in made.own_scores)
    out.say(f"each clip by the others: {scores}; a clip is inside up to {made.limit.value:.2f}")
    out.warn(*made.warnings)
    own = quote(str(folder))
    out.say(f"wrote {folder} after {seconds:.1f} s; next: salticid motion score CLIP --baseline {own} -o report/")
    out.result(made.to_dict() | {"folder": folder, "seconds": seconds})
    left_out = [clip for clip in made.clips if not clip.used]
    for clip in left_out:
        typer.echo(f"left out: {clip.name}: {clip.reason}", err=True)
    if left_out:
        raise typer.Exit(EXIT_SOME_FAILED)


def _show(out: Output, clips: Sequence[ClipReport]) -> None:
    out.table("clips", COLUMNS, [_row(clip) for clip in clips])
    for clip in clips:
        for warning in clip.warnings:
            out.say(f"{clip.name}: {warning}")


def _row(clip: ClipReport) -> tuple[Any, ...]:
    seen = (100 * clip.found_share, clip.strides, clip.view or "-", clip.activity or "-", clip.speed_kmh)
    return (clip.name, "yes" if clip.used else "no", clip.frames, *seen, clip.own_score)


def _speed(speed_kmh: float) -> str:
    return f"{speed_kmh:.1f} km/h" if speed_kmh == speed_kmh else "speed unknown"
