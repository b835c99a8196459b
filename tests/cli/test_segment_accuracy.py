"""`salticid eval segment` and `salticid export --data`: how good a file is, as it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from color_network import COLORS, color_network, patches

from salticid.core.image import write_image

NAMES = list(COLORS)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "colors.onnx"
    path.write_bytes(color_network())
    return path


@pytest.fixture
def data(tmp_path):
    """Return a folder in which one of ten blocks is not what its label says."""
    root = tmp_path / "data"
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for number in range(5):
        shown = ["red", "green"] if number else ["red", "blue"]
        labels = np.repeat([0, 1], 64).astype(np.uint8)[None].repeat(64, axis=0)
        write_image(root / "images" / f"{number}.png", patches(shown))
        write_image(root / "labels" / f"{number}.png", labels)
    (root / "meta.json").write_text(json.dumps({"classes": NAMES}))
    return root


def test_eval_tells_the_iou_of_each_class_on_the_split_that_is_named(salticid, model, data, tmp_path):
    done = salticid("eval", "segment", data, "--model", model, "--split", "train", "--json", "--threads", "1")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["iou"]["green"] > 0.9  # the wrong one is the first, which is kept for validation
    done = salticid("eval", "segment", data, "--model", model, "-o", tmp_path / "r.json", "--threads", "1")
    assert "green" in done.out
    assert json.loads((tmp_path / "r.json").read_text())["iou"]["green"] == 0.0


def test_classes_that_are_not_those_of_the_network_are_refused(salticid, model, data):
    done = salticid("eval", "segment", data, "--model", model, "--classes", "sky,road")
    assert done.code == 2
    assert "classes" in done.err


def test_an_exported_file_is_judged_as_it_is(salticid, model, data, tmp_path):
    flags = ("--to", "onnx", "--fp16", "--data", data, "--threads", "1")
    done = salticid("export", model, "-o", tmp_path / "out", *flags)
    assert done.code == 0, done.err
    assert "mIoU %" in done.out


def test_data_is_for_segmentation_networks(salticid, data, tmp_path):
    done = salticid("export", "refine", "--to", "c", "-o", tmp_path / "out", "--data", data)
    assert done.code == 2
    assert "--data is for segmentation" in done.err
