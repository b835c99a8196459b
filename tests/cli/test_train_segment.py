"""`salticid train segment`: from a folder to a file that labels images, and from a broken one to a list of faults."""

from __future__ import annotations

import json

import numpy as np
import pytest

from salticid.core.image import read_image, write_image
from salticid.segment.data import find_dataset
from salticid.segment.fit import Plan, fit
from salticid.segment.infer import Segmenter
from salticid.segment.train import Recipe

QUICK = ("--epochs", "2", "--batch", "2", "--size", "64x64", "--device", "cpu", "--precision", "fp32")
QUICK += ("--loss", "focal", "--boundary", "0.5", "--long-side-px", "80")
NAMES = ("--classes", "sky,road,car")
COLORS = np.array([[60, 90, 220], [90, 90, 90], [220, 40, 40]], np.uint8)


def write_pairs(root, count=4):
    chance = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        labels = chance.integers(3, size=(3, 4)).astype(np.uint8).repeat(24, 0).repeat(24, 1)
        write_image(root / "images" / f"{number}.png", COLORS[labels])
        write_image(root / "labels" / f"{number}.png", labels)
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """Return the folder of a training with the plan that `QUICK` stands for."""
    folder = tmp_path_factory.mktemp("run")
    plan = Plan(epochs=2, batch=2, size=(64, 64), recipe=Recipe(boundary=0.5), loss="focal", long_side_px=80)
    fit(find_dataset(data, ["sky", "road", "car"]), folder, plan)
    return folder


def test_a_folder_of_images_becomes_a_model_that_labels_images(salticid, data, tmp_path):
    done = salticid("train", "segment", data, "-o", tmp_path / "run", *NAMES, *QUICK)
    assert done.code == 0, done.err
    assert "epoch 2 of 2: loss" in done.out
    assert "mIoU" in done.out
    found = Segmenter(tmp_path / "run" / "model.onnx", threads=1)(read_image(data / "images" / "0.png"))
    assert found.labels.shape == (72, 96)
    assert found.names == ("sky", "road", "car")


def test_blanks_around_the_names_of_classes_do_not_count(salticid, trained, data):
    again = salticid("train", "segment", data, "-o", trained, "--classes", "sky, road ,car", *QUICK)
    assert again.code == 0, again.err


def test_the_same_command_again_has_nothing_left_to_do(salticid, trained, data):
    again = salticid("train", "segment", data, "-o", trained, *NAMES, *QUICK, "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["best_epoch"] in (1, 2)


def test_another_recipe_in_the_same_folder_is_refused(salticid, trained, data):
    other = salticid("train", "segment", data, "-o", trained, *NAMES, *QUICK, "--seed", "9")
    assert other.code == 2
    assert "another recipe" in other.err


def test_a_trained_network_can_teach_another(salticid, trained, data, tmp_path):
    teachers = ("--teacher", trained / "best.safetensors", "--teacher", trained / "model.onnx")
    done = salticid("train", "segment", data, "-o", tmp_path, *NAMES, *QUICK, *teachers)
    assert done.code == 0, done.err


def test_a_broken_label_file_is_named_before_the_first_step(salticid, tmp_path):
    data = write_pairs(tmp_path / "set")
    broken = data / "labels" / "2.png"
    broken.write_bytes(broken.read_bytes()[:50])
    (data / "labels" / "3.png").unlink()
    done = salticid("train", "segment", data, "-o", tmp_path / "run", *NAMES, *QUICK)
    assert done.code == 2
    assert "2 pairs cannot be learned from" in done.err
    assert "2.png" in done.err
    assert "3.png" in done.err
    assert "epoch" not in done.out
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--size", "100x64"), "multiples of 32"),
        (("--size", "big"), "480x384"),
        (("--classes", "sky,sky,car"), "different names"),
        (("--device", "tpu"), "device must be"),
        (("--device", "tpu", "--precision", "auto"), "device must be"),
        (("--rate", "nan"), "above 0"),
        (("--long-side-px", "8"), "cannot be reduced to 8 px"),
        (("--imagenet", "nowhere.safetensors"), "no file"),
    ],
)
def test_a_wrong_flag_is_told(salticid, data, tmp_path, flags, reason):
    done = salticid("train", "segment", data, "-o", tmp_path / "run", *NAMES, *QUICK, *flags)
    assert done.code == 2
    assert reason in done.err
