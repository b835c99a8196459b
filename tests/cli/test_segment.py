"""`salticid segment`: from files, folders, videos and cameras to pictures of their classes."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import sys
import threading

import cv2
import numpy as np
import pytest
from color_network import COLORS, color_network, patches
from color_videos import FakeCapture, color_of, frame_image, write_color_video

from salticid.core.image import Picture, read_image, write_image
from salticid.core.image_labels import read_labels
from salticid.core.palette import class_palette
from salticid.core.video import VideoReader

NAMES = tuple(COLORS)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "colors.onnx"
    path.write_bytes(color_network())
    return path


@pytest.fixture
def segment(salticid, model):
    """Call `salticid segment` with the network of colors."""
    return lambda *words: salticid("segment", *words, "--model", model, "--threads", "1")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with four images."""
    (tmp_path / "in").mkdir()
    for index in range(4):
        write_image(tmp_path / "in" / f"{color_of(index)}.png", frame_image(index))
    return tmp_path / "in"


def test_an_image_becomes_a_picture_and_says_what_is_in_it(segment, tmp_path):
    write_image(tmp_path / "a.png", patches(NAMES))
    done = segment(tmp_path / "a.png", "-o", tmp_path / "seen.png", "--opacity", "1")
    assert done.code == 0, done.err
    for name in NAMES:
        assert f"{name} 2" in done.out  # about a quarter each
    assert f"wrote {tmp_path / 'seen.png'}" in done.out
    seen = read_image(tmp_path / "seen.png")
    for number in range(4):
        assert (seen[20:40, 64 * number + 20 : 64 * number + 40] == class_palette(4)[number]).all()


@pytest.mark.parametrize("suffix", ["png", "npy"])
def test_an_image_becomes_a_label_image(segment, folder, tmp_path, suffix):
    path = tmp_path / f"labels.{suffix}"
    assert segment(folder / "blue.png", "-o", path, "--as", "labels").code == 0
    labels = np.load(path) if suffix == "npy" else read_labels(path)
    assert (labels == NAMES.index("blue")).all()


@pytest.mark.parametrize("how", ["folder", "pattern", "files"])
def test_many_images_go_through_one_warm_network_into_a_folder(segment, folder, tmp_path, how, monkeypatch):
    from salticid.segment import network_file

    opened = []
    plain = network_file.open_network
    monkeypatch.setattr("salticid.segment.infer.open_network", lambda *a, **k: opened.append(1) or plain(*a, **k))
    inputs = {"folder": [folder], "pattern": [folder / "*.png"], "files": sorted(folder.iterdir())}[how]
    done = segment(*inputs, "-o", tmp_path / "out", "--as", "both")
    assert done.code == 0, done.err
    assert "4 frames of 4 inputs" in done.out
    assert "frames/s" in done.out
    assert "images: 4/4" in done.err
    assert opened == [1]
    for name in NAMES:
        assert (read_labels(tmp_path / "out" / f"{name}.png") == NAMES.index(name)).all()
        assert read_image(tmp_path / "out" / f"{name}_overlay.jpg").shape == (64, 96, 3)


def test_a_broken_image_costs_itself_alone_and_is_named(segment, folder, tmp_path):
    (folder / "green.png").write_bytes((folder / "green.png").read_bytes()[:60])
    (folder / "zero.png").touch()
    (folder / "text.jpg").write_text("no image")
    done = segment(folder, "-o", tmp_path / "out", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert [entry["input"] for entry in report["items"]] == [str(folder / f"{n}.png") for n in ("blue", "gray", "red")]
    assert [entry["input"] for entry in report["failed"]] == [
        str(folder / name) for name in ("green.png", "text.jpg", "zero.png")
    ]
    assert f"failed: {folder / 'green.png'}: " in done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{name}_overlay.jpg" for name in ("blue", "gray", "red")
    ]


def test_json_tells_files_shares_times_and_who_computed(segment, folder, tmp_path):
    done = segment(folder / "red.png", "-o", tmp_path / "a.jpg", "--json")
    report = json.loads(done.out)
    [item] = report["items"]
    assert item["input"] == str(folder / "red.png")
    assert item["files"] == [str(tmp_path / "a.jpg")]
    assert item["share"] == {"red": 1, "green": 0, "blue": 0, "gray": 0}
    assert set(item["latency_ms"]) == {"prepare", "network", "labels"}
    assert (report["engine"], report["device"], report["precision"]) == ("onnxruntime", "cpu", "fp32")
    assert (report["failed"], report["frames"]) == ([], 1)


def test_gray_deep_transparent_and_extreme_images_are_images_too(segment, tmp_path):
    red, clear = np.array(COLORS["red"], np.uint8), np.zeros((40, 50), np.uint8)
    wide = np.broadcast_to(red, (40, 50, 3))
    pictures = {
        "gray": np.full((40, 50), 128, np.uint8),
        "deep": wide.astype(np.uint16) * 257,
        "clear": Picture(wide, alpha=clear),
        "dot": wide[:1, :1],
        "line": np.broadcast_to(red, (1, 4096, 3)),
    }
    (tmp_path / "in").mkdir()
    for name, picture in pictures.items():
        write_image(tmp_path / "in" / f"{name}.png", picture)
    done = segment(tmp_path / "in", "-o", tmp_path / "out", "--as", "both")
    assert done.code == 0, done.err
    for name in pictures:
        labels = read_labels(tmp_path / "out" / f"{name}.png")
        assert labels.shape == read_image(tmp_path / "in" / f"{name}.png").shape[:2]
        assert (labels == NAMES.index("gray" if name == "gray" else "red")).all()


def test_quiet_says_nothing(segment, folder, tmp_path):
    done = segment(folder, "-o", tmp_path / "out", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_classes_are_merged_when_asked(segment, tmp_path):
    write_image(tmp_path / "a.png", patches(NAMES))
    words = ("--merge", "colored=red,green,blue", "--as", "labels", "--json")
    done = segment(tmp_path / "a.png", "-o", tmp_path / "labels.png", *words)
    assert list(json.loads(done.out)["items"][0]["share"]) == ["colored", "gray"]
    labels = read_labels(tmp_path / "labels.png")
    for number in range(4):
        assert (labels[:, 64 * number + 8 : 64 * number + 56] == (number == 3)).all()


def test_an_image_comes_on_standard_input(segment, tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", frame_image(2))
    given = io.TextIOWrapper(io.BytesIO((tmp_path / "a.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", given)
    done = segment("-", "-o", tmp_path / "labels.npy", "--as", "labels")
    assert done.code == 0, done.err
    assert (np.load(tmp_path / "labels.npy") == 2).all()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello")))
    done = segment("-", "-o", tmp_path / "b.png")
    assert (done.code, (tmp_path / "b.png").exists()) == (2, False)
    assert "looks like text" in done.err


def test_a_video_becomes_a_video_and_nothing_is_dropped(segment, tmp_path):
    write_color_video(tmp_path / "a.mkv", 12, times=[index * 0.1 for index in range(12)])
    done = segment(tmp_path / "a.mkv", "-o", tmp_path / "out.mp4", "--opacity", "1")
    assert done.code == 0, done.err
    assert "12 frames, " in done.out
    assert "dropped" not in done.out
    assert "read " in done.out
    with VideoReader(tmp_path / "out.mp4") as video:
        frames = list(video)
    assert [frame.time_s for frame in frames] == pytest.approx([index * 0.1 for index in range(12)], abs=0.001)
    for frame in frames:
        color = class_palette(4)[NAMES.index(color_of(frame.index))]
        assert np.abs(frame.image.mean(axis=(0, 1)) - color).max() < 12


def test_a_video_into_a_folder_gives_a_label_image_per_frame(segment, tmp_path):
    write_color_video(tmp_path / "a.mkv", 5)
    write_image(tmp_path / "b.png", frame_image(0))
    done = segment(tmp_path / "a.mkv", tmp_path / "b.png", "-o", tmp_path / "out", "--as", "both", "--json")
    assert done.code == 0, done.err
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["a", "a_overlay.mp4", "b.png", "b_overlay.jpg"]
    assert [path.name for path in sorted((out / "a").iterdir())] == [f"{index:06d}.png" for index in range(5)]
    assert (read_labels(out / "a" / "000002.png") == 2).all()
    [_, video] = json.loads(done.out)["items"]
    assert (video["frames"], video["dropped"]) == (5, 0)
    assert video["share"]["red"] == pytest.approx(2 / 5)


def test_a_video_is_stopped_after_the_time_that_is_asked_for(segment, tmp_path):
    write_color_video(tmp_path / "a.mkv", 50)
    done = segment(tmp_path / "a.mkv", "-o", tmp_path / "out.mp4", "--seconds", "0.4", "--json")
    [item] = json.loads(done.out)["items"]
    assert item["frames"] == 10
    assert sum(item["share"].values()) == pytest.approx(1)
    with VideoReader(tmp_path / "out.mp4") as video:
        assert len(list(video)) == 10


def test_a_video_that_breaks_off_leaves_no_video_that_looks_whole(segment, tmp_path):
    path = write_color_video(tmp_path / "a.mkv", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    done = segment(path, "-o", tmp_path / "out.mp4")
    assert done.code == 2
    assert "breaks off after" in done.err
    write_image(tmp_path / "b.png", frame_image(0))
    done = segment(path, tmp_path / "b.png", "-o", tmp_path / "out")
    assert done.code == 1
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["b_overlay.jpg"]


def test_ctrl_c_ends_a_recording_and_keeps_it(segment, tmp_path, monkeypatch):
    def interrupt(capture):
        if capture.left == -40:
            os.kill(os.getpid(), signal.SIGINT)

    capture = FakeCapture(0, count=-1, on_read=interrupt)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture)
    before = signal.getsignal(signal.SIGINT)
    done = segment("0", "-o", tmp_path / "out.mp4")
    assert done.code == 0, done.err
    assert "frames" in done.out
    assert capture.released >= 1
    assert signal.getsignal(signal.SIGINT) is before
    with VideoReader(tmp_path / "out.mp4") as video:
        assert len(list(video)) >= 1


def test_ctrl_c_on_a_file_leaves_no_file_and_no_thread(segment, tmp_path, monkeypatch):
    from salticid.segment.result import Segmentation

    write_color_video(tmp_path / "a.mkv", 200)
    overlay, drawn = Segmentation.overlay, []

    def interrupted(self, *given):
        drawn.append(1)
        if len(drawn) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return overlay(self, *given)

    monkeypatch.setattr(Segmentation, "overlay", interrupted)
    done = segment(tmp_path / "a.mkv", "-o", tmp_path / "out.mp4")
    assert done.code == 130
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a.mkv"]
    assert [thread for thread in threading.enumerate() if thread.name.startswith("salticid-")] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.png", "-o", "out.png"], "gone.png"),
        (["99", "-o", "out.mp4"], "camera 99 cannot be opened"),
        (["notes.txt", "-o", "out.mp4"], "it looks like text"),
        (["empty", "-o", "out/"], "holds no images"),
        (["*.bmp", "-o", "out/"], "no file is named like *.bmp"),
        (["a.png"], "--output"),
        (["a.png", "b.png", "-o", "out.png"], "2 inputs do not go into the one file out.png"),
        (["a.png", "-o", "out.png", "--as", "both"], "give a folder"),
        (["a.png", "-o", "out.xyz"], "cannot write a picture as out.xyz"),
        (["a.png", "-o", "out.npy"], "for labels say --as labels"),
        (["a.png", "-o", "out.jpg", "--as", "labels"], "cannot write labels as out.jpg: use .png, .npy"),
        (["a.mkv", "-o", "out.png"], "a video ends in .mp4"),
        (["a.mkv", "-o", "out.png", "--as", "labels"], "labels of many frames"),
        (["a.png", "-o", "a.png", "--overwrite"], "a.png is an input"),
        (["a.png", "other/a.jpg", "-o", "out"], "would both become"),
        (["a.png", "-o", "b.png"], "b.png exists"),
        (["a.png", "-o", "no/folder/out.png"], "make it first"),
        (["a.png", "-o", "/proc/out/"], "cannot write"),
        (["a.png", "-o", "out.png", "--merge", "vehicle"], "say it as vehicle=Car,Truck"),
        (["a.png", "-o", "out.png", "--merge", "x=red,gren"], "no class 'gren': did you mean 'green'"),
        (["a.png", "-o", "out.png", "--merge", "x=red", "--merge", "x=blue"], "was given before"),
        (["a.png", "-o", "out.png", "--tile-px", "5"], "at least 128"),
        (["a.png", "-o", "out.png", "--engine", "tensorrt"], "--engine"),
        (["a.png", "-o", "out.png", "--device", "gpu"], "device must be auto, cpu"),
        (["a.png", "-o", "out.png", "--precision", "bf16"], "onnxruntime computes in the types"),
        (["broken.png", "-o", "out.png"], "broken.png is truncated"),
    ],
)
def test_a_wrong_command_line_is_exit_2_names_the_trouble_and_writes_nothing(
    segment, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, frame_image(0))
    (tmp_path / "other").mkdir()
    write_image(tmp_path / "other" / "a.jpg", frame_image(0))
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:20])
    write_color_video(tmp_path / "a.mkv", 2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    done = segment(*words)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["none.onnx", "text.onnx", "fastseg-moon", "refine"])
def test_a_model_that_is_none_is_exit_2(salticid, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.onnx").write_text("no network")
    write_image(tmp_path / "a.png", frame_image(0))
    done = salticid("segment", "a.png", "-o", "out.png", "--model", name)
    assert done.code == 2
    assert name in done.err
    assert not (tmp_path / "out.png").exists()
    assert salticid("segment", "a.png", "-o", "out/", "--model", name).code == 2
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_with_its_reason(segment, folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("salticid.core.atomic._flush_to_disk", full)
    done = segment(folder, "-o", tmp_path / "out")
    assert done.code == 1
    assert "the disk is full" in done.err
    assert list((tmp_path / "out").iterdir()) == []


def test_an_option_of_the_system_is_a_flag(segment, folder, tmp_path):
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    words = ("--profile", "memory", "--engine", "openvino", "--json")
    done = segment(folder / "red.png", "-o", tmp_path / "a.png", *words)
    assert done.code == 0, done.err
    assert json.loads(done.out)["engine"] == "openvino"


def test_no_time_at_all_and_what_is_no_camera_are_refused(segment, tmp_path):
    video = write_color_video(tmp_path / "a.mkv", 2)
    for words in ((video, "--seconds", "0"), ("1000000000000",)):
        done = segment(*words, "-o", tmp_path / "out", "--as", "labels")
        assert done.code == 2, done.out
        assert not list((tmp_path / "out").glob("*/*.png"))
