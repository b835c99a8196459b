"""How `salticid upscale` does its jobs, or says what they would take: warm networks, each input by itself."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.cli.inputs import Input, ended_by_ctrl_c, read_stdin
from salticid.cli.output import Output
from salticid.cli.upscale_footage import open_footage
from salticid.cli.upscale_plan import Codec, Job, codec_for
from salticid.cli.upscale_words import image_words, plan_words, share_words, skip_words, video_plan_words, video_words
from salticid.core.atomic import is_disk_full
from salticid.errors import InputError, ResourceError, SalticidError

if TYPE_CHECKING:
    from salticid.core.image import Picture
    from salticid.core.types import Array
    from salticid.upscale.footage import Footage
    from salticid.upscale.infer import Upscaler
    from salticid.upscale.video import UpscaledVideo
    from salticid.upscale.video_plan import VideoPlan

LONG_S = 3.0  # what takes longer is announced
LARGE_PX = 800_000  # a smaller image takes no such time
MANY_PX = 4_000_000  # nor does a video with fewer in all its frames


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

    def __init__(self, upscaler: Upscaler, size: Size, seconds: float | None, out: Output) -> None:
        self._upscaler, self._size, self._seconds, self._out = upscaler, asdict(size), seconds, out
        self._warned: set[str] = set()
        self.done: list[dict[str, Any]] = []
        self.failed: list[tuple[str, SalticidError]] = []

    def look(self, jobs: list[Job], writing: Writing) -> None:
        """Say what each job would take."""
        for job in jobs:
            with self._noting(job.name):
                said, entry = self._video_look(job, writing) if job.source.moving else self._image_look(job, writing)
                self._out.say(f"{job.name}: {said}")
                self.done.append({"input": job.name, **entry})

    def do(self, jobs: list[Job], writing: Writing) -> None:
        """Do all jobs in order; one that fails is noted, and the next one comes."""
        for number, job in enumerate(jobs, 1):
            place = f"[{number}/{len(jobs)}] " if len(jobs) > 1 else ""
            if job.kept:
                self._out.say(f"{place}{job.name}: kept {job.target}, which is there already")
                continue
            with self._noting(job.name):
                said = self._moving(job, writing) if job.source.moving else self._image(job, writing)
                self._out.say(f"{place}{job.name}: {said}, wrote {job.target}")

    def _image(self, job: Job, writing: Writing) -> str:
        """Enlarge an image, and return what is to be said about it."""
        picture, warnings = _that_fits(_picture(job.source), job.target)
        size = picture.pixels.shape[0], picture.pixels.shape[1]
        what: dict[str, Any] = {"strength": _strengths(writing.mask, picture), **self._size}
        if size[0] * size[1] >= LARGE_PX:
            plan = self._upscaler.plan_write(job.target, picture, **what)
            self._announce(job, plan.seconds, plan_words(plan))
        start = time.perf_counter()
        made = self._upscaler.write(
            job.target, picture, overwrite=writing.overwrite, png_level=writing.png_level, **what
        )
        ms = 1000 * (time.perf_counter() - start)
        target = round(size[0] * made.scale[0]), round(size[1] * made.scale[1])
        self._out.warn(*(f"{job.name}: {warning}" for warning in warnings))
        self._warn(job, skip_words(made.step, made.skipped))
        entry = {"input": job.name, "file": job.target, "model": made.model, "step": made.step, "size": size}
        skipped = [asdict(skip) for skip in made.skipped]
        more = {"target": target, "scale": made.scale, "skipped": skipped, "warnings": warnings, "ms": ms}
        self.done.append(entry | more)
        return image_words(made, size, target, ms)

    def _moving(self, job: Job, writing: Writing) -> str:
        """Enlarge a video or what a camera sees, and return what is to be said about it."""
        how = {"codec": writing.codec, "overwrite": writing.overwrite, "progress": self._out.progress, **self._size}
        made = self._camera(job, how) if job.path is None else self._video(job, how)
        self._out.warn(*made.warnings)
        for step, count in made.steps.items():
            self._warn(job, skip_words(step, made.better_than(step)), share_words(count, made.frames))
        told = asdict(made)
        self.done.append({"input": job.name, "file": told.pop("path"), "fps": made.fps, **told})
        return video_words(made)

    def _video(self, job: Job, how: dict[str, Any]) -> UpscaledVideo:
        from salticid.upscale.video import upscale_video

        if not (self._out.quiet or self._out.json):
            self._announce_video(job, codec_for(job.target, how["codec"]))
        return upscale_video(self._upscaler, str(job.path), job.target, seconds=self._seconds, **how)

    def _camera(self, job: Job, how: dict[str, Any]) -> UpscaledVideo:
        from salticid.upscale.video import upscale_footage

        stopped = threading.Event()
        with open_footage(job.source, self._seconds, stopped) as footage, ended_by_ctrl_c(stopped.set):
            if self._seconds is None:
                self._out.say(f"{job.name}: until Ctrl-C")
            return upscale_footage(self._upscaler, footage, job.target, **how)

    def _image_look(self, job: Job, writing: Writing) -> tuple[str, dict[str, Any]]:
        picture, _ = _that_fits(_picture(job.source), job.target)
        strength = _strengths(writing.mask, picture)
        plan = self._upscaler.plan_write(job.target, picture, strength=strength, **self._size)
        return plan_words(plan), {"frames": 1, **asdict(plan)}

    def _video_look(self, job: Job, writing: Writing) -> tuple[str, dict[str, Any]]:
        with open_footage(job.source, self._seconds, threading.Event()) as footage:
            plan = self._video_plan(footage, codec_for(job.target, writing.codec))
        told = asdict(plan)
        return video_plan_words(plan), {**told.pop("frame"), **told, "seconds": plan.seconds}

    def _video_plan(self, footage: Footage, codec: Codec) -> VideoPlan:
        from salticid.upscale.video_plan import plan_video

        return plan_video(self._upscaler, footage, codec=codec, **self._size)

    def _announce_video(self, job: Job, codec: Codec) -> None:
        """Say what a long video will take; where there is no room for a trial, the work itself will tell."""
        with open_footage(job.source, self._seconds, threading.Event()) as footage, suppress(ResourceError, OSError):
            if (footage.expected or 1) * math.prod(footage.size) >= MANY_PX:
                plan = self._video_plan(footage, codec)
                self._announce(job, plan.seconds, video_plan_words(plan))

    def _announce(self, job: Job, seconds: float, words: str) -> None:
        if seconds > LONG_S:
            self._out.say(f"{job.name}: {words}")

    def _warn(self, job: Job, words: str, share: str = "") -> None:
        """Say once that a better way was not possible, and for how much of the first one."""
        if words and words not in self._warned:
            self._warned.add(words)
            self._out.warn(f"{job.name}: {share}{words}; this is said once")

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Note what is wrong with one input; a full disk would be the same for the next one."""
        try:
            yield
        except SalticidError as problem:
            if is_disk_full(problem):
                raise
            self.failed.append((name, problem))


def _picture(item: Input) -> Picture:
    from salticid.core.image import open_picture

    return open_picture(read_stdin() if item.path is None else item.path)


def _that_fits(picture: Picture, target: Path) -> tuple[Picture, list[str]]:
    """Return a picture without the EXIF that a file of this name does not hold, and what is missing then."""
    from salticid.core.image_encode import holds_exif
    from salticid.core.image_header import SUFFIXES

    suffix = target.suffix.lower()
    if not picture.exif or holds_exif(SUFFIXES[suffix]):
        return picture, []
    return replace(picture, exif=None), [f"EXIF cannot be kept in {suffix}: left out"]


def _strengths(mask: Path | None, picture: Picture) -> Array | None:
    """Return how much of the network is to be seen at each pixel, 0 to 1; None where there is no mask."""
    if mask is None:
        return None
    import numpy as np

    from salticid.core.image import read_gray

    gray = read_gray(mask)
    (rows, columns), (tall, wide) = gray.shape, picture.pixels.shape[:2]
    if (rows, columns) != (tall, wide):
        raise InputError(f"the mask {mask} is {columns} x {rows} and the image {wide} x {tall}: give one of its size")
    return np.asarray(gray, np.float32) / np.float32(255)
