"""How `salticid upscale` does its jobs, or says what they would take: warm networks, each input by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from salticid.cli.output import Output
from salticid.cli.upscale_plan import Codec, Job, Kind
from salticid.cli.upscale_words import image_words, plan_words, skip_words, video_words
from salticid.core.atomic import is_disk_full
from salticid.errors import InputError, SalticidError

if TYPE_CHECKING:
    from salticid.core.image import Picture
    from salticid.core.types import Array
    from salticid.runtime.ladder import Skip
    from salticid.upscale.infer import Upscaler
    from salticid.upscale.plan import UpscalePlan

LONG_S = 3.0  # what takes longer is announced
LARGE_PX = 200_000  # a smaller image takes no such time


@dataclass(frozen=True, slots=True)
class Size:
    """How large results become, as the command line says it."""

    scale: float | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Writing:
    """How results are written."""

    codec: Codec | None
    png_level: int
    mask: Path | None  # of how much of the network is seen, where
    overwrite: bool


class Work:
    """What became of each input."""

    def __init__(self, upscaler: Upscaler, size: Size, out: Output) -> None:
        self._upscaler, self._size, self._out = upscaler, asdict(size), out
        self._warned: set[str] = set()
        self.done: list[dict[str, Any]] = []
        self.failed: list[tuple[str, SalticidError]] = []

    def look(self, found: list[tuple[Path, Kind]]) -> None:
        """Say what each input would take."""
        for path, kind in found:
            with self._noting(str(path)):
                plan, frames = self._video_plan(path) if kind == "video" else (self._image_plan(path), 1)
                self._out.say(f"{path}: {plan_words(plan, frames)}")
                self.done.append({"input": path, "frames": frames, **asdict(plan)})

    def do(self, jobs: list[Job], writing: Writing) -> None:
        """Do all jobs in order; one that fails is noted, and the next one comes."""
        for number, job in enumerate(jobs, 1):
            place = f"[{number}/{len(jobs)}] " if len(jobs) > 1 else ""
            if job.kept:
                self._out.say(f"{place}{job.name}: kept {job.target}, which is there already")
                continue
            with self._noting(job.name):
                said = self._video(job, writing) if job.kind == "video" else self._image(job, writing)
                self._out.say(f"{place}{job.name}: {said}, wrote {job.target}")

    def _image(self, job: Job, writing: Writing) -> str:
        """Enlarge an image, and return what is to be said about it."""
        from salticid.core.image import open_picture

        picture = open_picture(job.path)
        strength = _strengths(writing.mask, picture) if writing.mask else None
        size = picture.pixels.shape[0], picture.pixels.shape[1]
        if size[0] * size[1] >= LARGE_PX:
            self._announce(job, self._upscaler.plan(size, **self._size), 1)
        start = time.perf_counter()
        how = {"strength": strength, "overwrite": writing.overwrite, "png_level": writing.png_level, **self._size}
        made = self._upscaler.write(job.target, picture, **how)
        ms = 1000 * (time.perf_counter() - start)
        target = round(size[0] * made.scale[0]), round(size[1] * made.scale[1])
        self._warn(job, made.step, made.skipped)
        entry = {"input": job.path, "file": job.target, "model": made.model, "step": made.step, "size": size}
        skipped = [asdict(skip) for skip in made.skipped]
        self.done.append(entry | {"target": target, "scale": made.scale, "skipped": skipped, "ms": ms})
        return image_words(made, size, target, ms)

    def _video(self, job: Job, writing: Writing) -> str:
        """Enlarge a video, and return what is to be said about it."""
        from salticid.upscale.video import upscale_video

        self._announce(job, *self._video_plan(job.path))
        how = {"codec": writing.codec, "overwrite": writing.overwrite, "progress": self._out.progress, **self._size}
        made = upscale_video(self._upscaler, job.path, job.target, **how)
        for warning in made.warnings:
            self._say_warning(warning)
        for step in made.steps:
            self._warn(job, step, made.skipped)
        told = asdict(made)
        self.done.append({"input": job.path, "file": told.pop("path"), "fps": made.fps, **told})
        return video_words(made)

    def _image_plan(self, path: Path) -> UpscalePlan:
        from salticid.core.image import open_picture

        rows, columns = open_picture(path).pixels.shape[:2]
        return self._upscaler.plan((rows, columns), **self._size)

    def _video_plan(self, path: Path) -> tuple[UpscalePlan, int]:
        """Return what the frames take, and how many there are; where the file does not tell that, it is one."""
        from salticid.core.video import VideoReader
        from salticid.upscale.frames import FrameUpscaler

        with VideoReader(path, threads=1) as video:
            info = video.info
        return FrameUpscaler(self._upscaler).plan((info.height, info.width), **self._size), info.frame_count or 1

    def _announce(self, job: Job, plan: UpscalePlan, frames: int) -> None:
        if plan.seconds * frames > LONG_S:
            self._out.say(f"{job.name}: {plan_words(plan, frames)}")

    def _warn(self, job: Job, step: str, skipped: Sequence[Skip]) -> None:
        """Say once that a better way was not possible."""
        words = skip_words(step, skipped)
        if skipped and words not in self._warned:
            self._warned.add(words)
            self._say_warning(f"{job.name}: {words}; this is said once")

    def _say_warning(self, text: str) -> None:
        if not self._out.quiet:
            typer.echo(f"warning: {text}", err=True)

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Note what is wrong with one input; a full disk would be the same for the next one."""
        try:
            yield
        except SalticidError as problem:
            if is_disk_full(problem):
                raise
            self.failed.append((name, problem))


def _strengths(mask: Path, picture: Picture) -> Array:
    """Return how much of the network is to be seen at each pixel, 0 to 1."""
    import numpy as np

    from salticid.core.image import read_gray

    gray = read_gray(mask)
    (rows, columns), (tall, wide) = gray.shape, picture.pixels.shape[:2]
    if (rows, columns) != (tall, wide):
        raise InputError(f"the mask {mask} is {columns} x {rows} and the image {wide} x {tall}: give one of its size")
    return np.asarray(gray, np.float32) / np.float32(255)
