"""Pose: a video in, one person's joints over time out.

    clip = PoseEstimator().estimate("walk.mp4")
    clip.keypoints, clip.quality, clip.warnings

The network is BlazePose (`blazepose.py`). A file of keypoints is taken as it is, so that whatever found them takes the
network's place. Several clips at once: `clips.estimate_clips`.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import os
from pathlib import Path
from typing import get_args

import numpy as np

from salticid.core.pyav import import_av
from salticid.engine import models, packages
from salticid.engine.cards import card
from salticid.errors import InputError
from salticid.motion.files.read import is_keypoint_file, read_keypoints
from salticid.motion.pose.blazepose_network import DETECTOR, BlazePose
from salticid.motion.pose.clip import Clip, KeypointSource, Progress
from salticid.motion.pose.followed import Followed, Person, follow
from salticid.motion.pose.legs import with_legs_in_order
from salticid.motion.pose.quality import track_quality
from salticid.runtime.cache import ArrayCache

__all__ = ["Clip", "KeypointSource", "PoseEstimator", "Progress"]

STEP = "pose 2"  # what the cache knows this step as: another number for other results
TASK = "motion"

_SLOWER = 0.9  # of the container's rate: who filmed fewer frames per second than are shown has not filmed slow motion


class PoseEstimator:
    """Makes clips of videos; holds the networks, which are loaded when the first video needs them.

    Parameters
    ----------
    model
        Name of a card: blazepose-lite, blazepose-full or blazepose-heavy.
    person
        Whom to follow where several people are seen: "main" is large and there for long, "largest" the largest of those
        who are there for at least half as long as anybody, "left" and "right" the outermost of them.
    threads
        That compute the network.
    cache
        Where results are kept and looked for, by the content of the video, the networks and the version of this step.

    Raises
    ------
    InputError
        There is no such model or choice of a person.
    """

    def __init__(
        self,
        model: str = "blazepose-full",
        *,
        person: Person = "main",
        threads: int = 1,
        cache: ArrayCache | None = None,
    ) -> None:
        if person not in get_args(Person):
            raise InputError(f"person must be one of {', '.join(get_args(Person))}, not {person!r}")
        card(model)
        self.model, self.person, self.threads, self.cache = model, person, threads, cache

    def estimate(
        self, path: str | os.PathLike[str], *, capture_fps: float | None = None, progress: Progress | None = None
    ) -> Clip:
        """Return the joints of one person.

        Parameters
        ----------
        path
            A video, or a file of keypoints as in `salticid.motion.files.read`.
        capture_fps
            Frames that were filmed per second. Where the video shows fewer, it is slow motion, and the times of the
            clip are those of the movement, not of the video.
        progress
            Called after each frame with the frames done and those in all (0 where unknown).

        Returns
        -------
        Clip
            A video that breaks off gives what could be read and a warning, one without a person all nan and a warning.

        Raises
        ------
        InputError
            The file cannot be read, holds no frame, or `capture_fps` is not above 0.
        MissingError, IntegrityError
            A model is not on this machine, or its file is damaged; the message says how to get it. Files of keypoints
            need none. Or an extra is not installed.
        """
        check_fps(capture_fps)
        if is_keypoint_file(path):
            return clip_of_keypoints(path, capture_fps)
        return self.clip(path, self.followed(path, progress), capture_fps)

    def followed(self, path: str | os.PathLike[str], progress: Progress | None = None) -> Followed:
        """Return all people of a video, from the cache where it has them."""
        found = self.cached(path)
        if found is not None:
            return found
        found = follow(path, self._networks, progress)
        if self.cache is not None:
            self.cache.put(self.key(path), found.to_arrays())
        return found

    def cached(self, path: str | os.PathLike[str]) -> Followed | None:
        """Return what the cache holds of a video, or None."""
        arrays = None if self.cache is None else self.cache.get(self.key(path))
        return None if arrays is None else Followed.from_arrays(arrays)

    def clip(self, path: str | os.PathLike[str], followed: Followed, capture_fps: float | None = None) -> Clip:
        """Return the clip of the person whom this estimator is to follow."""
        scale, told = _time_scale(followed, capture_fps)
        keypoints, mended = with_legs_in_order(followed.keypoints(self.person, scale))
        quality = track_quality(keypoints, followed.people, mended)
        return Clip(
            name=Path(path).name,
            keypoints=keypoints,
            quality=quality,
            source=f"{self.model} {card(self.model).sha256[:8]}",
            info=followed.info,
            latency_ms=followed.latency_ms,
            warnings=(*followed.warnings, *told, *quality.warnings),
        )

    def key(self, path: str | os.PathLike[str]) -> str:
        """Return what the cache keeps a video's people under; `InputError` where the file cannot be read."""
        if self.cache is None:
            raise InputError("this estimator has no cache: give cache=")
        networks = {name: card(name).sha256 for name in (self.model, DETECTOR)}
        return self.cache.key(content=Path(path), parameters=networks, version=STEP)

    @functools.cached_property
    def _networks(self) -> BlazePose:
        return BlazePose(self.model, threads=self.threads)


def clip_of_keypoints(path: str | os.PathLike[str], capture_fps: float | None = None) -> Clip:
    """Return the clip that a file of keypoints is; errors are those of `read_keypoints`."""
    check_fps(capture_fps)
    keypoints, mended = with_legs_in_order(read_keypoints(path, capture_fps))
    quality = track_quality(keypoints, None, mended)
    return Clip(Path(path).name, keypoints, quality, os.fspath(path), None, {}, quality.warnings)


def check_installed(model: str) -> None:
    """Raise `MissingError` or `IntegrityError` now where what finds the body in a video is not on this machine."""
    # Looked for, not imported: the workers alone need them.
    if importlib.util.find_spec("av") is None:
        import_av()
    if importlib.util.find_spec("openvino") is None:
        raise packages.missing("openvino")
    for name in (model, DETECTOR):
        models.find(card(name))


def check_fps(capture_fps: float | None) -> None:
    """Raise `InputError` where `capture_fps` is no rate."""
    if capture_fps is not None and not (math.isfinite(capture_fps) and capture_fps > 0):
        raise InputError(f"capture_fps must be above 0, not {capture_fps}")


def _time_scale(followed: Followed, capture_fps: float | None) -> tuple[float, tuple[str, ...]]:
    """Return real seconds per second of the video, and what there is to say about that."""
    if capture_fps is None:
        return 1.0, ()
    container_fps = followed.info.average_fps
    if container_fps is None and len(followed.times_s) > 1:
        container_fps = float(1 / np.median(np.diff(followed.times_s)))
    if container_fps is None:
        return 1.0, ("the video tells no frame rate: capture_fps could not be used",)
    scale = container_fps / capture_fps
    if capture_fps < _SLOWER * container_fps:
        return scale, (
            f"{capture_fps:g} frames per second were given as filmed, but the video shows {container_fps:g}",
        )
    if followed.info.variable_frame_rate and scale != 1:
        return scale, ("the frame rate varies: slow motion was undone by its mean",)
    return scale, ()
