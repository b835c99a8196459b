"""`salticid segment`: images, folders, videos and cameras to pictures of their classes."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import Overwrite, with_options, with_output
from salticid.cli.output import Output
from salticid.cli.segment_plan import As, Job, make_room, plan
from salticid.cli.segment_work import Work
from salticid.errors import InputError
from salticid.segment.options import SegmentOptions

LEAST_SHARE = 0.001  # of a class that is told to a person

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Images, folders, patterns ('*.jpg'), videos, the number of a camera, - for an image on standard input.",
        show_default=False,
    ),
]
Target = Annotated[
    str,  # a path would lose the / at the end, which says that it is a folder
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="A folder, or for one input a file: .png, .jpg, ... for a picture, .mp4, .mkv, .webm for a video,"
        " .png, .npy for labels.",
        show_default=False,
    ),
]


@with_options(SegmentOptions)
@with_output
def segment(
    inputs: Inputs,
    *,
    output: Target,
    made: Annotated[
        As, typer.Option("--as", help="What to write: overlay is the picture in the colors of its classes.")
    ] = "overlay",
    model: Annotated[str, typer.Option(help="A network: the name of a card or the path of a file.")] = "fastseg-camvid",
    merge: Annotated[
        list[str] | None, typer.Option(help="Make several classes one: vehicle=Car,Truck. May be given several times.")
    ] = None,
    opacity: Annotated[float, typer.Option(min=0, max=1, help="Of the colors in an overlay.")] = 0.5,
    seconds: Annotated[
        float | None, typer.Option(min=0.001, help="Stop a video or camera after this time (a camera: or with Ctrl-C).")
    ] = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Label every pixel of images, videos or what a camera sees.

    Of files nothing is dropped. Of a camera the newest picture is taken; how many were left out is reported.
    """
    from salticid.segment.infer import Segmenter
    from salticid.segment.result import merge_classes

    groups = _groups(merge or [])
    jobs = plan(inputs, output, made, overwrite=overwrite)
    segmenter = Segmenter(model, profile=profile, **options)
    merge_classes(segmenter.names, groups)  # a wrong name is found before the work
    make_room(jobs)
    work, start = Work(segmenter, groups, opacity, seconds, overwrite, out), time.perf_counter()
    work.do(jobs)
    _report(out, work, jobs, time.perf_counter() - start)


def _groups(words: list[str]) -> dict[str, list[str]]:
    """Return the classes of each group of `--merge`.

    >>> _groups(["vehicle=Car,Truck"])
    {'vehicle': ['Car', 'Truck']}
    """
    groups: dict[str, list[str]] = {}
    for word in words:
        name, sign, classes = word.partition("=")
        members = [one.strip() for one in classes.split(",") if one.strip()]
        if not sign or not name.strip() or not members:
            raise InputError(f"--merge {word}: say it as vehicle=Car,Truck")
        if name.strip() in groups:
            raise InputError(f"--merge {word}: the group {name.strip()} was given before; name all its classes at once")
        groups[name.strip()] = members
    return groups


def _report(out: Output, work: Work, jobs: list[Job], seconds: float) -> None:
    """Say what was done; exit 2 when the only input was wrong, 1 when some of several were."""
    if work.failed and len(jobs) == 1:
        raise work.failed[0][1]
    for entry in work.done:
        if "frames" in entry or len(work.done) == 1:
            _tell(out, entry)
    segmenter = work.segmenter
    ran = {"engine": segmenter.engine, "device": segmenter.device, "precision": segmenter.options.precision}
    fps = work.frames / seconds if seconds else float("nan")
    if len(jobs) > 1:
        out.say(f"{work.frames} frames of {len(work.done)} inputs: {fps:.1f} frames/s, {', '.join(ran.values())}")
    failed = [{"input": job.name, "reason": str(problem)} for job, problem in work.failed]
    out.result({"items": work.done, "failed": failed, "frames": work.frames, "fps": fps} | ran)
    for entry in failed:
        typer.echo(f"failed: {entry['input']}: {entry['reason']}", err=True)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _tell(out: Output, entry: dict[str, Any]) -> None:
    """Tell a person about one input."""
    shares = sorted(entry["share"].items(), key=lambda item: -item[1])
    seen = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares if share >= LEAST_SHARE)
    stages = ", ".join(f"{stage} {value:.1f}" for stage, value in entry["latency_ms"].items())
    out.say(f"{entry['input']}: {seen}")
    if "frames" in entry:
        dropped = f", {entry['dropped']} dropped" if entry["dropped"] else ""
        out.say(f"{entry['frames']} frames{dropped}, {entry['fps']:.1f} frames/s; ms per frame: {stages}")
    else:
        out.say(f"ms: {stages}")
    for path in entry["files"]:
        out.say(f"wrote {path}")
