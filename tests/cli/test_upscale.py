"""`salticid upscale`: from images, folders, patterns and videos to larger ones."""

from __future__ import annotations

import json
import os
import signal
import threading

import cv2
import numpy as np
import pytest

from salticid.core.image import Picture, open_picture, read_image, write_image
from salticid.core.resample import bicubic_uint8
from salticid.core.video import VideoReader
from salticid.errors import MissingError, ResourceError


def image(seed=0, size=(24, 36)):
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three images of different kinds."""
    (tmp_path / "in").mkdir()
    for name, picture in (("a.png", image(0)), ("b.jpg", image(1)), ("c.bmp", image(2))):
        write_image(tmp_path / "in" / name, picture)
    return tmp_path / "in"


@pytest.fixture
def upscale(salticid):
    """Call `salticid upscale` by bicubic, unless another model is given."""
    return lambda *words: salticid("upscale", *words, *(() if "--model" in words else ("--model", "bicubic")))


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Return the files of a network: in floating point, and in 8 bits."""
    pytest.importorskip("torch", reason="torch is not installed")
    from enlarging_net import write_networks

    return write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture
def video(tmp_path):
    """Return a video of 20 frames with sound."""
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    from sound_videos import write_sound_video

    return write_sound_video(tmp_path / "v.mp4")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_image_becomes_four_times_as_large_and_says_how(upscale, folder, tmp_path):
    done = upscale(folder / "a.png", "-o", tmp_path / "large.png")
    assert done.code == 0, done.err
    assert f"{folder / 'a.png'}: bicubic, 36 x 24 -> 144 x 96, " in done.out
    assert done.out.endswith(f" ms, wrote {tmp_path / 'large.png'}\n")
    np.testing.assert_array_equal(read_image(tmp_path / "large.png"), bicubic_uint8(image(0), 96, 144))


@pytest.mark.parametrize("form", [0, 1])
def test_a_file_of_a_network_enlarges(upscale, folder, tmp_path, networks, form):
    from salticid.upscale.infer import Upscaler

    precision = ("fp32", "int8")[form]
    words = ("--model", networks[form], "--precision", precision, "--threads", "1", "--json")
    done = upscale(folder / "a.png", "-o", tmp_path / "large.png", *words)
    assert done.code == 0, done.err
    [item] = json.loads(done.out)["items"]
    assert (item["model"], item["step"]) == (str(networks[form]), f"{precision} on cpu")
    assert (item["size"], item["target"], item["scale"], item["skipped"]) == ([24, 36], [96, 144], [4, 4], [])
    found = read_image(tmp_path / "large.png")
    np.testing.assert_array_equal(found, Upscaler(str(networks[form]), precision=precision)(image(0)).image)
    assert (found != bicubic_uint8(image(0), 96, 144)).mean() > 0.1


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (("--scale", "2"), (48, 72)),
        (("--scale", "1.5"), (36, 54)),
        (("--width", "100"), (67, 100)),
        (("--height", "48"), (48, 72)),
        (("--width", "60", "--height", "50"), (50, 60)),
    ],
)
def test_a_scale_or_sides_say_how_large(upscale, folder, tmp_path, words, size):
    assert upscale(folder / "a.png", "-o", tmp_path / "large.png", *words).code == 0
    assert read_image(tmp_path / "large.png").shape == (*size, 3)


@pytest.mark.parametrize("how", ["folder", "pattern", "files"])
def test_many_images_go_into_a_folder_in_one_line_each(upscale, folder, tmp_path, how):
    inputs = {"folder": [folder], "pattern": [folder / "?.*"], "files": sorted(folder.iterdir())}[how]
    done = upscale(*inputs, "-o", tmp_path / "out", "--scale", "2")
    assert done.code == 0, done.err
    assert names(tmp_path / "out") == ["a.png", "b.png", "c.png"]
    for number, name in enumerate(("a.png", "b.jpg", "c.bmp"), 1):
        assert f"[{number}/3] {folder / name}: bicubic, 36 x 24 -> 72 x 48, " in done.out
    assert "3 of 3 inputs in " in done.out


@pytest.mark.parametrize("name", ["results.v2/", "large.png/"])
def test_a_name_that_ends_in_a_slash_is_a_folder_though_it_is_not_there_yet(upscale, folder, tmp_path, name):
    done = upscale(folder / "a.png", folder / "b.jpg", "-o", f"{tmp_path}/{name}")
    assert done.code == 0, done.err
    assert names(tmp_path / name) == ["a.png", "b.png"]
    assert upscale(folder / "c.bmp", "-o", tmp_path / name).code == 0  # it is there now
    assert names(tmp_path / name) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("kind", ["jpg", "webp", "tif"])
def test_the_format_of_a_folder_is_chosen(upscale, folder, tmp_path, kind):
    assert upscale(folder, "-o", tmp_path / "out", "--format", kind).code == 0
    assert names(tmp_path / "out") == [f"a.{kind}", f"b.{kind}", f"c.{kind}"]
    found = read_image(tmp_path / "out" / f"a.{kind}")
    assert np.abs(found.astype(int) - bicubic_uint8(image(0), 96, 144)).mean() < (4 if kind == "jpg" else 0.01)


def test_exif_that_a_format_does_not_hold_is_left_out_with_a_warning(upscale, tmp_path):
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\x04Eye\0\0\0\0\0"
    write_image(tmp_path / "a.jpg", Picture(image(0), exif=exif, icc=b"profile"))
    write_image(tmp_path / "b.jpg", image(1))
    words = ("a.jpg", "b.jpg")
    done = upscale(*(tmp_path / name for name in words), "-o", tmp_path / "out", "--format", "tif", "--json")
    assert done.code == 0, done.err
    assert done.err == f"warning: {tmp_path / 'a.jpg'}: EXIF cannot be kept in .tif: left out\n"
    assert [item["warnings"] for item in json.loads(done.out)["items"]] == [
        ["EXIF cannot be kept in .tif: left out"],
        [],
    ]
    found = open_picture(tmp_path / "out" / "a.tif")
    assert (found.pixels.shape, found.icc, found.exif) == ((96, 144, 3), b"profile", None)
    done = upscale(tmp_path / "a.jpg", "-o", tmp_path / "a.webp")
    assert (done.code, done.err, open_picture(tmp_path / "a.webp").exif) == (0, "", exif)


def test_a_higher_level_makes_a_smaller_png(upscale, folder, tmp_path):
    for level in (0, 9):
        assert upscale(folder / "a.png", "-o", tmp_path / f"{level}.png", "--png-level", level).code == 0
    assert (tmp_path / "9.png").stat().st_size < (tmp_path / "0.png").stat().st_size / 2
    np.testing.assert_array_equal(read_image(tmp_path / "0.png"), read_image(tmp_path / "9.png"))


def test_gray_deep_and_transparent_images_stay_so(upscale, tmp_path):
    gray = image()[..., 0]
    pictures = {"gray": Picture(gray), "deep": Picture(gray.astype(np.uint16) * 257), "clear": Picture(image(), gray)}
    (tmp_path / "in").mkdir()
    for name, picture in pictures.items():
        write_image(tmp_path / "in" / f"{name}.png", picture)
    done = upscale(tmp_path / "in", "-o", tmp_path / "out", "--scale", "2")
    assert done.code == 0, done.err
    for name, picture in pictures.items():
        found = open_picture(tmp_path / "out" / f"{name}.png")
        assert (found.pixels.dtype, found.pixels.ndim) == (picture.pixels.dtype, picture.pixels.ndim)
        assert (found.alpha is None) == (picture.alpha is None)
        assert found.pixels.shape[:2] == (48, 72)


def test_a_mask_says_where_the_network_is_seen(upscale, tmp_path, networks):
    write_image(tmp_path / "a.png", image())
    mask = np.zeros((24, 36), np.uint8)
    mask[:, 18:] = 255
    write_image(tmp_path / "mask.png", mask)
    words = ("--model", networks[1], "--threads", "1")
    done = upscale(tmp_path / "a.png", "-o", tmp_path / "part.png", "--mask", tmp_path / "mask.png", *words)
    assert done.code == 0, done.err
    assert upscale(tmp_path / "a.png", "-o", tmp_path / "all.png", *words).code == 0
    part, full = read_image(tmp_path / "part.png"), read_image(tmp_path / "all.png")
    np.testing.assert_array_equal(part[:, 72:], full[:, 72:])
    np.testing.assert_array_equal(part[:, :72], bicubic_uint8(image(), 96, 144)[:, :72])
    assert (part[:, :72] != full[:, :72]).any()


def test_a_mask_is_of_the_size_of_the_one_image(upscale, folder, tmp_path):
    write_image(tmp_path / "mask.png", np.zeros((9, 7), np.uint8))
    done = upscale(folder / "a.png", "-o", tmp_path / "b.png", "--mask", tmp_path / "mask.png")
    assert done.code == 2
    assert "mask.png is 7 x 9 and the image 36 x 24" in done.err
    done = upscale(folder, "-o", tmp_path / "out", "--mask", tmp_path / "mask.png")
    assert done.code == 2
    assert "belongs to one image" in done.err
    assert not (tmp_path / "out").exists()


def test_a_broken_image_costs_itself_alone_and_is_named(upscale, folder, tmp_path):
    (folder / "b.jpg").write_bytes((folder / "b.jpg").read_bytes()[:200])
    (folder / "d.png").write_text("no image")
    (folder / "e.png").touch()
    done = upscale(folder, "-o", tmp_path / "out", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert [item["file"] for item in report["items"]] == [str(tmp_path / "out" / name) for name in ("a.png", "c.png")]
    assert [entry["input"] for entry in report["failed"]] == [str(folder / n) for n in ("b.jpg", "d.png", "e.png")]
    assert f"failed: {folder / 'd.png'}: " in done.err
    assert names(tmp_path / "out") == ["a.png", "c.png"]


def test_what_exists_is_kept_when_resuming_and_replaced_when_overwriting(upscale, folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").write_text("mine")
    done = upscale(folder, "-o", out)
    assert done.code == 2
    assert "b.png exists" in done.err
    assert names(out) == ["b.png"]
    done = upscale(folder, "-o", out, "--resume")
    assert done.code == 0, done.err
    assert f"[2/3] {folder / 'b.jpg'}: kept {out / 'b.png'}, which is there already" in done.out
    assert "2 of 3 inputs" in done.out
    assert "1 kept" in done.out
    assert (out / "b.png").read_text() == "mine"
    report = json.loads(upscale(folder, "-o", out, "--resume", "--json").out)
    assert (report["items"], report["kept"]) == ([], [str(out / name) for name in ("a.png", "b.png", "c.png")])
    assert upscale(folder, "-o", out, "--overwrite").code == 0
    assert read_image(out / "b.png").shape == (96, 144, 3)


def test_a_plan_says_what_it_would_take_and_does_nothing(upscale, folder, tmp_path, video, networks):
    before = names(tmp_path)
    done = upscale(folder, video, "--plan", "--model", networks[1], "--tile-px", "16", "--threads", "1")
    assert done.code == 0, done.err
    step = f"{networks[1].name} (int8 on cpu), 6 tiles of up to 16 px, "
    assert f"{folder / 'a.png'}: 36 x 24 -> 144 x 96 by {step}" in done.out
    assert f"{video}: 20 frames of 96 x 64 -> 384 x 256 by " in done.out
    assert "MB, about " in done.out
    assert names(tmp_path) == before
    report = json.loads(upscale(folder, "--plan", "--model", networks[1], "--json").out)
    assert all(item["seconds"] > 0 and item["peak_bytes"] > 1000 for item in report["items"])


def test_a_plan_counts_all_that_an_image_is_and_what_it_becomes(upscale, folder, tmp_path):
    pixels, alpha = image(3).astype(np.uint16) * 257, image(4)[..., 0].astype(np.uint16) * 257
    write_image(tmp_path / "deep.png", Picture(pixels, alpha=alpha))
    words = ("--model", "nano", "--json", "--plan")
    peaks, plain, deep = {}, folder / "a.png", tmp_path / "deep.png"
    for source, target in ((plain, "l.png"), (deep, "l.png"), (deep, "l.tif")):
        [item] = json.loads(upscale(source, "-o", tmp_path / target, *words).out)["items"]
        peaks[source.name, target] = item["peak_bytes"]
        assert item["step"] == ("fp32 on cpu" if source.name == "deep.png" else "int8 on cpu")
    assert peaks["a.png", "l.png"] < peaks["deep.png", "l.png"] <= peaks["deep.png", "l.tif"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("-o", "large.gif"), "cannot write a picture as large.gif"),
        (("--mask", "nowhere.png"), "nowhere.png"),
        (("-o", "large.webp", "--width", "20000", "--height", "90"), "1 to 8 times as large"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_as_of_the_work(upscale, folder, words, reason):
    done = upscale(folder / "a.png", "--plan", *words)
    assert done.code == 2
    assert reason in done.err


def test_long_work_is_announced(upscale, folder, tmp_path, networks, monkeypatch):
    for limit in ("LONG_S", "LARGE_PX"):
        monkeypatch.setattr(f"salticid.cli.upscale_work.{limit}", 0)
    done = upscale(folder / "a.png", "-o", tmp_path / "b.png", "--model", networks[1])
    assert done.out.startswith(f"{folder / 'a.png'}: 36 x 24 -> 144 x 96 by ")


def test_a_lower_step_of_the_ladder_is_a_warning_that_is_said_once(upscale, folder, tmp_path, networks, monkeypatch):
    def missing(*_, **__):
        raise MissingError("no such engine here")

    monkeypatch.setattr("salticid.upscale.ways.open_engine", missing)
    done = upscale(folder, "-o", tmp_path / "out", "--model", networks[1])
    assert done.code == 0
    warnings = [line for line in done.err.splitlines() if "warning" in line.lower()]
    assert len(warnings) == 1
    assert "made by bicubic, because better was not possible (int8 on cpu: no such engine here)" in warnings[0]
    assert done.out.count(": bicubic, ") == 3
    quiet = upscale(folder / "a.png", "-o", tmp_path / "out", "--model", networks[1], "--overwrite", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_a_step_down_in_the_middle_of_a_video_is_said_of_the_frames_below_it_alone(
    upscale, video, tmp_path, networks, monkeypatch
):
    from enlarging_shortage import run_out_of_memory

    run_out_of_memory(monkeypatch, 5)
    done = upscale(video, "-o", tmp_path / "large.mp4", "--model", networks[1], "--codec", "h264")
    assert done.code == 0, done.err
    [warning] = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    why = "made by bicubic, because better was not possible (int8 on cpu: no memory)"
    assert warning == f"warning: {video}: 15 of 20 frames {why}; this is said once"
    assert "(5 frames by int8 on cpu, 15 frames by bicubic)" in done.out


def test_a_device_that_is_named_is_not_replaced(upscale, folder, tmp_path, networks, monkeypatch):
    def missing(*_, **__):
        raise MissingError("no GPU here")

    monkeypatch.setattr("salticid.upscale.ways.open_engine", missing)
    done = upscale(folder / "a.png", "-o", tmp_path / "b.png", "--model", networks[0], "--device", "cuda")
    assert done.code == 2
    assert "no GPU here" in done.err
    assert not (tmp_path / "b.png").exists()


def test_an_image_that_memory_does_not_hold_is_noted_and_the_next_one_comes(upscale, folder, tmp_path, monkeypatch):
    from salticid.upscale.infer import Upscaler

    plain = Upscaler.write

    def short(upscaler, path, *given, **how):
        if path.name == "b.png":
            raise ResourceError("no way is left")
        return plain(upscaler, path, *given, **how)

    monkeypatch.setattr(Upscaler, "write", short)
    done = upscale(folder, "-o", tmp_path / "out")
    assert done.code == 1
    assert names(tmp_path / "out") == ["a.png", "c.png"]


def test_a_video_becomes_a_larger_one_with_its_sound(upscale, video, tmp_path):
    from sound_videos import sound_packets

    done = upscale(video, "-o", tmp_path / "large.mp4", "--scale", "2")
    assert done.code == 0, done.err
    assert f"{video}: bicubic, 96 x 64 -> 192 x 128, 20 frames, " in done.out
    assert "1 sound track copied" in done.out
    assert "frames: 20/20" in done.err
    assert sound_packets(tmp_path / "large.mp4")[0] == sound_packets(video)[0]
    with VideoReader(tmp_path / "large.mp4") as large:
        assert [frame.image.shape for frame in large] == [(128, 192, 3)] * 20


@pytest.mark.parametrize(
    ("words", "name"), [((), "v.mp4"), (("--codec", "vp9"), "v.webm"), (("--codec", "ffv1"), "v.mkv")]
)
def test_a_video_in_a_folder_gets_the_suffix_of_its_codec(upscale, video, folder, tmp_path, words, name):
    done = upscale(tmp_path / "v.*", folder / "a.png", "-o", tmp_path / "out", "--scale", "1.5", "--json", *words)
    assert done.code == 0, done.err
    assert names(tmp_path / "out") == ["a.png", name]
    [moving, _] = json.loads(done.out)["items"]
    assert (moving["frames"], moving["target"]) == (20, [96, 144])
    assert 0 <= moving["unchanged"] <= 1


def test_what_is_missing_in_a_video_is_a_warning(upscale, video, tmp_path):
    done = upscale(video, "-o", tmp_path / "large.webm", "--scale", "1.5")
    assert done.code == 0
    assert f"warning: the sound of {video}: .webm does not take its aac" in done.err


def test_a_prompt_is_an_error_that_says_what_it_is_for(upscale, folder, tmp_path):
    done = upscale(folder / "a.png", "-o", tmp_path / "b.png", "--prompt", "a cat")
    assert done.code == 2
    assert "prompts are not supported by the networks of this package" in done.err
    assert "salticid models get seesr" in done.err
    assert not (tmp_path / "b.png").exists()


def test_ctrl_c_leaves_nothing_half_written(upscale, video, folder, tmp_path, monkeypatch):
    from salticid.core.png_stream import PngWriter
    from salticid.upscale.frames import FrameUpscaler

    def interrupted(plain, after):
        calls = []

        def call(*given):
            calls.append(1)
            if len(calls) == after:
                os.kill(os.getpid(), signal.SIGINT)
            return plain(*given)

        return call

    monkeypatch.setattr(FrameUpscaler, "next", interrupted(FrameUpscaler.next, 5))
    assert upscale(video, "-o", tmp_path / "large.mp4").code == 130
    monkeypatch.setattr(PngWriter, "write", interrupted(PngWriter.write, 1))
    assert upscale(folder, "-o", tmp_path / "out").code == 130
    assert names(tmp_path / "out") == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["v.mp4"]
    assert [thread for thread in threading.enumerate() if thread.name.startswith("salticid-")] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.png", "-o", "out.png"], "gone.png"),
        (["notes.txt", "-o", "out.mp4"], "it looks like text"),
        (["empty", "-o", "out/"], "holds no images"),
        (["*.gone", "-o", "out/"], "no file is named like *.gone"),
        (["a.png"], "say where to write"),
        (["a.png", "b.png", "-o", "out.png"], "2 inputs do not go into the one file out.png"),
        (["a.png", "-o", "out.xyz"], "cannot write a picture as out.xyz"),
        (["a.png", "-o", "out.gif"], "cannot write a picture as out.gif"),
        (["a.png", "-o", "a.png"], "a.png is an input"),
        (["a.png", "in/a.png", "-o", "out/"], "would both become out/a.png"),
        (["a.png", "-o", "lost/out.png"], "cannot write lost/out.png"),
        (["a.png", "-o", "b.png"], "b.png exists"),
        (["a.png", "-o", "out.png", "--scale", "9"], "--scale"),
        (["a.png", "-o", "out.png", "--scale", "2", "--width", "50"], "not both"),
        (["a.png", "-o", "out.png", "--width", "10"], "1 to 8 times as large"),
        (["a.png", "-o", "out.png", "--model", "fsat"], "there is no model 'fsat'"),
        (["a.png", "-o", "out.png", "--strength", "2"], "strength"),
        (["a.png", "-o", "out/", "--resume", "--overwrite"], "choose one"),
    ],
)
def test_wrong_input_is_exit_2_and_writes_nothing(upscale, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png", "in/a.png"):
        write_image(name, image())
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no image")
    before = sorted(tmp_path.rglob("*"))
    done = upscale(*words)
    assert done.code == 2, done.out
    assert message in done.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("flag", ["--max-memory", "--max-memory-mb"])
def test_a_limit_of_memory_is_kept_with_and_without_its_unit_in_the_flag(upscale, folder, tmp_path, flag):
    done = upscale(folder / "a.png", "-o", tmp_path / "b.png", flag, 64)
    assert done.code == 1
    assert "allow more memory" in done.err
    assert not (tmp_path / "b.png").exists()
