"""Videos become clips of one person: real ones, broken ones, turned ones, and ones without anybody."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from motion_data import MOTION

from salticid.core.video import VideoReader, VideoWriter
from salticid.engine import models
from salticid.errors import InputError
from salticid.motion.files.read import write_npz
from salticid.motion.keypoints import JOINTS
from salticid.motion.pose import followed as followed_module
from salticid.motion.pose.estimator import PoseEstimator
from salticid.motion.pose.followed import NAMES, Followed
from salticid.runtime.cache import ArrayCache

av = pytest.importorskip("av", reason="the extra 'video' is not installed")
pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")

MODEL = "blazepose-lite"
NEEDED = [models.state(name).status for name in (MODEL, "blazepose-detector")]

pytestmark = [
    pytest.mark.skipif(NEEDED != ["ready"] * 2, reason="BlazePose is not on this machine"),
    pytest.mark.skipif(not MOTION.is_dir(), reason="the videos are not on this machine"),
]


@pytest.fixture(scope="module")
def estimator():
    return PoseEstimator(MODEL)


@pytest.fixture(scope="module")
def images():
    """Twenty frames of a child who walks to the left, (480, 320, 3)."""
    with VideoReader(MOTION / "mgl_input.mp4") as video:
        return [frame.image for frame in itertools.islice(video, 40, 60)]


@pytest.fixture(scope="module")
def walk(images, tmp_path_factory):
    return write(tmp_path_factory.mktemp("walk") / "walk.mp4", images)


def write(path, images, *, times=None, fps=30.0):
    height, width = images[0].shape[:2]
    with VideoWriter(path, fps=fps, width=width, height=height) as out:
        for index, image in enumerate(images):
            out.write(np.ascontiguousarray(image), None if times is None else times[index])
    return path


def test_a_walk_gives_joints_inside_the_body(estimator, walk):
    clip = estimator.estimate(walk)
    assert clip.name == "walk.mp4"
    assert clip.source == f"{MODEL} f17bfbec"
    assert set(JOINTS) < set(clip.keypoints.names) == set(NAMES)
    assert (clip.quality.found_share, clip.quality.people, clip.quality.jumps) == (1, 1, 0)
    assert (clip.info.width, clip.info.height) == clip.keypoints.size_px == (320, 480)
    nose, hip, ankle = (np.median(clip.keypoints.joint(name), axis=0) for name in ("nose", "left_hip", "left_ankle"))
    assert 20 < nose[1] < 130 < hip[1] < 300 < ankle[1] < 470
    assert clip.keypoints.world_m is not None
    assert 0.4 < np.median(clip.keypoints.world_m[:, NAMES.index("left_ankle"), 1]) < 1.1
    assert ((clip.keypoints.scores >= 0) & (clip.keypoints.scores <= 1)).all()


def test_where_the_time_went_is_told_by_stage(estimator, walk):
    latency_ms = estimator.estimate(walk).latency_ms
    assert set(latency_ms) == {"decode", "detect", "crop", "landmarks", "points", "rest"}
    assert all(value > 0 for value in latency_ms.values())


@pytest.mark.parametrize(("orientation", "turn"), [(6, cv2.ROTATE_90_COUNTERCLOCKWISE), (3, cv2.ROTATE_180)])
def test_a_phone_that_was_turned_makes_no_difference(estimator, walk, images, tmp_path, orientation, turn):
    matrix = {6: [0, 1, -1, 0], 3: [-1, 0, 0, -1]}[orientation]
    path = tmp_path / "phone.mp4"
    stored = [cv2.rotate(image, turn) for image in images]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=30, options={"crf": "12"})
        stream.height, stream.width = stored[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        a, b, c, d = (sign << 16 for sign in matrix)
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for step, image in enumerate(stored):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = step, Fraction(1, 30)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    turned, upright = estimator.estimate(path), estimator.estimate(walk)
    assert turned.info.rotation_deg == {6: 90, 3: 180}[orientation]
    assert turned.keypoints.size_px == (320, 480)
    apart = np.linalg.norm(turned.keypoints.positions - upright.keypoints.positions, axis=2)
    assert np.median(apart) < 3


def test_times_of_a_variable_frame_rate_are_kept(estimator, images, tmp_path):
    times = np.cumsum([0, *([1 / 60, 1 / 20] * 5)])
    clip = estimator.estimate(write(tmp_path / "a.mp4", images[:11], times=times))
    np.testing.assert_allclose(clip.keypoints.times_s, times, atol=1e-3)
    assert clip.info.variable_frame_rate is True


def test_slow_motion_is_undone(estimator, walk):
    shown, real = estimator.estimate(walk), estimator.estimate(walk, capture_fps=240)
    np.testing.assert_allclose(real.keypoints.times_s, shown.keypoints.times_s / 8)
    assert real.keypoints.fps == pytest.approx(240)
    assert not any("frames per second" in text for text in real.warnings)


def test_fewer_filmed_frames_than_shown_are_doubted(estimator, walk):
    assert "15 frames per second were given as filmed, but the video shows 30" in str(
        estimator.estimate(walk, capture_fps=15).warnings
    )


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(estimator, walk, fps):
    with pytest.raises(InputError, match="capture_fps must be above 0"):
        estimator.estimate(walk, capture_fps=fps)


def test_a_video_without_a_person_is_a_clip_that_says_so(estimator, tmp_path):
    noise = [np.full((240, 320, 3), shade, np.uint8) for shade in range(100, 108)]
    clip = estimator.estimate(write(tmp_path / "wall.mp4", noise))
    assert len(clip.keypoints) == 8
    assert not clip.keypoints.found.any()
    assert clip.keypoints.scores.max() == 0
    assert clip.quality.people == 0
    assert "no person was found in any frame" in clip.warnings


def test_a_truncated_video_gives_what_could_be_read_and_a_warning(estimator, walk, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(walk.read_bytes()[: walk.stat().st_size * 3 // 5])
    clip = estimator.estimate(path)
    assert 2 < len(clip.keypoints) < 20
    assert "truncated" in clip.warnings[0]


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50, None])
def test_what_is_no_video_is_an_error_with_its_reason(estimator, tmp_path, content):
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4"):
        estimator.estimate(path)


def test_progress_counts_to_the_end(estimator, walk):
    told = []
    estimator.estimate(walk, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 20) for done in range(1, 21)]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_whoever_stops_in_the_middle_leaves_no_thread(estimator, walk, monkeypatch, no_thread_is_left, threads):
    monkeypatch.setenv("SALTICID_THREADS", threads)

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        estimator.estimate(walk, progress=stop)
    assert len(estimator.estimate(walk).keypoints) == 20


def test_a_file_of_keypoints_takes_the_place_of_a_video(estimator, walk, tmp_path):
    keypoints = estimator.estimate(walk).keypoints
    write_npz(tmp_path / "walk.npz", keypoints)
    clip = estimator.estimate(tmp_path / "walk.npz")
    np.testing.assert_array_equal(clip.keypoints.positions, keypoints.positions)
    assert (clip.info, clip.quality.people) == (None, None)
    assert clip.source.endswith("walk.npz")


def test_what_is_cached_is_not_computed_again_whatever_is_asked_of_it(walk, tmp_path, monkeypatch):
    with ArrayCache(tmp_path / "cache", max_bytes=1 << 24) as cache:
        first = PoseEstimator(MODEL, cache=cache).estimate(walk)
        copy = tmp_path / "another name.mp4"
        copy.write_bytes(walk.read_bytes())
        monkeypatch.setattr(followed_module, "VideoReader", None)
        again = PoseEstimator(MODEL, person="left", cache=cache).estimate(copy, capture_fps=60)
    np.testing.assert_array_equal(again.keypoints.positions, first.keypoints.positions)
    np.testing.assert_allclose(again.keypoints.times_s, first.keypoints.times_s / 2)
    assert again.info == first.info


def test_another_network_is_another_entry_of_the_cache(walk, tmp_path):
    with ArrayCache(tmp_path / "cache", max_bytes=1 << 24) as cache:
        if models.state("blazepose-full").status != "ready":
            pytest.skip("blazepose-full is not on this machine")
        assert PoseEstimator(MODEL, cache=cache).key(walk) != PoseEstimator("blazepose-full", cache=cache).key(walk)


def test_a_choice_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="person must be one of main, largest, left, right"):
        PoseEstimator(MODEL, person="tallest")
    with pytest.raises(InputError, match="blazepose-huge"):
        PoseEstimator("blazepose-huge")


@pytest.fixture
def three(walk, estimator):
    """Three people: small and there all the time, large and there for a moment, of middle size and there for long."""
    one = estimator.followed(walk)
    right = np.array([1000, 0])
    points = np.concatenate([one.points / 2, one.points * 2 + right, one.points + 2 * right]).astype(np.float32)
    points[1, 5:] = np.nan
    points[2, 12:] = np.nan
    rest = {"scores": np.repeat(one.scores, 3, axis=0), "world_m": np.repeat(one.world_m, 3, axis=0)}
    return replace(one, points=points, **rest)


@pytest.mark.parametrize(("person", "number"), [("main", 2), ("largest", 2), ("left", 0), ("right", 2)])
def test_size_and_time_in_view_decide_who_is_meant(three, person, number):
    np.testing.assert_array_equal(three.keypoints(person).positions, three.points[number])
    assert three.people == 3


def test_people_in_an_archive_are_the_same_afterwards(three):
    again = Followed.from_arrays(three.to_arrays())
    np.testing.assert_array_equal(again.points, three.points)
    assert (again.info, again.warnings, again.latency_ms) == (three.info, three.warnings, three.latency_ms)


@pytest.mark.slow
def test_two_people_are_both_followed_and_told_apart():
    full = "blazepose-full" if models.state("blazepose-full").status == "ready" else MODEL
    estimator = PoseEstimator(full)
    followed = estimator.followed(MOTION / "p2s_MultiPerson_cam01.mp4")
    assert followed.people == 2
    clips = {}
    for person in ("left", "right", "main", "largest"):
        estimator.person = person
        clips[person] = estimator.clip("multi.mp4", followed)
    left, right = (np.nanmedian(clips[side].keypoints.joint("left_hip")[:, 0]) for side in ("left", "right"))
    assert left < 520 < right
    np.testing.assert_array_equal(clips["main"].keypoints.positions, clips["right"].keypoints.positions)
    assert any("2 people are in view" in text for text in clips["main"].warnings)
    assert max(clip.quality.jumps for clip in clips.values()) == 0
