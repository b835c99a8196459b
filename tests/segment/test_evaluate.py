"""Accuracy: what is counted, what is left out, and classes in another order."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from color_network import COLORS, METADATA, color_network, patches

from salticid.core.image import write_image
from salticid.core.image_labels import write_labels
from salticid.core.palette import class_palette
from salticid.errors import InputError
from salticid.segment.evaluate import evaluate
from salticid.segment.infer import Segmenter

NAMES = tuple(COLORS)
DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data"))


def write_pair(folder, name, image, labels):
    image_path, label_path = folder / f"{name}.png", folder / f"{name}_labels.png"
    write_image(image_path, image)
    write_labels(label_path, labels, class_palette(4))
    return image_path, label_path


@pytest.fixture
def pairs(tmp_path, segmenter):
    """Return two images with their own labels as truth."""
    images = [patches(["red", "green"]), patches(["blue", "gray", "red"])]
    return [write_pair(tmp_path, f"i{k}", image, segmenter(image).labels) for k, image in enumerate(images)]


def test_labels_that_are_the_truth_are_perfect(segmenter, pairs):
    score = evaluate(segmenter, pairs, NAMES)
    assert (score.miou, score.pixel_accuracy, score.images, score.failed) == (1, 1, 2, ())
    assert score.iou == dict.fromkeys(NAMES, 1.0)
    assert score.confusion.sum() == 64 * 64 * 5
    assert set(score.latency_ms) == {"prepare", "network", "labels"}
    assert (score.engine, score.device, score.precision) == ("onnxruntime", "cpu", "fp32")


def test_figures_are_those_that_one_counts_by_hand(segmenter, tmp_path):
    image = patches(["red", "blue"])
    truth = np.zeros((64, 128), np.uint8)  # red everywhere: half is right
    score = evaluate(segmenter, [write_pair(tmp_path, "a", image, truth)], NAMES)
    found = segmenter(image).labels
    assert score.pixel_accuracy == (found == 0).mean()
    assert score.iou["red"] == (found == 0).mean()
    assert (score.iou["blue"], score.iou["gray"]) == (0, 0)  # gray lies between red and blue
    assert math.isnan(score.iou["green"])
    assert score.miou == pytest.approx((found == 0).mean() / 3)


def test_void_does_not_count(segmenter, tmp_path):
    image = patches(["red", "blue"])
    truth = segmenter(image).labels.copy()
    truth[:, 64:] = 11
    score = evaluate(segmenter, [write_pair(tmp_path, "a", image, truth)], NAMES, 11)
    assert score.pixel_accuracy == 1
    assert score.confusion.sum() == 64 * 64


def test_classes_in_another_order_are_matched_by_name(segmenter, pairs, tmp_path):
    turned = dict(reversed(COLORS.items()))
    network = color_network(turned, metadata=METADATA | {"salticid.classes": json.dumps(list(turned))})
    assert evaluate(Segmenter(network, threads=1), pairs, NAMES).miou == 1
    plain = Segmenter(color_network(outputs=["labels"], metadata={}), threads=1)
    assert evaluate(plain, pairs, NAMES).miou == 1  # its file names none: the order is believed


def test_other_classes_are_an_input_error_that_lists_them(segmenter, pairs):
    with pytest.raises(InputError, match=r"gray \(network alone\), pink \(data alone\)"):
        evaluate(segmenter, pairs, ("red", "green", "blue", "pink"))


def test_pairs_that_cannot_be_judged_are_listed_with_their_reason_and_the_others_count(segmenter, pairs, tmp_path):
    image = patches(["red"])
    wrong = [
        write_pair(tmp_path, "size", image, np.zeros((10, 10), np.uint8)),
        write_pair(tmp_path, "class", image, np.full((64, 64), 7, np.uint8)),
        (tmp_path / "gone.png", pairs[0][1]),
        (pairs[0][0], tmp_path / "gone_labels.png"),
    ]
    score = evaluate(segmenter, [*wrong[:2], *pairs, *wrong[2:]], NAMES)
    assert (score.images, score.miou) == (2, 1)
    assert [name for name, _ in score.failed] == [str(pair[0]) for pair in wrong]
    for (_, reason), words in zip(score.failed, ["one size", "name the void", "gone.png", "gone_labels"], strict=True):
        assert words in reason


def test_pairs_of_another_kind_are_read_by_whoever_knows_them(segmenter):
    image = patches(["green", "red"])
    score = evaluate(segmenter, ["a", "b"], NAMES, read=lambda name: (image, segmenter(image).labels))
    assert (score.images, score.pixel_accuracy) == (2, 1)


@pytest.mark.skipif(not (DATA / "segmentation").is_dir(), reason="the CamVid images are not here")
def test_camvid_s_labels_are_read_and_its_void_is_left_out(segmenter):
    """The network knows colors, not streets: the counts are what is tested."""
    camvid = DATA / "segmentation" / "camvid"
    meta = json.loads((camvid / "meta.json").read_text())
    images = sorted((camvid / "val").iterdir())[:3]
    pairs = [(path, camvid / "valannot" / f"{path.stem}.png") for path in images]
    colors = {name: (20 * number, 0, 0) for number, name in enumerate(meta["classes"])}
    names = METADATA | {"salticid.classes": json.dumps(meta["classes"])}
    score = evaluate(Segmenter(color_network(colors, metadata=names), threads=1), pairs, meta["classes"], meta["void"])
    assert (score.images, score.failed) == (3, ())
    assert 0 < score.confusion.sum() < 3 * 480 * 360
