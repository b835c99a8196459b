"""`salticid upscale`: small images and videos to large ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import Overwrite, with_options, with_output
from salticid.cli.inputs import find_inputs
from salticid.cli.output import Output
from salticid.cli.upscale_plan import Codec, Format, make_room, plan, settled
from salticid.cli.upscale_work import Size, Work, Writing
from salticid.errors import InputError, MissingError
from salticid.upscale.options import UpscaleOptions

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Images, folders, patterns ('*.jpg'), videos, the number of a camera, - for an image on standard input.",
        show_default=False,
    ),
]
Target = Annotated[
    str | None,  # a path would lose the / at the end, which says that it is a folder
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="A folder, or for one input a file: .png, .jpg, .webp, .tif; .mp4, .mov, .mkv, .webm.",
        show_default=False,
    ),
]


Scale = Annotated[
    float | None, typer.Option(min=1, max=8, help="How many times larger (default: 4).", show_default=False)
]
Side = Annotated[int | None, typer.Option(min=1, help="Of the result, px; one alone keeps the proportions.")]
Model = Annotated[
    str, typer.Option(help="nano, fast, quality, auto (the best that takes about a second), bicubic; or a file.")
]
Mask = Annotated[
    Path | None,
    typer.Option(help="A gray image of the size of the one input: white is full strength, black is bicubic."),
]
ImageFormat = Annotated[Format, typer.Option("--format", help="Of the images in a folder.")]
PngLevel = Annotated[int, typer.Option(min=0, max=9, help="0 is fast and large, 9 slow and small.")]
VideoCodec = Annotated[
    Codec | None,
    typer.Option(help="Of videos (default: h264, and vp9 for .webm); ffv1 loses nothing.", show_default=False),
]
Seconds = Annotated[
    float | None, typer.Option(help="Stop a video or camera after this time (a camera: or with Ctrl-C).")
]
Resume = Annotated[bool, typer.Option("--resume", help="Keep files that exist: they are whole.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Say what it would take, and do nothing.")]
Prompt = Annotated[str | None, typer.Option(help="For networks that take one; those of this package do not.")]


@with_options(UpscaleOptions)
@with_output
def upscale(
    inputs: Inputs,
    *,
    output: Target = None,
    scale: Scale = None,
    width: Side = None,
    height: Side = None,
    model: Model = "fast",
    mask: Mask = None,
    image_format: ImageFormat = "png",
    png_level: PngLevel = 1,
    codec: VideoCodec = None,
    seconds: Seconds = None,
    resume: Resume = False,
    plan_only: PlanOnly = False,
    prompt: Prompt = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Enlarge images, videos or what a camera sees 1 to 8 times.

    Of images gray, transparency, 16 bits, color profile and EXIF (.png, .jpg, .webp) are kept, of videos times and
    sound. Of a camera the newest picture is taken; how many were left out is reported.
    """
    if prompt is not None:
        _refuse_prompt()
    found = find_inputs(inputs)
    size = Size(scale, width, height)
    if mask and [item.kind for item in found] not in (["image"], ["stdin"]):
        raise InputError(f"--mask {mask} belongs to one image: enlarge the others without it")
    if output is None and not plan_only:
        raise InputError("say where to write: -o large.png, or -o out/ (--output); or --plan to write nothing")
    if overwrite and resume:
        raise InputError("--resume keeps files that exist and --overwrite replaces them: choose one")
    place = output or "out/"
    jobs = plan(found, place, image_format, codec)
    if not plan_only:
        jobs = settled(jobs, place, overwrite=overwrite, resume=resume)
    from salticid.upscale.footage import check_seconds
    from salticid.upscale.infer import Upscaler

    if seconds is not None:
        check_seconds(seconds)
    work, start = Work(Upscaler(model, profile=profile, **options), size, seconds, out), time.perf_counter()
    writing = Writing(codec, png_level, mask, overwrite)
    with _ladder_said_once(out):
        if plan_only:
            work.look(jobs, writing)
        else:
            make_room(jobs)
            work.do(jobs, writing)
    kept = [job.target for job in jobs if job.kept]
    _report(out, work, kept, len(found), time.perf_counter() - start)


@contextmanager
def _ladder_said_once(out: Output) -> Iterator[None]:
    """Keep the ladder from logging the same for every image, where the log is not asked for: a warning tells it."""
    log = logging.getLogger("salticid.runtime.ladder")
    before = log.level
    log.setLevel(before if out.verbose else logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _refuse_prompt() -> NoReturn:
    raise MissingError(
        "--prompt: prompts are not supported by the networks of this package. They are for diffusion (SeeSR), whose "
        "weights are not on this machine and not published for salticid yet; once 'salticid models list' shows seesr, "
        "'salticid models get seesr' fetches them. Leave --prompt out"
    )


def _report(out: Output, work: Work, kept: list[Path], count: int, seconds: float) -> None:
    """Say what was done; exit 2 (or 1 for a shortage) when the only input failed, 1 when some of several did."""
    if work.failed and count == 1:
        raise work.failed[0][1]
    if count > 1:
        others = f", {len(kept)} kept" if kept else ""
        out.say(f"{len(work.done)} of {count} inputs in {seconds:.1f} s{others}")
    failed = [{"input": name, "reason": str(problem)} for name, problem in work.failed]
    out.result({"items": work.done, "kept": kept, "failed": failed, "seconds": seconds})
    for entry in failed:
        typer.echo(f"failed: {entry['input']}: {entry['reason']}", err=True)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)
