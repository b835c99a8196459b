"""BlazePose here and in mediapipe: how far apart the landmarks are, how many frames per second, and where time goes.

    python bench/motion_pose.py [--output bench/results/motion_pose.json] [--rounds 3]

Agreement: on the same RGB frames, and on the planes that salticid reads, against mediapipe without and with its
smoothing; distances in percent of the body's height in the picture. With smoothing, ours is also filtered afterwards as
mediapipe filters its own. Speed: five clips of 300 frames at once, made of the videos by playing them forwards,
backwards and mirrored, in two sizes; the candidates take turns. Starting processes and loading networks is part of our
time, importing mediapipe is not part of its.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from motion_peers import MediaPipe

from salticid.core.image import resize
from salticid.core.video import VideoReader, VideoWriter
from salticid.core.video_planes import Planes
from salticid.engine import bench
from salticid.errors import MissingError
from salticid.motion.options import MotionOptions
from salticid.motion.pose.blazepose import LANDMARKS
from salticid.motion.pose.blazepose_network import BlazePose, Pose
from salticid.motion.pose.clips import estimate_clips
from salticid.motion.pose.one_euro import OneEuroFilter
from salticid.motion.pose.track import Tracker
from salticid.runtime import hardware

AGREEMENT = ("p2s_SinglePerson_cam01", "p2s_SinglePerson_cam02", "mgl_input")
CLIPS = (("p2s_SinglePerson_cam01", 0), ("p2s_SinglePerson_cam02", 0), ("mgl_input", 0))
CLIPS += (("p2s_SinglePerson_cam01", 1), ("p2s_SinglePerson_cam02", 1))  # mirrored
SIZES = ((720, 1280), (1080, 1920))
FRAMES, FPS = 300, 60

Row = dict[str, object]


def main() -> None:
    """Read the command line, measure, write."""
    data = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "motion"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    given = parser.parse_args()
    try:
        peer = MediaPipe()
    except MissingError as error:
        raise SystemExit(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="salticid-bench-") as name:
        folder = Path(name)
        rows = list(agreement(given.data, peer, folder))
        for size in SIZES:
            found = speed(clips(given.data, folder, size), peer, given.rounds)
            rows += [{"size": "x".join(map(str, size))} | row for row in found]
    bench.write_report("motion_pose", rows, given.output)


def agreement(data: Path, peer: MediaPipe, folder: Path) -> Iterator[Row]:
    """Yield a row per video, kind of frames, and smoothing of mediapipe."""
    networks = BlazePose("blazepose-full")
    for name in AGREEMENT:
        video = data / f"{name}.mp4"
        theirs = {smooth: peer.landmarks(video, folder / "theirs.npz", smooth=smooth) for smooth in (False, True)}
        for frames in ("same RGB", "planes"):
            plain, filtered = followed(video, networks, planes=frames == "planes")
            for smooth, ours in ((False, plain), (True, plain), (True, filtered)):
                yield {
                    "kind": "agreement",
                    "video": name,
                    "frames": frames,
                    "mediapipe_smooths": smooth,
                    "ours_filtered": ours is filtered,
                } | distances(ours, theirs[smooth])


def followed(video: Path, networks: BlazePose, *, planes: bool) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return points and world_m of the first person as the product has them, and the points filtered afterwards."""
    with VideoReader(video) as reader:
        tracker = Tracker(networks, check_every=1 << 30)  # mediapipe looks for nobody else either
        pictures = reader.planes() if planes else (Planes.of_rgb(frame.image) for frame in reader)
        poses = [(tracker(getattr(picture, "planes", picture)) or [None])[0] for picture in pictures]
    nobody = np.full((LANDMARKS, 3), np.nan)
    world = np.array([nobody if pose is None else pose.world_m for pose in poses])
    points = np.array([nobody[:, :2] if pose is None else pose.points for pose in poses])
    return {"points": points, "world_m": world}, {"points": smoothed(poses), "world_m": world}


def smoothed(poses: list[Pose | None]) -> np.ndarray:
    """Return the points as mediapipe smooths them: from where it starts to where the body is lost."""
    smoother, found = OneEuroFilter(0.05, 80.0), []
    for pose in poses:
        if pose is None:
            smoother = OneEuroFilter(0.05, 80.0)
            found.append(np.full((LANDMARKS, 2), np.nan))
        else:
            found.append(smoother(pose.points, 2 * float(np.linalg.norm(pose.center - pose.rim))))
    return np.array(found)


def distances(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> Row:
    """Return the distances of all landmarks in frames where both found a body."""
    y = theirs["points"][..., 1]
    height = np.nanmedian(y.max(axis=1) - y.min(axis=1))
    percent = 100 * np.linalg.norm(ours["points"] - theirs["points"], axis=2) / height
    world_cm = 100 * np.linalg.norm(ours["world_m"] - theirs["world_m"], axis=2)
    both = np.isfinite(percent)
    return {
        "median_percent": round(float(np.median(percent[both])), 3),
        "p95_percent": round(float(np.percentile(percent[both], 95)), 3),
        "world_median_cm": round(float(np.median(world_cm[both])), 3),
        "found_by_both": int(both[:, 0].sum()),
        "found_by_one": int((np.isfinite(ours["points"][:, 0, 0]) != np.isfinite(y[:, 0])).sum()),
    }


def clips(data: Path, folder: Path, size: tuple[int, int]) -> list[str]:
    """Write five clips of one length and size (width, height), and return their paths."""
    paths = []
    for name, mirrored in CLIPS:
        with VideoReader(data / f"{name}.mp4") as reader:
            images = [fitted(frame.image, *size) for frame in reader]
        images = [cv2.flip(image, 1) for image in images] if mirrored else images
        there_and_back = itertools.cycle([*images, *images[-2:0:-1]])
        paths.append(str(folder / f"{name}_{mirrored}_{size[0]}.mp4"))
        with VideoWriter(paths[-1], fps=FPS, width=size[0], height=size[1]) as out:
            for image in itertools.islice(there_and_back, FRAMES):
                out.write(image)
    return paths


def fitted(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return an image in the size of the clips, gray beside it."""
    scale = min(width / image.shape[1], height / image.shape[0])
    small = resize(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
    canvas = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def speed(videos: list[str], peer: MediaPipe, rounds: int) -> Iterator[Row]:
    """Yield frames per second of every candidate, then where our time goes."""
    stages: list[dict[str, float]] = []
    cores = hardware.cpu_count()
    candidates = {
        "salticid": lambda: ours(videos, stages),
        "mediapipe, a thread per clip": lambda: peer.run("threads", *videos),
        "mediapipe, a process per core": lambda: peer.run("processes", str(cores), *videos),
    }
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    cpu_s: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds):
        for name in (*list(candidates)[turn % 3 :], *list(candidates)[: turn % 3]):
            before = children_cpu_s()
            told = candidates[name]()
            assert told["frames"] == FRAMES * len(videos), told
            seconds[name].append(told["seconds"])
            cpu_s[name].append(children_cpu_s() - before)
    for name, times in seconds.items():
        ratios = np.array(times) / np.array(seconds["salticid"])
        yield {
            "kind": "speed",
            "candidate": name,
            "clips": len(videos),
            "frames": FRAMES * len(videos),
            "seconds": [round(time_s, 2) for time_s in times],
            "fps": round(FRAMES * len(videos) / float(np.median(times)), 1),
            "times_ours": round(float(np.median(ratios)), 2),
            "cpu_ms_per_frame": round(1000 * float(np.median(cpu_s[name])) / (FRAMES * len(videos)), 1),
        }
    frames = FRAMES * len(stages)
    yield {"kind": "stages", "unit": "ms per frame"} | {
        name: round(sum(clip.get(name, 0.0) for clip in stages) / frames, 3) for name in stages[0]
    }


def children_cpu_s() -> float:
    """Return the CPU time of all child processes that have ended; what else the machine does hardly changes it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(videos: list[str], stages: list[dict[str, float]]) -> dict[str, float]:
    """Follow all clips, processes started and networks loaded anew; add what the stages took."""
    start = time.perf_counter()
    found = estimate_clips(videos, MotionOptions())
    seconds = time.perf_counter() - start
    stages += [dict(outcome.value.latency_ms) for outcome in found]
    return {"seconds": seconds, "frames": sum(len(outcome.value.keypoints) for outcome in found)}


if __name__ == "__main__":
    main()
