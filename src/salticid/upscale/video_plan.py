"""Before a video is enlarged: what each frame takes, from a short trial on the middle of its first frames.

    with VideoReader("small.mp4") as video:
        plan = plan_video(upscaler, footage_of(video, "small.mp4"), codec="h264", scale=4)
    plan.seconds, plan.latency_ms

Frames are enlarged and encoded at the same time, and both want the same CPUs. So the trial does both at the same time:
what the slower one takes then is what a frame takes. The encoder is given the frames enlarged by bicubic, for what it
takes depends on what is in them.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from salticid.core.types import Image
from salticid.core.video import VideoWriter
from salticid.core.video_writer import USUAL_FPS, Codec
from salticid.errors import BrokenStreamError
from salticid.upscale.footage import Footage
from salticid.upscale.frames import FrameUpscaler
from salticid.upscale.infer import Upscaler
from salticid.upscale.plan import UpscalePlan

TRIAL_FRAMES = 6
TRIAL_S = 0.3  # that enlarging them may take, as far as is known before
TRIAL_PX = 1 << 20  # most of a large frame that are made and encoded


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What enlarging a video takes when every frame changes as a whole."""

    frame: UpscalePlan  # of each frame, and what is held beside it
    frames: int | None  # that there are, as far as anything tells; None of a camera
    latency_ms: dict[str, float]  # of each stage, per frame; stages run at the same time
    frame_seconds: float  # that go by from one frame to the next: those of the slowest stage

    @property
    def seconds(self) -> float:
        """Of the whole work; nan where the frames are not known."""
        return math.nan if self.frames is None else self.frames * self.frame_seconds


def plan_video(
    upscaler: Upscaler,
    footage: Footage,
    *,
    codec: Codec,
    scale: float | None = None,
    width: int | None = None,
    height: int | None = None,
) -> VideoPlan:
    """Return what enlarging and encoding takes; a few frames of the footage are read for that.

    Parameters are those of `upscale_footage`.

    Raises
    ------
    InputError
        The size is out of range, or not one frame can be read.
    MissingError, ResourceError
        An encoder is not installed; memory does not hold a frame, or the disk a trial.
    """
    plan = FrameUpscaler(upscaler).plan(*footage.size[::-1], scale=scale, target=(width, height))
    start = time.perf_counter()
    images = _first_images(footage)
    decode_ms = {} if footage.live else {"decode": 1000 * (time.perf_counter() - start) / len(images)}
    if plan.model != upscaler.model:  # "auto" would choose another one for a part of the frame
        upscaler = Upscaler(plan.model, **dataclasses.asdict(upscaler.options))
    stages_ms = decode_ms | _trial(plan, images).run(upscaler, codec)
    frames = None if footage.live else footage.expected
    return VideoPlan(plan, frames, stages_ms, max(stages_ms.values()) / 1000)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Parts of frames."""

    images: Sequence[Image]
    target: tuple[int, int]  # height and width that they are to become
    times: float  # as much is the whole frame

    def run(self, upscaler: Upscaler, codec: Codec) -> dict[str, float]:
        """Enlarge and encode at the same time, and return the ms per frame of each."""
        large = [_enlarged(image, self.target) for image in self.images]
        height, width = self.target
        with tempfile.TemporaryDirectory(prefix="salticid-") as folder, ExitStack() as opened:
            path, threads = Path(folder) / "trial.mkv", upscaler.threads
            out = VideoWriter(path, fps=USUAL_FPS, width=width, height=height, codec=codec, threads=threads)
            opened.enter_context(out)
            # The first time takes longer. What an encoder is given first it holds back, so its work still counts.
            out.write(large[0])
            upscaler(self.images[0], height=height, width=width)
            with ThreadPoolExecutor(2) as pool:
                encoded = pool.submit(_encode, opened, out, large[1:])
                enlarged = pool.submit(_enlarge, upscaler, self.images, self.target)
                taken_ms = {"enlarge": enlarged.result(), "encode": encoded.result()}
        return {stage: value * self.times / len(large) for stage, value in taken_ms.items()}


def _first_images(footage: Footage) -> list[Image]:
    """Return a few frames, or those before a break; a video of which none can be read is no video."""
    images: list[Image] = []
    try:
        for frame in islice(footage.checked(), TRIAL_FRAMES):
            images.append(frame.image)  # noqa: PERF401  # what comes before a break is kept
    except BrokenStreamError:
        if not images:
            raise
    return images


def _trial(plan: UpscalePlan, images: Sequence[Image]) -> _Trial:
    """Return the middle of the frames, as much as can be tried in a short time."""
    share = min(1.0, TRIAL_PX / plan.pixels)
    if plan.seconds > 0:  # nan by bicubic, which is fast
        share = min(share, TRIAL_S / (TRIAL_FRAMES * plan.seconds))
    rows, columns = (max(1, math.ceil(side * math.sqrt(share))) for side in plan.size)
    # Rounded up, so that the part takes as many passes as the whole.
    target = -(-rows * plan.target[0] // plan.size[0]), -(-columns * plan.target[1] // plan.size[1])
    top, left = (plan.size[0] - rows) // 2, (plan.size[1] - columns) // 2
    parts = [np.ascontiguousarray(image[top : top + rows, left : left + columns]) for image in images]
    return _Trial(parts, target, plan.pixels / (target[0] * target[1]))


def _enlarge(upscaler: Upscaler, images: Sequence[Image], target: tuple[int, int]) -> float:
    """Enlarge, and return the ms that took."""
    start = time.perf_counter()
    for image in images:
        upscaler(image, height=target[0], width=target[1])
    return 1000 * (time.perf_counter() - start)


def _encode(opened: ExitStack, out: VideoWriter, images: Sequence[Image]) -> float:
    """Write the rest of a video and close it, and return the ms that took."""
    start = time.perf_counter()
    with opened:
        for image in images:
            out.write(image)
    return 1000 * (time.perf_counter() - start)


def _enlarged(image: Image, target: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, target[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
