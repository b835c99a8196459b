"""A clip as the steps of this folder want it: one body's joints over time, and how well they are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from salticid.core.video import VideoInfo
from salticid.motion.keypoints import Keypoints
from salticid.motion.pose.quality import TrackQuality

Progress = Callable[[int, int], None]  # frames done, frames in all (0 where unknown)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One person in one video, or in one file of keypoints."""

    name: str  # of the file, without its folder
    keypoints: Keypoints
    quality: TrackQuality
    source: str  # the network and the first digits of its sha256, or the file that the keypoints are from
    info: VideoInfo | None  # of the video; None for a file of keypoints
    latency_ms: Mapping[str, float]  # of each stage, over the whole clip, when it was computed
    warnings: tuple[str, ...]  # what a reader should be told


class KeypointSource(Protocol):
    """Whatever makes a clip of a file: `PoseEstimator`, or another estimator in its place."""

    def estimate(
        self, path: str | os.PathLike[str], *, capture_fps: float | None = None, progress: Progress | None = None
    ) -> Clip:
        """Return the clip; `capture_fps` are the frames that were filmed per second, by which slow motion is undone."""
