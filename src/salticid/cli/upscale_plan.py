"""What `salticid upscale` is to do: every input found, and which file becomes of it.

All that can be wrong with names is found here, before a network is loaded or a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from salticid.cli.inputs import Input, means_folder
from salticid.cli.targets import check_distinct
from salticid.errors import InputError

Format = Literal["png", "jpg", "webp", "tif"]
Codec = Literal["h264", "vp9", "ffv1"]

VIDEO_SUFFIXES: dict[Codec, str] = {"h264": ".mp4", "vp9": ".webm", "ffv1": ".mkv"}
NOT_WRITTEN = ("GIF",)


@dataclass(frozen=True, slots=True)
class Job:
    """One input, and the file that is made of it."""

    source: Input
    target: Path
    kept: bool = False  # the file is there already, and stays

    @property
    def name(self) -> str:
        """Of the input, as messages call it."""
        return f"camera {self.source.name}" if self.source.kind == "camera" else self.source.name

    @property
    def path(self) -> Path | None:
        """Of the input, where it is a file."""
        return self.source.path

    @property
    def targets(self) -> list[Path]:
        """What is written."""
        return [self.target]


def codec_for(file: Path, codec: Codec | None) -> Codec:
    """Return what a video in this file is encoded by."""
    from salticid.core.video_writer import CODECS

    return codec or CODECS.get(file.suffix.lower(), "h264")


def plan(found: list[Input], output: str, form: Format, codec: Codec | None) -> list[Job]:
    """Return what is to be done, in order.

    Raises
    ------
    InputError
        Several inputs are to go into one file or two into the same, the suffix of the file does not go with what is in
        it or with the codec, or a target is an input.
    """
    folder, place = means_folder(output), Path(output)
    if not folder and len(found) > 1:
        raise InputError(f"{len(found)} inputs do not go into the one file {output}: give a folder, such as -o out/")
    if not folder:
        _check_suffix(place, found[0], codec)
    moving, still = VIDEO_SUFFIXES[codec or "h264"], f".{form}"
    names = [f"{item.stem}{moving if item.moving else still}" for item in found]
    jobs = [Job(item, place / name if folder else place) for item, name in zip(found, names, strict=True)]
    check_distinct(jobs)
    return jobs


def settled(jobs: list[Job], output: str, *, overwrite: bool, resume: bool) -> list[Job]:
    """Return the same, files that are there already as what is wanted; a missing folder is made by `make_room`.

    Raises
    ------
    InputError
        A target exists and is neither to be replaced nor kept, or cannot be written; what a camera sees is to be kept.
    """
    if resume and any(job.source.kind == "camera" for job in jobs):
        raise InputError(
            "--resume keeps files that were made before, and a camera sees something else now: leave it out"
        )
    if means_folder(output) and not Path(output).is_dir():
        return jobs
    return [_settled(job, overwrite=overwrite, resume=resume) for job in jobs]


def make_room(jobs: list[Job]) -> None:
    """Make the folders to write to; `InputError` where that is not possible."""
    from salticid.core.atomic import make_folder

    for folder in dict.fromkeys(job.target.parent for job in jobs):
        make_folder(folder)


def _check_suffix(file: Path, item: Input, codec: Codec | None) -> None:
    from salticid.core.image_header import SUFFIXES
    from salticid.core.video_writer import check_codec, codec_of

    if item.moving:
        check_codec(codec or codec_of(file), file)
    elif SUFFIXES.get(file.suffix.lower(), NOT_WRITTEN[0]) in NOT_WRITTEN:
        raise InputError(f"cannot write a picture as {file}: use .png, .jpg, .webp or .tif")


def _settled(job: Job, *, overwrite: bool, resume: bool) -> Job:
    from salticid.core.atomic import check_target

    if resume and job.target.is_file():
        return replace(job, kept=True)
    check_target(job.target, overwrite=overwrite)
    return job
