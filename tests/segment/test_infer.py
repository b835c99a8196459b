"""The Segmenter: predictable labels for every size, engine and file, and a word for whatever is no image."""

from __future__ import annotations

import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from color_network import COLORS, color_network, patches
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import read_image
from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.segment.infer import Segmenter
from salticid.segment.options import SegmentOptions

NAMES = tuple(COLORS)
DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data"))


def labels_by_hand(image):
    """Label as the network does, in float64: means of 8x8, nearest color, bilinear in between."""
    import cv2

    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % 32), (0, -width % 32), (0, 0)), mode="edge") / 127.5 - 1
    means = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8, 3).mean(axis=(1, 3))
    colors = np.array(list(COLORS.values())) / 127.5 - 1
    logits = 2 * means @ colors.T - (colors**2).sum(axis=1)
    size = (padded.shape[1], padded.shape[0])
    large = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in np.moveaxis(logits, -1, 0)])
    return large.argmax(axis=0)[:height, :width]


def test_every_color_gets_its_class_and_the_result_says_who_computed(segmenter):
    result = segmenter(patches(NAMES))
    for number, name in enumerate(NAMES):
        assert (result.labels[:, 64 * number + 8 : 64 * number + 56] == number).all()
        assert result.share[name] == pytest.approx(0.25, abs=0.03)
    assert (result.names, result.engine, result.device, result.precision) == (NAMES, "onnxruntime", "cpu", "fp32")
    assert list(result.latency_ms) == ["prepare", "network", "labels"]
    assert result.labels.dtype == np.uint8
    assert result.labels.flags.c_contiguous


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_labels_of_any_size_are_those_of_the_definition(segmenter, height, width, seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 9 + 1, width // 9 + 1, 3), np.uint8)
    image = np.kron(coarse, np.ones((9, 9, 1), np.uint8))[:height, :width]
    result = segmenter(image)
    assert result.labels.shape == (height, width)
    assert (result.labels == labels_by_hand(image)).mean() > 0.995  # ties aside


@pytest.mark.parametrize("shape", [(1, 1), (1, 4096), (4096, 1), (31, 33)])
def test_a_picture_of_one_color_has_one_class_whatever_its_shape_and_gray_is_gray(segmenter, shape):
    red = np.full((*shape, 3), COLORS["red"], np.uint8)
    assert segmenter(red).share["red"] == 1
    assert segmenter(np.full(shape, 128, np.uint8)).share["gray"] == 1


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("outputs", [["labels"], ["logits8"], ["labels", "logits8"]])
def test_both_engines_and_both_outputs_give_the_same_labels(segmenter, engine, outputs):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    image = patches(NAMES)[:50, :250]
    other = Segmenter(color_network(outputs=outputs), engine=engine, threads=1)
    result = other(image)
    assert result.engine == engine
    np.testing.assert_array_equal(result.labels, segmenter(image).labels)


def test_the_image_is_left_as_it_is_and_a_result_is_never_written_over(segmenter):
    image = patches(NAMES)
    before = image.copy()
    first = segmenter(image)
    kept = first.labels.copy()
    segmenter(image[:, ::-1])
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first.labels, kept)


def test_one_segmenter_serves_many_threads(segmenter):
    images = [patches([name], side=40 + 8 * number) for number, name in enumerate(NAMES * 4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(segmenter, images))
    for name, image, result in zip(NAMES * 4, images, results, strict=True):
        assert result.labels.shape == image.shape[:2]
        assert result.share[name] == 1


def test_a_large_image_is_reduced_for_the_network_when_asked_and_labels_keep_its_size(model_path):
    image = patches(NAMES, side=300)
    fast = Segmenter(model_path, threads=1, long_side_px=300)
    result = fast(image)
    assert result.labels.shape == (300, 1200)
    for number in range(4):
        assert (result.labels[:, 300 * number + 40 : 300 * number + 260] == number).all()
    small = patches(NAMES, side=64)
    np.testing.assert_array_equal(fast(small).labels, Segmenter(model_path, threads=1)(small).labels)
    assert fast(np.zeros((1, 5000, 3), np.uint8)).labels.shape == (1, 5000)


def test_tiles_give_what_the_whole_image_gives_when_the_network_sees_no_farther(segmenter, model_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8).repeat(70, axis=0).repeat(70, axis=1)
    tiled = Segmenter(model_path, threads=1, tile_px=128)
    np.testing.assert_array_equal(tiled(image).labels, segmenter(image).labels)
    assert list(tiled(image).latency_ms) == ["prepare", "network", "labels"]


def test_profiles_are_rows_of_options(model_path):
    assert Segmenter(model_path, profile="speed", threads=1).options.long_side_px == 640
    assert Segmenter(model_path, profile="memory", threads=1, tile_px=256).options.tile_px == 256
    assert SegmentOptions() == SegmentOptions.profile("quality")
    assert Segmenter(model_path).threads == hardware.threads()
    with pytest.raises(InputError, match="no option 'tile': did you mean tile_px"):
        Segmenter(model_path, tile=5)
    with pytest.raises(InputError, match="at least 32, not 8"):
        Segmenter(model_path, long_side_px=8)


def test_an_image_that_memory_does_not_hold_is_refused_before_it_is_tried(model_path, monkeypatch):
    monkeypatch.setattr("salticid.runtime.hardware.available_memory", lambda: 100_000_000)
    image = np.zeros((2000, 2000), np.uint8)
    with pytest.raises(ResourceError, match=r"2000 x 2000 takes about 0\.4 GB.*tile_px=1024.*long_side_px=2048"):
        Segmenter(model_path, threads=1)(image)
    assert Segmenter(model_path, threads=1, tile_px=512)(image).labels.shape == (2000, 2000)
    assert Segmenter(model_path, threads=1, long_side_px=1000)(image).labels.shape == (2000, 2000)


def test_labels_that_have_no_name_are_an_input_error(segmenter):
    network = color_network(outputs=["labels"])
    with pytest.raises(InputError, match="gave label 3, and there are 2 names"):
        Segmenter(network, names=["a", "b"], threads=1)(patches(NAMES))


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), "street.png", None])
def test_what_is_no_image_is_an_input_error(segmenter, image):
    with pytest.raises(InputError, match="the image"):
        segmenter(image)


@pytest.mark.skipif(not (DATA / "segmentation").is_dir(), reason="the CamVid images are not here")
def test_real_images_are_labelled_as_the_definition_says(segmenter):
    for path in sorted((DATA / "segmentation" / "camvid" / "val").iterdir())[::20]:
        image = read_image(path)
        assert (segmenter(image).labels == labels_by_hand(image)).mean() > 0.999
