"""`salticid eval upscale`: a row per folder, every image in the file, and what cannot be judged."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from salticid.core.image import read_image, write_image
from salticid.core.resample import bicubic_uint8


@pytest.fixture
def data(tmp_path):
    """Return two folders with two images each."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for seed, folder in enumerate(folders):
        folder.mkdir()
        random = np.random.default_rng(seed)
        for name in "ab":
            write_image(folder / f"{name}.png", bicubic_uint8(random.integers(0, 256, (8, 9, 3)), 48, 60))
    return folders


def test_bicubic_is_judged_without_any_network_in_a_row_per_folder(salticid, data, tmp_path):
    report = tmp_path / "report.json"
    done = salticid("eval", "upscale", *data, "--model", "bicubic", "-o", report)
    assert done.code == 0, done.err
    assert all(str(folder) in done.out for folder in data)
    assert "images: 2/2" in done.err
    written = json.loads(report.read_text())
    assert (written["model"], written["step"], written["scale"]) == ("bicubic", "bicubic", 4)
    assert [one["data"] for one in written["sets"]] == [str(folder) for folder in data]
    for one in written["sets"]:
        assert [row["name"] for row in one["images"]] == ["a.png", "b.png"]
        assert one["mean"]["psnr_db"] == pytest.approx(one["mean"]["bicubic_psnr_db"], abs=0.01)
        assert f"{one['mean']['psnr_db']:.2f}" in done.out
    assert json.loads(salticid("eval", "upscale", data[0], "--model", "bicubic", "--json").out)["sets"][0]["data"]


def test_another_scale_gives_other_figures(salticid, data):
    words = ("eval", "upscale", data[0], "--model", "bicubic", "--json")
    twice, four = (json.loads(salticid(*words, "--scale", scale).out)["sets"][0]["mean"] for scale in (2, 4))
    assert twice["psnr_db"] > four["psnr_db"]


def test_small_images_that_are_given_are_enlarged(salticid, data, tmp_path):
    (tmp_path / "small").mkdir()
    for path in data[0].iterdir():
        write_image(tmp_path / "small" / path.name, bicubic_uint8(read_image(path), 12, 15) // 2)
    words = ("eval", "upscale", data[0], "--model", "bicubic", "--json")
    given, made = (
        json.loads(salticid(*words, *more).out)["sets"][0]["mean"] for more in (("--small", tmp_path / "small"), ())
    )
    assert given["psnr_db"] < made["psnr_db"] - 3


@pytest.fixture
def ladder(monkeypatch):
    """Let models be bicubic, and return the steps that are said to have been skipped."""
    skipped = []

    class Upscaler:
        def __init__(self, model, *, profile, **options):
            self.model, self.options = model, options

        def __call__(self, image, *, scale):
            large = bicubic_uint8(image, scale * image.shape[0], scale * image.shape[1])
            return SimpleNamespace(image=large, step=f"{self.options} on cpu", skipped=tuple(skipped))

    monkeypatch.setattr("salticid.upscale.infer.Upscaler", Upscaler)
    return skipped


def test_options_reach_the_network_and_the_report_says_how_it_was_computed(salticid, data, ladder):
    done = salticid("eval", "upscale", data[0], "--model", "nano", "--precision", "fp32", "--json")
    assert json.loads(done.out)["step"] == "{'precision': 'fp32'} on cpu"


def test_loading_the_network_is_not_timed(salticid, data, monkeypatch):
    class Upscaler:
        def __init__(self, model, *, profile):
            self.seconds = 100.0  # of the first call

        def __call__(self, image, *, scale):
            clock.append(clock[-1] + self.seconds)
            self.seconds = 0.25
            large = bicubic_uint8(image, scale * image.shape[0], scale * image.shape[1])
            return SimpleNamespace(image=large, step="fp32 on cpu", skipped=())

    clock = [0.0]
    monkeypatch.setattr("salticid.upscale.infer.Upscaler", Upscaler)
    monkeypatch.setattr("salticid.upscale.evaluate.time", SimpleNamespace(perf_counter=lambda: clock[-1]))
    done = salticid("eval", "upscale", *data, "--json")
    assert [row["ms"] for one in json.loads(done.out)["sets"] for row in one["images"]] == [250] * 4


def test_the_network_that_is_chosen_anew_for_each_image_is_not_judged(salticid, data):
    done = salticid("eval", "upscale", data[0], "--model", "auto")
    assert done.code == 2
    assert "choose nano, fast, quality or bicubic, or give a file" in done.err


def test_figures_of_another_way_than_was_asked_for_are_not_given(salticid, data, ladder, tmp_path):
    ladder.append(SimpleNamespace(step="int8 on cpu", reason="out of memory"))
    done = salticid("eval", "upscale", data[0], "--model", "nano", "-o", tmp_path / "report.json")
    assert done.code == 2
    assert "nano cannot be judged (int8 on cpu: out of memory)" in done.err
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], "there is no folder none"),
        (["ONE", "TWO", "--small", "ONE"], "belongs to one folder, and 2 were given"),
        (["ONE", "--small", "ONE"], "is 60 x 48, and a 4th of"),
        (["ONE", "-o", "ONE/a.png"], "a.png"),
    ],
)
def test_a_wrong_command_line_is_exit_2(salticid, data, words, message):
    one, two = map(str, data)
    words = [word.replace("ONE", one).replace("TWO", two) for word in words]
    done = salticid("eval", "upscale", *words, "--model", "bicubic")
    assert done.code == 2
    assert message in done.err
