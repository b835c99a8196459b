"""`salticid train upscale`: from a folder to files that enlarge, what is left out, and what cannot be trained."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from salticid.core.image import read_image, write_image
from salticid.core.resample import bicubic_uint8

QUICK = ("--size", "nano", "--steps", "2", "--int8-steps", "2", "--count", "2", "--device", "cpu", "--threads", "1")


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data(tmp_path):
    """Return a folder with 3 images of 64 x 64 and 2 of 40 x 64."""
    folder = tmp_path / "data"
    folder.mkdir()
    for seed, height in enumerate((64, 40, 64, 40, 64)):
        coarse = np.random.default_rng(seed).integers(0, 256, (8, 9, 3))
        write_image(folder / f"{seed}.png", bicubic_uint8(coarse, height, 64))
    return folder


def test_small_images_become_files_that_enlarge(salticid, data, tmp_path):
    words = ("train", "upscale", data, "-o", tmp_path / "run", "--side", "8", "--reduced", "0.8", *QUICK)
    done = salticid(*words, "--judge", data)
    assert done.code == 0, done.err
    assert "warning" not in done.err
    assert "images to learn from: 5/5" in done.err
    assert "dB on 5 images" in done.out
    large = tmp_path / "large.png"
    assert salticid("upscale", data / "1.png", "--model", tmp_path / "run" / "model.onnx", "-o", large).code == 0
    assert read_image(large).shape == (160, 256, 3)
    again = salticid(*words, "--judge", data, "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["psnr_db"] == pytest.approx(float(done.out.split(": ")[-1].split(" dB")[0]), abs=1e-3)


def test_images_that_hold_no_crop_are_left_out_and_counted(salticid, data, tmp_path):
    write_image(data / "tiny.png", np.zeros((4, 64, 3), np.uint8))
    words = ("train", "upscale", data, "--judge", data, "--scale", "2", "--side", "24", *QUICK)
    done = salticid(*words, "-o", tmp_path / "run")
    assert done.code == 0, done.err
    assert "warning: 3 of 6 images to learn from are left out: smaller than 48 px, 2 times 24, a side" in done.err
    assert "warning: 1 of 6 images to judge by are left out: smaller than 6 px, 2 times 3, a side" in done.err
    assert "dB on 5 images" in done.out
    assert "warning" not in salticid(*words, "-o", tmp_path / "run", "--quiet").err


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--side", "17"), "no image is as large as a crop, 68 px a side: choose a smaller --side"),
        (("--reduced", "1.5"), "reduced to shares between 0 and 1 of their sides, not (1.5,)"),
        (("--device", "gpu"), "device must be cpu, cuda or cuda:1, not 'gpu'"),
        (("--device", "cuda"), "torch sees no CUDA device here: say --device cpu"),
        (("--start", "nowhere.safetensors"), "nowhere.safetensors"),
    ],
)
def test_a_wrong_flag_is_told(salticid, data, tmp_path, monkeypatch, flags, reason):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = salticid("train", "upscale", data, "--judge", data, "-o", tmp_path / "run", "--side", "8", *QUICK, *flags)
    assert done.code == 2
    assert reason in done.err
    assert "Traceback" not in done.err
    assert "warning" not in done.err


def test_another_seed_in_the_same_folder_is_refused(salticid, data, tmp_path):
    words = ("train", "upscale", data, "-o", tmp_path / "run", "--side", "8", *QUICK)
    assert salticid(*words).code == 0
    other = salticid(*words, "--seed", "1")
    assert other.code == 2
    assert "another plan (other seed): choose another folder" in other.err


def test_that_nothing_is_judged_is_said(salticid, data, tmp_path):
    words = ("train", "upscale", data, "-o", tmp_path / "run", "--side", "8", *QUICK)
    assert "warning: 5 images are too few to keep some to judge by" in salticid(*words).err
    write_image(tmp_path / "tiny.png", np.zeros((4, 64, 3), np.uint8))
    done = salticid(*words, "--judge", tmp_path / "tiny.png")
    assert done.code == 2
    assert "tiny.png is large enough to judge by" in done.err
