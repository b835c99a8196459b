"""A picture drawn by the program, with what is hard to enlarge: letters, fine lines, edges of all directions, texture.

It is the same in every run, and it is no photograph: what a network makes of it tells little about photographs.
"""

from __future__ import annotations

import cv2
import numpy as np

from salticid.core.resample import bicubic_uint8
from salticid.core.types import Array, Image

SIDE_PX = 512
FINER = 4  # times: so much larger it is drawn, then reduced, so that edges are as soft as a camera's

PAPER, INK, SKY, RED, GREEN = (238, 232, 218), (32, 34, 44), (120, 168, 214), (190, 62, 48), (70, 116, 72)  # RGB
LINES = ("Salticid", "sees with eight", "eyes what others", "miss: 0123456")


def drawn_picture() -> Image:
    """Return (512, 512, 3) uint8 RGB."""
    side = SIDE_PX * FINER
    canvas = np.full((side, side, 3), PAPER, np.uint8)
    half = side // 2
    _write(canvas[:half, :half])
    _fan(canvas[:half, half:])
    _wall(canvas[half:, :half])
    _leaves(canvas[half:, half:])
    return bicubic_uint8(canvas, SIDE_PX, SIDE_PX)


def _write(part: Array) -> None:
    """Draw lines of letters, from large to small."""
    bottom = 0.0
    for number, line in enumerate(LINES):
        size = part.shape[1] / (180 if number == 0 else 270)
        bottom += 42 * size
        cv2.putText(part, line, (60, int(bottom)), cv2.FONT_HERSHEY_SIMPLEX, size, INK, int(3 * size), cv2.LINE_AA)


def _fan(part: Array) -> None:
    """Draw rays that meet, and circles around the place."""
    side = part.shape[0]
    middle = side // 2
    part[:] = SKY
    for ray in range(0, 72, 2):
        edges = np.deg2rad(np.array([ray, ray + 1]) * 5)
        ends = middle + 0.45 * side * np.stack([np.cos(edges), np.sin(edges)], axis=1)
        cv2.fillPoly(part, [np.array([[middle, middle], *ends], np.int32)], INK, cv2.LINE_AA)
    for radius in range(side // 8, side // 3, side // 16):
        cv2.circle(part, (middle, middle), radius, PAPER, side // 100, cv2.LINE_AA)


def _wall(part: Array) -> None:
    """Draw bricks, each of its own color, and a window with slanted bars before it."""
    random, side = np.random.default_rng(0), part.shape[0]
    tall, wide = side // 16, side // 6
    for row in range(16):
        for left in range(-(row % 2) * wide // 2, side, wide):
            color = np.clip(np.array(RED) + random.integers(-35, 36), 0, 255).tolist()
            place = (left + 4, row * tall + 4), (left + wide - 5, row * tall + tall - 5)
            cv2.rectangle(part, *place, color, -1)
    least, most = side // 4, 3 * side // 4
    cv2.rectangle(part, (least, least), (most, most), SKY, -1)
    for line in range(least, most + 1, side // 16):
        cv2.line(part, (line, least), (most, most + least - line), INK, side // 80, cv2.LINE_AA)
        cv2.line(part, (least, line), (most + least - line, most), INK, side // 80, cv2.LINE_AA)
    cv2.rectangle(part, (least, least), (most, most), PAPER, side // 40)


def _leaves(part: Array) -> None:
    """Draw blades of grass one over the other, thousands of them."""
    random, side = np.random.default_rng(1), part.shape[0]
    part[:] = GREEN
    for _ in range(1500):
        foot = random.integers(0, side, 2)
        tip = foot + random.integers((-side // 16, -side // 6), (side // 16, -side // 24))
        color = np.clip(np.array(GREEN) + random.integers(-50, 90), 0, 255).tolist()
        cv2.line(part, foot.tolist(), tip.tolist(), color, int(random.integers(4, 14)), cv2.LINE_AA)
