"""What `salticid upscale` is to do: every input found, and which file becomes of it.

All that can be wrong with names is found here, before a network is loaded or a file is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from salticid.cli.targets import check_distinct
from salticid.errors import InputError

Format = Literal["png", "jpg", "webp", "tif"]
Codec = Literal["h264", "vp9", "ffv1"]
Kind = Literal["image", "video"]

VIDEO_SUFFIXES: dict[Codec, str] = {"h264": ".mp4", "vp9": ".webm", "ffv1": ".mkv"}
NOT_WRITTEN = ("GIF",)


@dataclass(frozen=True, slots=True)
class Job:
    """One input, and the file that is made of it."""

    path: Path
    kind: Kind
    target: Path
    kept: bool = False  # the file is there already, and stays

    @property
    def name(self) -> str:
        """Of the input, as messages call it."""
        return str(self.path)

    @property
    def targets(self) -> list[Path]:
        """What is written."""
        return [self.target]


def find(inputs: list[str]) -> list[tuple[Path, Kind]]:
    """Return the files that words of the command line stand for, in order; `InputError` where one stands for none."""
    return [item for given in inputs for item in _found(given)]


def plan(
    found: list[tuple[Path, Kind]], output: Path, form: Format, codec: Codec | None, *, overwrite: bool, resume: bool
) -> list[Job]:
    """Return what is to be done, in order; a folder that is not there yet is made by `make_room`.

    Raises
    ------
    InputError
        Several inputs are to go into one file or two into the same, the suffix of the file does not go with what is in
        it, a target is an input, or exists and is neither to be replaced nor kept, or cannot be written.
    """
    folder = output.is_dir() or output.suffix == ""
    if not folder and len(found) > 1:
        raise InputError(f"{len(found)} inputs do not go into the one file {output}: give a folder, such as -o out/")
    if not folder:
        _check_suffix(output, found[0][1])
    moving = VIDEO_SUFFIXES[codec or "h264"]
    names = {path: f"{path.stem}{moving if item == 'video' else f'.{form}'}" for path, item in found}
    jobs = [Job(path, item, output / names[path] if folder else output) for path, item in found]
    check_distinct(jobs)
    if folder and not output.is_dir():
        return jobs
    return [_settled(job, overwrite=overwrite, resume=resume) for job in jobs]


def make_room(jobs: list[Job]) -> None:
    """Make the folders to write to; `InputError` where that is not possible."""
    from salticid.core.atomic import make_folder

    for folder in dict.fromkeys(job.target.parent for job in jobs):
        make_folder(folder)


def _found(given: str) -> Iterator[tuple[Path, Kind]]:
    from salticid.core.image_files import find_images

    images = find_images(given)
    if images is None:
        yield Path(given), "video"
    for path in images or ():
        yield path, _kind(path)


def _kind(path: Path) -> Kind:
    from salticid.core.image_files import is_image

    try:
        return "image" if is_image(path) else "video"
    except InputError:  # is said when it is its turn, so that the others are enlarged
        return "image"


def _check_suffix(file: Path, kind: Kind) -> None:
    from salticid.core.image_header import SUFFIXES
    from salticid.core.video_writer import codec_of

    if kind == "video":
        codec_of(file)
    elif SUFFIXES.get(file.suffix.lower(), NOT_WRITTEN[0]) in NOT_WRITTEN:
        raise InputError(f"cannot write a picture as {file}: use .png, .jpg, .webp or .tif")


def _settled(job: Job, *, overwrite: bool, resume: bool) -> Job:
    from salticid.core.atomic import check_target

    if resume and job.target.is_file():
        return Job(job.path, job.kind, job.target, kept=True)
    check_target(job.target, overwrite=overwrite)
    return job
