"""All people of one video, frame by frame, and which of them is meant.

Everybody is kept, so that one pass over the video, and one entry in the cache, serves every choice of a person.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from salticid.core.types import Array
from salticid.core.video import Frame, VideoInfo, VideoReader
from salticid.core.video_planes import PlanesFrame
from salticid.errors import BrokenStreamError, InputError
from salticid.motion.keypoints import Keypoints
from salticid.motion.pose.blazepose import LANDMARKS
from salticid.motion.pose.blazepose_network import BlazePose, Pose
from salticid.motion.pose.clip import Progress
from salticid.motion.pose.track import Tracker
from salticid.runtime import hardware
from salticid.runtime.ahead import ahead
from salticid.runtime.clock import StageClock

Person = Literal["main", "largest", "left", "right"]


# BlazePose's landmarks in its order, the foot's under the names that this folder looks for.
NAMES = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky"),
    *("left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle", "left_heel", "right_heel", "left_toe", "right_toe"),
)

LEAST_SHARE = 0.1  # of the frames in which somebody must be found to count as a person in view
_LONG_ENOUGH = 0.5  # of the time of whoever is seen longest: left, right and largest are looked for among these

_SEARCH_EVERY_S = 0.5  # of video: one view of the picture
_USUAL_FPS = 30.0

_Timed = TypeVar("_Timed", Frame, PlanesFrame)


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The people of a video; nan, and a score of 0, where one was not found."""

    times_s: Array  # (T,) float64 on the container's clock, rising
    points: Array  # (N, T, 33, 2) float32 px
    scores: Array  # (N, T, 33) float32, 0..1
    world_m: Array  # (N, T, 33, 3) float32
    info: VideoInfo
    warnings: tuple[str, ...]  # about the file
    latency_ms: Mapping[str, float]  # of each stage, over the whole video

    @property
    def found(self) -> Array:
        """(N, T) bool."""
        return np.asarray(np.isfinite(self.points[:, :, 0, 0]))

    @property
    def people(self) -> int:
        """How many were found in at least a tenth of the frames."""
        return int((self.found.mean(axis=1) >= LEAST_SHARE).sum()) if len(self.times_s) else 0

    def keypoints(self, person: Person, time_scale: float = 1.0) -> Keypoints:
        """Return one person's keypoints, the times multiplied by `time_scale`; all nan where nobody was found."""
        number = self._choose(person)
        if number is None:
            nothing = np.full((len(self.times_s), LANDMARKS, 3), np.nan, np.float32)
            points, scores, world_m = nothing[..., :2], np.zeros(nothing.shape[:2], np.float32), nothing
        else:
            points, scores, world_m = self.points[number], self.scores[number], self.world_m[number]
        size_px = (self.info.width, self.info.height)
        return Keypoints(self.times_s * time_scale, points, scores, NAMES, size_px, world_m)

    def _choose(self, person: Person) -> int | None:
        """Return the number of the person who is meant; None where there is nobody."""
        seen = self.found.sum(axis=1)
        if not seen.any():
            return None
        heights = np.array([_height_px(points) for points in self.points])
        if person == "main":
            return int(np.argmax(heights * seen))
        enough = np.flatnonzero(seen >= _LONG_ENOUGH * seen.max())
        if person == "largest":
            return int(enough[np.argmax(heights[enough])])
        places = [np.nanmedian(self.points[number, :, :, 0]) for number in enough]
        return int(enough[np.argmin(places) if person == "left" else np.argmax(places)])

    def to_arrays(self) -> dict[str, Array]:
        """Return this as arrays for a cache."""
        words = {"info": dataclasses.asdict(self.info), "warnings": self.warnings, "latency_ms": dict(self.latency_ms)}
        return {
            "times_s": self.times_s,
            "points": self.points,
            "scores": self.scores,
            "world_m": self.world_m,
            "words": np.frombuffer(json.dumps(words).encode(), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Followed:
        """Return what `to_arrays` was given."""
        words: dict[str, Any] = json.loads(arrays["words"].tobytes())
        return cls(
            times_s=arrays["times_s"],
            points=arrays["points"],
            scores=arrays["scores"],
            world_m=arrays["world_m"],
            info=VideoInfo(**words["info"]),
            warnings=tuple(words["warnings"]),
            latency_ms=words["latency_ms"],
        )


def follow(path: str | os.PathLike[str], networks: BlazePose, progress: Progress | None = None) -> Followed:
    """Follow the people of a video from its first frame to its last, or to where it breaks off or changes its size.

    Raises
    ------
    InputError
        The file cannot be read or holds no frame.
    MissingError
        The extra `video` is not installed.
    """
    start = time.perf_counter()
    networks.clock = clock = StageClock()
    with VideoReader(path, threads=1) as video, closing(_decoded(video, clock, networks.threads)) as frames:
        every = round((video.info.average_fps or _USUAL_FPS) * _SEARCH_EVERY_S)
        record = _Record(Tracker(networks, check_every=every), _frame_count(video.info), progress)
        try:
            for frame in frames:
                _check_size(frame, video.info, os.fspath(path))
                record.add(frame)
        except BrokenStreamError as error:
            record.warnings.append(str(error))
        followed = record.finished(video.info)
    rest_ms = 1000 * (time.perf_counter() - start) - sum(clock.latency_ms.values())
    return dataclasses.replace(followed, latency_ms=clock.latency_ms | {"rest": rest_ms})


def rising(frames: Iterable[_Timed]) -> Generator[_Timed, None, None]:
    """Yield the frames whose time is later than that of all before: broken files repeat some."""
    last_s = -np.inf
    for frame in frames:
        if frame.time_s > last_s:
            last_s = frame.time_s
            yield frame


def _decoded(video: VideoReader, clock: StageClock, threads: int) -> Generator[PlanesFrame, None, None]:
    """Yield the frames, decoded in another thread where there may be a CPU for it; waiting for them is timed."""
    frames = rising(video.planes())
    if max(threads, hardware.threads()) > 1:
        frames = ahead(frames)
    with closing(frames):  # before the video is: no thread may read from a closed file
        while True:
            with clock("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame


def _check_size(frame: PlanesFrame, info: VideoInfo, name: str) -> None:
    """Raise `BrokenStreamError` where the size changes: a place in one picture is another place in the next."""
    width, height = frame.planes.width, frame.planes.height
    if (width, height) != (info.width, info.height):
        sizes = f"from {info.width} x {info.height} to {width} x {height} after {frame.index} frames"
        raise BrokenStreamError(f"{name} changes {sizes}: what comes later was left out", frame.index)


def _frame_count(info: VideoInfo) -> int:
    return info.frame_count or round((info.duration_s or 0) * (info.average_fps or 0))


def _height_px(points: Array) -> float:
    """Return the median height of a body's landmarks, (T, 33, 2)."""
    y = points[np.isfinite(points[:, 0, 0]), :, 1]
    return float(np.median(y.max(axis=1) - y.min(axis=1))) if len(y) else 0.0


class _Record:
    """What was found so far."""

    def __init__(self, tracker: Tracker, frames: int, progress: Progress | None) -> None:
        self.warnings: list[str] = []
        self._tracker, self._frames, self._progress = tracker, frames, progress
        self._times_s: list[float] = []
        self._poses: list[list[Pose | None]] = []

    def add(self, frame: PlanesFrame) -> None:
        """Find the people of one more frame."""
        self._poses.append(self._tracker(frame.planes))
        self._times_s.append(frame.time_s)
        if self._progress is not None:
            self._progress(len(self._times_s), self._frames)

    def finished(self, info: VideoInfo) -> Followed:
        """Return everything as arrays."""
        if not self._times_s:
            raise InputError(f"no frame could be read: {'; '.join(self.warnings) or 'the video is empty'}")
        people, count = len(self._poses[-1]), len(self._times_s)
        points = np.full((people, count, LANDMARKS, 2), np.nan, np.float32)
        scores = np.zeros((people, count, LANDMARKS), np.float32)
        world_m = np.full((people, count, LANDMARKS, 3), np.nan, np.float32)
        for index, poses in enumerate(self._poses):
            for number, pose in enumerate(poses):
                if pose is not None:
                    points[number, index], scores[number, index] = pose.points, pose.visibility
                    world_m[number, index] = pose.world_m
        return Followed(np.array(self._times_s), points, scores, world_m, info, tuple(self.warnings), {})
