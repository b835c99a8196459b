"""What runs in mediapipe's own environment: its Pose, driven as its documentation shows. Imports nothing of salticid.

python motion_mediapipe.py landmarks VIDEO OUT.npz SMOOTH      on frames that PyAV decodes, as salticid gets them
python motion_mediapipe.py threads VIDEO...                    a thread per clip; prints the seconds it took
python motion_mediapipe.py processes COUNT VIDEO...            clips handed to processes; prints the seconds it took
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from mediapipe.python.solutions.pose import Pose


def landmarks(video, out, smooth):
    """Write the landmarks in pixels and in meters, nan where there is nobody."""
    import av

    pose = Pose(model_complexity=1, smooth_landmarks=smooth == "1")
    convert = av.video.reformatter.VideoReformatter()
    points, world = [], []
    with av.open(video) as container:
        for frame in container.decode(video=0):
            rgb = convert.reformat(frame, format="rgb24").to_ndarray()
            found = pose.process(rgb)
            height, width = rgb.shape[:2]
            points.append(table(found.pose_landmarks) * (width, height, width))
            world.append(table(found.pose_world_landmarks))
    np.savez(out, points=np.array(points)[..., :2], world_m=np.array(world))


def table(found):
    """Return landmarks as (33, 3)."""
    if found is None:
        return np.full((33, 3), np.nan)
    return np.array([[point.x, point.y, point.z] for point in found.landmark])


def follow(video):
    """Find the landmarks of every frame; return how many frames there were, and the seconds for decoding them."""
    pose, capture = Pose(model_complexity=1), cv2.VideoCapture(video)
    frames, decode_s = 0, 0.0
    while True:
        start = time.perf_counter()
        taken, picture = capture.read()
        decode_s += time.perf_counter() - start
        if not taken:
            return frames, decode_s
        pose.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        frames += 1


def threads(*videos):
    """Follow every clip in a thread of its own."""
    with ThreadPoolExecutor(len(videos)) as pool:
        told(lambda: list(pool.map(follow, videos)))


def processes(count, *videos):
    """Follow the clips in `count` processes, the longest first; they have everything imported when they start."""
    ordered = sorted(videos, key=os.path.getsize, reverse=True)

    def run():
        with multiprocessing.get_context("fork").Pool(int(count)) as pool:
            return pool.map(follow, ordered, chunksize=1)

    told(run)


def told(run):
    """Print what a run took."""
    start = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "frames": sum(frames for frames, _ in found)}))


if __name__ == "__main__":
    {"landmarks": landmarks, "threads": threads, "processes": processes}[sys.argv[1]](*sys.argv[2:])
