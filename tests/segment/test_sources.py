"""Where images come from: files in order, cameras in RGB, and a word for what is none of these."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from color_network import COLORS
from color_videos import FakeCapture, frame_image, write_color_video

from salticid.core.image import write_image
from salticid.core.video import Frame
from salticid.errors import BrokenStreamError, InputError, MissingError
from salticid.segment.sources import open_source


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three images of which one is broken, and other files."""
    for index, name in enumerate(["b.png", "a.jpg"]):
        write_image(tmp_path / name, frame_image(index))
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "sub.png").mkdir()
    return tmp_path


def test_a_folder_or_pattern_gives_its_images_by_name_and_the_broken_one_with_its_reason(folder):
    for given in (folder, str(folder), f"{folder}/?.[jp]*", [folder / name for name in ("a.jpg", "b.png", "c.png")]):
        source = open_source(given)
        shots = list(source)
        assert [shot.name for shot in shots] == [str(folder / name) for name in ("a.jpg", "b.png", "c.png")]
        assert (source.count, source.live, source.independent) == (3, False, True)
        np.testing.assert_array_equal(shots[1].image, frame_image(0))
        assert shots[2].image is None
        assert "c.png" in str(shots[2].error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("gone.mp4", "it does not exist"),
        ("sub.png", "holds no images"),
        ("*.gone", "no file is named like"),
        ("notes.txt", "not a video that salticid reads: it looks like text"),
    ],
)
def test_what_is_not_there_is_an_input_error(folder, given, words):
    with pytest.raises(InputError, match=words):
        open_source(folder / given)


def test_a_video_gives_every_frame_with_its_time(tmp_path):
    path = write_color_video(tmp_path / "a.mkv", 5, times=[0, 0.1, 0.15, 0.5, 2])
    source = open_source(path)
    shots = list(source)
    assert (source.live, source.independent) == (False, False)
    assert [shot.index for shot in shots] == [0, 1, 2, 3, 4]
    assert [shot.time_s for shot in shots] == pytest.approx([0, 0.1, 0.15, 0.5, 2], abs=0.001)
    np.testing.assert_array_equal(shots[2].image, frame_image(2))
    source.close()
    source.close()


def test_frames_of_anybody_are_a_source_live_only_when_it_is_said():
    frames = [Frame(7, 0.5, frame_image(0)), frame_image(1), frame_image(2)[..., 0]]
    source = open_source(frames)
    assert [(shot.index, shot.image is frame) for shot, frame in zip(source, frames, strict=True)][1:] == [
        (1, True),
        (2, True),
    ]
    assert [next(iter(open_source(frames))).index, next(iter(open_source(frames))).time_s] == [7, 0.5]
    assert source.live is False
    assert open_source(iter(frames), live=True).live is True
    with pytest.raises(InputError, match="frame 0 must be an array or a Frame, not int"):
        list(open_source([3]))
    with pytest.raises(InputError, match="not float"):
        open_source(1.5)


def test_a_camera_gives_rgb_and_is_live(monkeypatch):
    captures = []

    def capture(number):
        captures.append(FakeCapture(number, count=2))
        return captures[-1]

    monkeypatch.setattr(cv2, "VideoCapture", capture)
    source = open_source(0)
    assert (source.live, source.fps) == (True, 30)
    assert captures[0].settings == {cv2.CAP_PROP_BUFFERSIZE: 1}
    shots = iter(source)
    shot = next(shots)
    assert shot.image[0, 0].tolist() == list(COLORS["red"])
    assert shot.name == "camera 0"
    next(shots)
    with pytest.raises(BrokenStreamError, match="camera 0 gives no more pictures after 2 frames"):
        next(shots)
    source.close()
    assert captures[0].released == 1


@pytest.mark.parametrize("number", [-1, 10**12])
def test_what_is_no_number_of_a_camera_does_not_reach_the_driver(number):
    with pytest.raises(InputError, match="a camera is a number from 0 on"):
        open_source(number)


def test_an_empty_name_is_not_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match="is empty"):
        open_source("")


@pytest.mark.parametrize("shape", [(6, 8, 3), (6, 8)])
def test_one_image_is_not_taken_for_its_rows(shape):
    with pytest.raises(InputError, match="is one image, not frames"):
        open_source(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(5, 6, 8, 3), (5, 6, 8)])
def test_an_array_of_frames_is_a_source(shape):
    assert len(list(open_source(np.zeros(shape, np.uint8)))) == 5


def test_an_absent_camera_is_a_missing_error_and_prints_nothing(capfd):
    with pytest.raises(MissingError, match="camera 99 cannot be opened: is it plugged in"):
        open_source(99)
    assert capfd.readouterr() == ("", "")
