"""BlazePose's two networks, loaded once: one finds people in a picture, the other the landmarks of one of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from salticid.core.types import Array
from salticid.core.video_planes import Planes
from salticid.engine import models
from salticid.engine.session import Session
from salticid.motion.pose.blazepose import (
    CENTER,
    CROP_PX,
    DETECTOR_PX,
    LANDMARKS,
    LEAST_SCORE,
    RIM,
    Region,
    crop_matrix,
    decode_detections,
    decode_landmarks,
    region_between,
    to_picture,
    turn_world,
)
from salticid.motion.pose.crop import Cropper
from salticid.runtime.clock import StageClock

DETECTOR = "blazepose-detector"
INPUT = "input_1"

_LANDMARKS, _PRESENCE, _HEATMAPS, _WORLD = "Identity", "Identity_1", "Identity_3", "Identity_4"


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One body in one picture."""

    points: Array  # (33, 2) float32, px
    visibility: Array  # (33,) float32, 0..1
    world_m: Array  # (33, 3) float32, origin between the hips, y down
    center: Array  # (2,) float32 px, around which the next region is drawn
    rim: Array  # (2,) float32 px, on the circle around the body


@functools.cache
def _detector() -> Session:
    """Return this process's detector, which runs too seldom for more than one thread to be worth it."""
    return Session(models.find(DETECTOR), engine="openvino", threads=1)


class BlazePose:
    """The networks, and how long each step took."""

    def __init__(self, model: str = "blazepose-full", *, threads: int = 1) -> None:
        """Load the detector and a landmark network, by the name of its card.

        Raises
        ------
        MissingError
            A model or the engine is not on this machine; the message says how to get it.
        IntegrityError
            A model's file is damaged.
        """
        self.clock, self.threads = StageClock(), threads
        self._view = Cropper(DETECTOR_PX, low=-1.0, high=1.0, outside="black")
        self._crop = Cropper(CROP_PX, low=0.0, high=1.0, outside="edge")
        self._detector = _detector()
        # The outputs leave out the person's mask, which takes a third of the time.
        wanted = (_LANDMARKS, _PRESENCE, _HEATMAPS, _WORLD)
        self._landmarks = Session(models.find(model), engine="openvino", threads=threads, outputs=wanted)

    def people(self, planes: Planes, view: Region) -> list[Region]:
        """Return the region of each person in a view of a picture, the surest first."""
        with self.clock("detect"):
            found = self._detector.run({INPUT: self._view(planes, view)})
            detections = decode_detections(found["Identity"][0], found["Identity_1"][0, :, 0])
            matrix = crop_matrix(view, DETECTOR_PX)
            points = detections.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
            return [region_between(center, rim) for center, rim in points]

    def pose(self, planes: Planes, region: Region) -> Pose | None:
        """Return the body in a region; None where there is none."""
        with self.clock("crop"):
            tensor = self._crop(planes, region)
        with self.clock("landmarks"):
            found = self._landmarks.run({INPUT: tensor})
        if not found[_PRESENCE].item() >= LEAST_SCORE:
            return None
        with self.clock("points"):
            landmarks = decode_landmarks(found[_LANDMARKS][0], found[_HEATMAPS][0])
            points = to_picture(landmarks.points, region)
            world_m = turn_world(found[_WORLD][0], region)
        return Pose(points[:LANDMARKS], landmarks.visibility[:LANDMARKS], world_m, points[CENTER], points[RIM])
