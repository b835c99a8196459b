"""Five clips of 300 frames at 720p of one person, cut from one video: what creating a baseline is timed on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from salticid.core.types import Image
from salticid.core.video import VideoReader, VideoWriter

CLIPS, FRAMES = 5, 300
WIDTH, HEIGHT = 1280, 720
FPS = 30.0


def write_clips(video: Path, folder: Path) -> list[Path]:
    """Cut `video` into overlapping clips, each as large as a camera's, the person in its middle; return their paths."""
    with VideoReader(video) as reader:
        frames = [fitted(frame.image) for frame in reader]
    if len(frames) < FRAMES:
        raise SystemExit(f"{video} has {len(frames)} frames: {FRAMES} are needed")
    starts = np.linspace(0, len(frames) - FRAMES, CLIPS).astype(int)
    return [write(frames[start : start + FRAMES], folder / f"clip{number}.mp4") for number, start in enumerate(starts)]


def fitted(image: Image) -> Image:
    """Return an image of 720p with `image` as large as it fits, and its blurred self beside it."""
    scale = HEIGHT / image.shape[0]
    inner = cv2.resize(image, (round(image.shape[1] * scale), HEIGHT), interpolation=cv2.INTER_LINEAR)
    room = cv2.GaussianBlur(cv2.resize(image, (WIDTH, HEIGHT)), (0, 0), 25)
    left = (WIDTH - inner.shape[1]) // 2
    room[:, left : left + inner.shape[1]] = inner
    return room


def write(frames: list[Image], path: Path) -> Path:
    """Write a clip."""
    with VideoWriter(path, fps=FPS, width=WIDTH, height=HEIGHT) as out:
        for image in frames:
            out.write(image)
    return path
