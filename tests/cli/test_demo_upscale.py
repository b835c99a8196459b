"""What the demo shows of enlarging: drawn or real pictures, the figures of `eval upscale`, what was not possible."""

from __future__ import annotations

import base64
import html
import json
import re

import numpy as np
import pytest

from salticid.cli import demo_upscale
from salticid.cli.demo_picture import drawn_picture
from salticid.cli.output import Output
from salticid.cli.page import Page
from salticid.core.image import read_image, write_image
from salticid.core.resample import bicubic_uint8
from salticid.errors import InputError, MissingError
from salticid.upscale import ways


@pytest.fixture
def show(tmp_path):
    """Return a function that makes this part of the demo, and gives its figures, its text and its pictures."""

    def show(data=None):
        page = Page("demo")
        found = demo_upscale.show_detail(page, demo_upscale.find_pictures(data), tmp_path, Output(quiet=True))
        text = html.unescape(page.html())
        return found, text, [read_image(base64.b64decode(png)) for png in re.findall(r'base64,([^"]+)"', text)]

    return show


@pytest.fixture
def data(tmp_path):
    """Return a folder with a smooth picture and a noisy one, both smaller than what is shown of a large one."""
    folder = tmp_path / "data" / demo_upscale.FOLDER
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    write_image(folder / "noisy.png", random.integers(0, 256, (60, 84, 3), np.uint8))
    write_image(folder / "smooth.png", bicubic_uint8(random.integers(0, 256, (6, 8, 3)), 60, 84))
    return tmp_path / "data"


def test_the_drawn_picture_is_always_the_same_and_full_of_detail():
    picture = drawn_picture()
    assert (picture.shape, picture.dtype) == ((512, 512, 3), np.uint8)
    assert np.array_equal(picture, drawn_picture())
    for quarter in (picture[:256, :256], picture[:256, 256:], picture[256:, :256], picture[256:, 256:]):
        assert np.abs(np.diff(quarter.astype(int), axis=1)).mean() > 4


def test_without_data_a_picture_is_drawn_and_the_page_says_so(show, tmp_path):
    found, text, pictures = show()
    assert np.array_equal(read_image(tmp_path / "drawn.png"), drawn_picture())
    assert "this program has drawn (drawn.png: no photograph" in text
    assert list(found) == ["bicubic", "nano", "fast"]
    assert found["bicubic"]["psnr_db"] + 1.5 < found["nano"]["psnr_db"] < found["fast"]["psnr_db"]
    assert "int8 on cpu" in found["fast"]["step"]
    assert len(pictures) == 8
    assert all(picture.shape == (640, 640, 3) and picture.std() > 5 for picture in pictures)


def test_every_figure_is_that_of_eval_upscale(show, salticid, tmp_path):
    found, text, _ = show()
    for model in found:
        judged = salticid("eval", "upscale", tmp_path / "drawn.png", "--model", model, "--json")
        mean = json.loads(judged.out)["sets"][0]["mean"]
        assert found[model]["psnr_db"] == pytest.approx(mean["psnr_db"])
        assert found[model]["ssim"] == pytest.approx(mean["ssim"])
        assert f"<td>{mean['psnr_db']:.2f}</td><td>{mean['ssim']:.4f}</td>" in text


def test_real_pictures_are_taken_where_there_are_some_and_the_hardest_is_shown(show, data, tmp_path):
    found, text, pictures = show(data)
    assert not (tmp_path / "drawn.png").exists()
    assert "The 2 pictures in upscale/Set5" in text
    assert "Of noisy.png" in text
    assert len(pictures) == 4  # nothing is left for a second part
    shown, noisy = pictures[-1][::4, ::4], read_image(data / demo_upscale.FOLDER / "noisy.png")
    assert any(np.array_equal(shown, noisy[:, left : left + 60]) for left in range(25))
    assert np.isfinite(found["fast"]["psnr_db"])


def test_a_folder_of_data_without_pictures_is_said_before_the_work(salticid, tmp_path):
    (tmp_path / "data" / demo_upscale.FOLDER).mkdir(parents=True)
    done = salticid("demo", "-o", tmp_path / "out", "--data", tmp_path / "data")
    assert done.code == 2
    assert "holds no image" in done.err
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="holds no image"):
        demo_upscale.find_pictures(tmp_path / "data")


def test_where_no_network_can_be_computed_the_page_says_why_and_calls_bicubic_by_its_name(show, monkeypatch):
    def refuse(*_, **__):
        raise MissingError("no engine here: install one")

    monkeypatch.setattr(ways, "open_engine", refuse)
    found, text, _ = show()
    assert found["fast"]["step"] == "bicubic"
    assert "int8 on cpu was not possible: no engine here: install one" in text
    assert "<figcaption>fast" not in text


def test_parts_are_the_worst_and_do_not_overlap():
    truth = np.zeros((400, 500, 3), np.uint8)
    image = truth.copy()
    image[210:230, 300:320] = 255
    image[30:40, 40:60] = 255
    worst, other = demo_upscale._worst_parts(image, truth)
    assert image[worst].sum() == 20 * 20 * 3 * 255
    assert image[other].sum() == 10 * 20 * 3 * 255
    covered = np.zeros(truth.shape[:2], int)
    for part in (worst, other):
        covered[part] += 1
    assert covered.max() == 1
