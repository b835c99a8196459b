"""Follow people through a video: found once, then looked for where they were, found again when they were lost.

    tracker = Tracker(BlazePose("blazepose-full"), check_every=30)
    for frame in video.planes():
        poses = tracker(frame.planes)           # one entry per person seen so far, None where not in this frame

The region of the next frame comes from the last one's landmarks, steadied by a 1 € filter, as always in mediapipe's
graph; the landmarks themselves are not filtered. Each person has a track of its own, so two who cross are not taken for
one another as long as both are seen. Views of the picture are searched in turns for people who came later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from salticid.core.types import Array
from salticid.core.video_planes import Planes
from salticid.motion.pose.blazepose import Region, region_between, views
from salticid.motion.pose.blazepose_network import Pose
from salticid.motion.pose.one_euro import OneEuroFilter

MOST_PEOPLE = 3  # that are followed at once; each takes as long as the first

_SEARCHED = 30  # frames after somebody was lost in which every whole picture is searched
_SAME_PLACE = 0.3  # of a region's side: a person found within this of a followed one is that one
_SAME_BODY = 0.08  # of a region's side: two tracks whose joints are this near follow one body
_SAME_NEW_BODY = 0.15  # likewise for a body that is found anew, perhaps cut off by the view
_LEAST_SIZE = 0.4  # of the largest person's region: smaller people are background
_RETURNS_WITHIN = 0.5  # of a region's side, and as much again per ten frames: who was lost is back there
_TRUNK_AND_LEGS = (11, 12, 23, 24, 25, 26, 27, 28)

# pose_landmark_filtering of mediapipe 0.10.21, for the points that the region comes from.
_REGION_CUTOFF_HZ, _REGION_BETA = 0.01, 10.0


class PoseNetworks(Protocol):
    """What the tracker asks: `BlazePose`, or whatever answers alike."""

    def people(self, planes: Planes, view: Region) -> list[Region]:
        """Return the region of each person in a view of a picture, the surest first."""

    def pose(self, planes: Planes, region: Region) -> Pose | None:
        """Return the body in a region; None where there is none."""


@dataclass(slots=True, eq=False)
class _Track:
    """One person on the way through the video."""

    place: Region  # where they are, or were last
    followed: bool = True
    lost_frames: int = 0
    last: Pose | None = None
    steady: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_REGION_CUTOFF_HZ, _REGION_BETA))

    def advance(self, pose: Pose) -> None:
        """Take over where the body is now."""
        raw = np.stack([pose.center, pose.rim])
        center, rim = self.steady(raw, 2 * math.dist(pose.center, pose.rim))
        self.place, self.last = region_between(center, rim), pose
        self.followed, self.lost_frames = True, 0

    def lose(self) -> None:
        """Forget how the body moved."""
        if self.followed:
            self.steady = OneEuroFilter(_REGION_CUTOFF_HZ, _REGION_BETA)
        self.followed = False
        self.lost_frames += 1


class Tracker:
    """Follows up to `MOST_PEOPLE` people."""

    def __init__(self, networks: PoseNetworks, *, check_every: int) -> None:
        """Begin a video; every `check_every` frames the whole picture or a part of it is searched, in turns."""
        self._networks, self._check_every = networks, max(1, check_every)
        self._tracks: list[_Track] = []
        self._frame = self._searches = 0

    def __call__(self, planes: Planes) -> list[Pose | None]:
        """Return the pose of every person so far, None for whom this picture does not show; new people come last."""
        poses = [self._networks.pose(planes, track.place) if track.followed else None for track in self._tracks]
        self._drop_doubles(poses)
        for track, pose in zip(self._tracks, poses, strict=True):
            _settle(track, pose)
        for view in self._searched(views(planes.width, planes.height)):
            self._search(planes, view, poses)
        self._frame += 1
        return poses

    def _searched(self, every: list[Region]) -> list[Region]:
        """Return where to look for people in this frame; `every` view begins with the whole picture."""
        whole, parts = every[0], every[1:]
        if self._frame == 0:
            return every
        lost = [track.lost_frames for track in self._tracks if not track.followed]
        if len(lost) == len(self._tracks) or any(frames <= _SEARCHED for frames in lost):
            self._searches += 1
            return [whole, parts[self._searches % len(parts)]] if parts else [whole]
        if self._frame % self._check_every == 0:
            self._searches += 1
            return [every[self._searches % len(every)]]
        return []

    def _drop_doubles(self, poses: list[Pose | None]) -> None:
        """Where two tracks have come to follow one body, keep the one that moved less to get there."""
        for second in range(len(poses)):
            for first in range(second):
                a, b = poses[first], poses[second]
                if a is None or b is None or _joints_apart(a, b) >= _SAME_BODY * self._tracks[first].place.side:
                    continue
                moved = [_moved(self._tracks[number], pose) for number, pose in ((first, a), (second, b))]
                poses[first if moved[0] > moved[1] else second] = None

    def _search(self, planes: Planes, view: Region, poses: list[Pose | None]) -> None:
        """Look at a view of the picture for people who are not followed; their poses are added."""
        for region in self._unknown(self._networks.people(planes, view)):
            track = self._returning(region)
            if track is None and not self._is_worth_following(region):
                continue
            pose = self._networks.pose(planes, region)
            if pose is None or self._is_followed(pose, poses):
                continue
            if track is None:
                track = _Track(region)
                self._tracks.append(track)
                poses.append(None)
            track.advance(pose)
            poses[self._tracks.index(track)] = pose

    def _is_worth_following(self, region: Region) -> bool:
        largest = max((track.place.side for track in self._tracks), default=0.0)
        return len(self._tracks) < MOST_PEOPLE and region.side >= _LEAST_SIZE * largest

    def _is_followed(self, pose: Pose, poses: Sequence[Pose | None]) -> bool:
        """Return whether a pose that was found anew is that of a person who is followed already."""
        return any(
            other is not None and _joints_apart(pose, other) < _SAME_NEW_BODY * track.place.side
            for other, track in zip(poses, self._tracks, strict=True)
        )

    def _unknown(self, regions: Sequence[Region]) -> list[Region]:
        """Return the regions that no followed person stands for, each of whom stands for the nearest one."""
        left = list(regions)
        for track in self._tracks:
            near = min(left, key=lambda region: _apart(region, track.place), default=None)
            if track.followed and near is not None and _apart(near, track.place) < _SAME_PLACE * track.place.side:
                left.remove(near)
        return left

    def _returning(self, region: Region) -> _Track | None:
        """Return the track of a lost person who may be the one in `region`."""
        lost = [track for track in self._tracks if not track.followed]
        if len(self._tracks) == 1 and lost:
            return lost[0]
        near = [track for track in lost if _may_return(track, region)]
        return min(near, key=lambda track: _apart(region, track.place), default=None)


def _settle(track: _Track, pose: Pose | None) -> None:
    if pose is None:
        track.lose()
    else:
        track.advance(pose)


def _apart(a: Region, b: Region) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


def _may_return(track: _Track, region: Region) -> bool:
    reach = _RETURNS_WITHIN * (1 + track.lost_frames / 10) * track.place.side
    return _apart(region, track.place) < reach and 0.5 < region.side / track.place.side < 2


def _moved(track: _Track, pose: Pose) -> float:
    return math.inf if track.last is None else _joints_apart(pose, track.last)


def _joints_apart(a: Pose, b: Pose) -> float:
    """Return the mean distance of the joints of trunk and legs, px."""
    apart: Array = np.linalg.norm(a.points[list(_TRUNK_AND_LEGS)] - b.points[list(_TRUNK_AND_LEGS)], axis=1)
    return float(apart.mean())
