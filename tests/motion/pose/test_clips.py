"""Several clips at once: an answer for every one, in order, whatever is wrong with some of them."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from motion_data import MOTION

from salticid.core.video import VideoReader, VideoWriter
from salticid.engine import models
from salticid.errors import InputError, MissingError
from salticid.motion.files.read import write_npz
from salticid.motion.options import MotionOptions
from salticid.motion.pose import clips as clips_module
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.clips import estimate_clips
from salticid.motion.pose.estimator import PoseEstimator

pytest.importorskip("av", reason="the extra 'video' is not installed")
pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")

OPTIONS = MotionOptions(model="blazepose-lite")
NEEDED = [models.state(name).status for name in ("blazepose-lite", "blazepose-detector")]

pytestmark = [
    pytest.mark.skipif(NEEDED != ["ready"] * 2, reason="BlazePose is not on this machine"),
    pytest.mark.skipif(not MOTION.is_dir(), reason="the videos are not on this machine"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A long walk, a short one, a wall, a broken file, a file of keypoints."""
    root = tmp_path_factory.mktemp("clips")
    with VideoReader(MOTION / "mgl_input.mp4") as video:
        images = [frame.image for frame in itertools.islice(video, 24)]
    write(root / "long.mp4", images)
    write(root / "short.mp4", images[:8])
    write(root / "wall.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 4)
    (root / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 100)
    write_npz(root / "found.npz", PoseEstimator("blazepose-lite").estimate(root / "short.mp4").keypoints)
    return root


def write(path, images):
    height, width = images[0].shape[:2]
    with VideoWriter(path, fps=30, width=width, height=height) as out:
        for image in images:
            out.write(image)


NAMES = ("short.mp4", "broken.mp4", "found.npz", "absent.mp4", "long.mp4", "wall.mp4")


def test_every_clip_is_answered_in_order_by_processes_and_the_next_time_from_the_cache(folder, tmp_path, monkeypatch):
    paths, told = [folder / name for name in NAMES], []
    first = estimate_clips(paths, OPTIONS, cache_root=tmp_path, progress=lambda *counts: told.append(counts))
    assert [outcome.item for outcome in first] == paths
    assert [outcome.index for outcome in first] == list(range(6))
    assert [outcome.status for outcome in first] == ["ok", "error", "ok", "error", "ok", "ok"]
    assert [outcome.ran for outcome in first if outcome.ok] == ["worker", "parent", "worker", "worker"]
    assert "broken.mp4" in first[1].error
    assert "absent.mp4" in first[3].error
    assert [len(outcome.value.keypoints) for outcome in first if outcome.ok] == [8, 8, 24, 4]
    assert first[5].value.quality.found_share == 0
    assert {(0, 8, 8), (4, 24, 24), (5, 4, 4)} <= set(told)

    monkeypatch.setattr(clips_module.pool, "map", only_broken_ones)
    again = estimate_clips(paths, OPTIONS, cache_root=tmp_path)
    for before, after in zip(first, again, strict=True):
        assert before.status == after.status
        if before.ok:
            np.testing.assert_array_equal(before.value.keypoints.positions, after.value.keypoints.positions)


def only_broken_ones(function, jobs, **_):
    from salticid.runtime.outcome import Outcome

    assert [Path(job.path).name for job in jobs] == ["broken.mp4"]
    return iter([Outcome(0, jobs[0], "error", None, "InputError: broken.mp4", 1, 0.0, None, "worker")])


def test_without_a_cache_clips_come_all_the_same_and_nothing_is_left(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    (outcome,) = estimate_clips([folder / "short.mp4"], OPTIONS, workers=0)
    assert isinstance(outcome.value, Clip)
    assert list(tmp_path.iterdir()) == []
    estimate_clips([folder / "wall.mp4"], OPTIONS, workers=0)
    assert clips_module._warm.cache_info().currsize == 1  # networks do not pile up in this process


def test_the_largest_file_is_begun_first(folder, monkeypatch):
    begun = []
    monkeypatch.setattr(clips_module, "_find_people", lambda job, **_: begun.append(Path(job.path).name))
    monkeypatch.setattr(clips_module.pool, "map", lambda function, jobs, **_: map_here(function, jobs))
    outcomes = estimate_clips([folder / name for name in ("wall.mp4", "short.mp4", "long.mp4")], OPTIONS)
    assert begun == ["long.mp4", "short.mp4", "wall.mp4"]
    assert ["no longer in the cache" in outcome.error for outcome in outcomes] == [True] * 3


def map_here(function, jobs):
    from salticid.runtime.outcome import Outcome

    for index, job in enumerate(jobs):
        yield Outcome(index, job, "ok", function(job), None, 1, 0.0, None, "worker")


@pytest.mark.parametrize(
    ("clips", "workers", "cpus", "threads"),
    [
        (5, 2, 2, [1, 1, 1, 1, 2]),  # the last clip would leave a core idle
        (4, 2, 2, [1, 1, 1, 1]),
        (1, 1, 2, [2]),
        (2, 2, 8, [4, 4]),
        (3, 0, 2, [2, 2, 2]),
        (17, 16, 16, [1] * 16 + [4]),
    ],
)
def test_clips_of_a_last_round_share_all_cpus(monkeypatch, clips, workers, cpus, threads):
    monkeypatch.setattr(clips_module.hardware, "cpu_count", lambda: cpus)
    jobs = [clips_module._Job(str(number), "") for number in range(clips)]
    assert [job.threads for job in clips_module._shared_out(jobs, workers)] == threads
    assert [job.path for job in clips_module._shared_out(jobs, workers)] == [job.path for job in jobs]


def test_real_seconds_and_the_person_are_those_asked_for(folder):
    (outcome,) = estimate_clips([folder / "found.npz"], OPTIONS, capture_fps=60)
    assert outcome.value.keypoints.fps == pytest.approx(60)
    with pytest.raises(InputError, match="capture_fps"):
        estimate_clips([folder / "found.npz"], OPTIONS, capture_fps=-1)


def test_no_clips_are_no_outcomes():
    assert estimate_clips([], OPTIONS) == []


def test_an_absent_model_is_said_before_anything_starts(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SALTICID_MODELS", str(tmp_path))
    with pytest.raises(MissingError, match="salticid models get blazepose"):
        estimate_clips([folder / "short.mp4"], OPTIONS)


def test_a_clip_that_goes_away_meanwhile_costs_no_other_clip(folder, tmp_path, monkeypatch):
    gone = tmp_path / "gone.mp4"
    gone.write_bytes((folder / "wall.mp4").read_bytes())

    monkeypatch.setattr(clips_module, "_find_people", lambda job, **_: job.path == str(gone) and gone.unlink())
    monkeypatch.setattr(clips_module.pool, "map", lambda function, jobs, **_: map_here(function, jobs))
    first, second = estimate_clips([gone, folder / "found.npz"], OPTIONS)
    assert "gone.mp4" in first.error
    assert first.status == "error"
    assert second.ok


def test_what_cannot_be_told_for_want_of_space_stops_no_work(tmp_path):
    clips_module._Teller(str(tmp_path / "no folder" / "0"))(5, 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_the_work_finds_no_process_and_no_folder_of_it(tmp_path, ending):
    videos = [str(MOTION / f"{name}.mp4") for name in ("mgl_input", "p2s_SinglePerson_cam01", "p2s_SinglePerson_cam02")]
    (tmp_path / "tmp").mkdir()
    places = {"TMPDIR": str(tmp_path / "tmp"), "SALTICID_CACHE": str(tmp_path / "cache")}
    words = ["motion", "baseline", *videos, "--model", OPTIONS.model, "-o", str(tmp_path / "out")]
    command = [sys.executable, "-m", "salticid", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | places)
    assert " frames" in process.stderr.readline()
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.send_signal(ending)
    process.communicate(timeout=10)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[ending]
    assert not psutil.wait_procs(workers, timeout=5)[1]
    assert [*(tmp_path / "tmp").iterdir(), *(tmp_path / "out").iterdir()] == []
