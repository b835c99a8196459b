"""Ranges of inner values from typical inputs."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import batches, blobs, write_net

from salticid.engine import onnx_graph
from salticid.engine.calibrate import calibrate
from salticid.errors import InputError

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return onnx_graph.load(write_net(tmp_path_factory.mktemp("calibrate")))


def test_extremes_are_those_of_all_batches(model):
    images = [np.full((1, 3, 64, 96), value, np.float32) for value in (-0.25, 0.75)]
    images[1][0, 2, 33, 77] = 5.0
    found = calibrate(model, ["image"], images)["image"]
    assert (found.low, found.high) == (-0.25, 5.0)


def test_inner_values_are_seen_at_any_size(model):
    value = model.graph.node[1].output[0]
    found = calibrate(model, ["image", value, "logits8"], [blobs(1), blobs(2, (32, 64))])
    assert found[value].low == 0  # behind a ReLU
    assert found[value].high > 0
    assert set(found) == {"image", value, "logits8"}


def test_a_single_outlier_is_cut_off_where_that_loses_less(model):
    images = [image.copy() for image in batches(12)]
    images[0][0, 0, 1, 1] = 4.0
    kept = calibrate(model, ["image"], images, method="extremes")["image"]
    cut = calibrate(model, ["image"], images, method="error")["image"]
    assert kept.high == 4.0
    assert 0.9 < cut.high < 2.5


def test_batches_may_be_read_once_and_come_from_a_generator(model):
    assert calibrate(model, ["image"], (image for image in batches(3)))["image"].high > 0.5


@pytest.mark.parametrize(
    ("images", "options", "words"),
    [
        ([], {}, "no inputs to calibrate with"),
        ([np.full((1, 3, 64, 96), np.nan, np.float32)], {}, "'image' is not finite"),
        ([np.zeros((1, 3, 64, 96))], {}, "must be float32"),
        (batches(1), {"method": "entropy"}, "method must be one of extremes, error, not 'entropy'"),
    ],
)
def test_inputs_that_say_nothing_are_an_input_error(model, images, options, words):
    with pytest.raises(InputError, match=words):
        calibrate(model, ["image", "logits8"], images, **options)


def test_an_input_without_images_is_an_input_error(make_onnx):
    data = make_onnx([("Relu", ["x"], ["y"], {})], {"x": (1, ["N", 2])}, {"y": (1, ["N", 2])})
    with pytest.raises(InputError, match="the value 'x' is empty on a calibration input"):
        calibrate(onnx.load_from_string(data), ["x"], [np.zeros((0, 2), np.float32)])
