"""What `salticid segment` is to do: every input found, and where its labels and its picture go.

All that can be wrong with names is found here, before the network is loaded or a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from salticid.cli.inputs import Input, Kind, find_inputs, means_folder
from salticid.cli.targets import check_distinct
from salticid.errors import InputError

As = Literal["overlay", "labels", "both"]

LABEL_SUFFIXES = (".png", ".npy")


@dataclass(frozen=True, slots=True)
class Job:
    """One input, and what is made of it."""

    name: str  # of the input, as messages call it
    kind: Kind
    path: Path | None  # of an image or video
    overlay: Path | None  # a picture, or for videos and cameras a video
    labels: Path | None  # an image, or for videos and cameras a folder of them

    @property
    def moving(self) -> bool:
        """Whether it has many frames."""
        return self.kind in ("video", "camera")

    @property
    def targets(self) -> list[Path]:
        """What is written."""
        return [path for path in (self.overlay, self.labels) if path is not None]

    @property
    def source(self) -> int | Path:
        """What a stream reads: the number of a camera, or a path."""
        return int(self.name) if self.path is None else self.path


def plan(inputs: list[str], output: str, made: As, *, overwrite: bool) -> list[Job]:
    """Return what is to be done, in order; a folder that is not there yet is made by `make_room`.

    Raises
    ------
    InputError
        An input is not there, several inputs are to go into one file or two into the same, the suffix of the file does
        not go with what is in it, a target is an input or exists and `overwrite` is false, or cannot be written.
    """
    found = find_inputs(inputs)
    folder, place = means_folder(output), Path(output)
    if not folder and len(found) > 1:
        raise InputError(f"{len(found)} inputs do not go into the one file {output}: give a folder, such as -o out/")
    jobs = [_into_folder(item, place, made) if folder else _into_file(item, place, made) for item in found]
    check_distinct(jobs)
    if place.is_dir() or not folder:
        for job in jobs:
            _check_free(job, overwrite=overwrite)
    return jobs


def make_room(jobs: list[Job]) -> None:
    """Make the folders to write to; `InputError` where that is not possible."""
    from salticid.core.atomic import make_folder

    for job in jobs:
        for target in job.targets:
            make_folder(target if job.moving and target is job.labels else target.parent)


def _into_folder(item: Input, folder: Path, made: As) -> Job:
    stem, moving = item.stem, item.moving
    overlay = folder / f"{stem}_overlay{'.mp4' if moving else '.jpg'}" if made != "labels" else None
    labels = folder / (stem if moving else f"{stem}.png") if made != "overlay" else None
    return Job(item.name, item.kind, item.path, overlay, labels)


def _into_file(item: Input, file: Path, made: As) -> Job:
    from salticid.core.image_header import SUFFIXES
    from salticid.core.video_writer import codec_of

    suffix = file.suffix.lower()
    if made == "both":
        raise InputError(f"overlay and labels do not go into the one file {file}: give a folder, such as -o out/")
    if item.moving:
        if made == "labels":
            raise InputError(f"the labels of many frames do not go into {file}: give a folder, such as -o out/")
        codec_of(file)
    elif made == "labels" and suffix not in LABEL_SUFFIXES:
        raise InputError(f"cannot write labels as {file}: use {', '.join(LABEL_SUFFIXES)}")
    elif made == "overlay" and suffix not in SUFFIXES:
        hint = "; for labels say --as labels" if suffix in LABEL_SUFFIXES else ""
        raise InputError(f"cannot write a picture as {file}: use .png, .jpg, .webp or .tif{hint}")
    return Job(item.name, item.kind, item.path, *((file, None) if made == "overlay" else (None, file)))


def _check_free(job: Job, *, overwrite: bool) -> None:
    from salticid.core.atomic import check_target

    for target in job.targets:
        if not (job.moving and target is job.labels):
            check_target(target, overwrite=overwrite)
        elif target.is_dir() and not overwrite and any(target.iterdir()):
            raise InputError(f"{target} exists and is not empty: choose another folder, or say --overwrite")
