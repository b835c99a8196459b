"""Labels as an output of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.engine import onnx_graph
from salticid.engine.onnx_labels import with_labels
from salticid.engine.session import Session
from salticid.errors import InputError


@pytest.fixture
def model(make_onnx):
    """Return a model that passes logits (N, 3, H, W) through."""
    nodes = [("Identity", ["image"], ["logits8"], {})]
    axes = ["N", 3, "H", "W"]
    return make_onnx(nodes, {"image": (1, axes)}, {"logits8": (1, axes)})


def loaded(data):
    return pytest.importorskip("onnx").load_from_string(data)


def run(model, logits):
    return Session(model.SerializeToString(), threads=1).run({"image": logits})


def test_labels_are_bilinear_with_half_pixel_centers(model):
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 3, 5, 7)).astype(np.float32)
    labels = run(with_labels(loaded(model), 4), logits)["labels"]
    # By hand: pixel y lies at (y + 0.5) / 4 - 0.5 of the logits, clamped to their middle points.
    ys, xs = ((np.clip((np.arange(n * 4) + 0.5) / 4 - 0.5, 0, n - 1)) for n in (5, 7))
    rows = np.stack([np.apply_along_axis(lambda v: np.interp(ys, np.arange(5), v), 2, logits)])[0]
    full = np.apply_along_axis(lambda v: np.interp(xs, np.arange(7), v), 3, rows)
    assert labels.shape == (2, 20, 28)
    assert (labels == full.argmax(1)).mean() > 0.999


def test_of_equal_classes_the_first_one_wins(model):
    labels = run(with_labels(loaded(model), 8), np.zeros((1, 3, 2, 2), np.float32))["labels"]
    assert not labels.any()


def test_logits_can_be_kept_or_left_out_and_the_model_given_is_not_changed(model):
    given = loaded(model)
    both, alone = with_labels(given), with_labels(given, keep_logits=False)
    assert [output.name for output in given.graph.output] == ["logits8"]
    assert [output.name for output in both.graph.output] == ["logits8", "labels"]
    assert [output.name for output in alone.graph.output] == ["labels"]


def test_an_output_can_be_taken_out_again(model):
    both = with_labels(loaded(model))
    assert len(onnx_graph.with_outputs(both, ["logits8"]).graph.node) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda model: with_labels(model, logits="scores"), "no output 'scores': it has 'logits8'"),
        (lambda model: with_labels(with_labels(model)), "has an output 'labels' already"),
        (lambda model: with_labels(model, 0), "scale must be at least 1"),
    ],
)
def test_what_has_no_labels_is_an_input_error(model, change, words):
    with pytest.raises(InputError, match=words):
        change(loaded(model))


def test_more_classes_than_8_bits_tell_apart_are_refused(make_onnx):
    axes = ["N", 300, "H", "W"]
    model = make_onnx([("Identity", ["image"], ["logits8"], {})], {"image": (1, axes)}, {"logits8": (1, axes)})
    with pytest.raises(InputError, match="300 classes: at most 256"):
        with_labels(loaded(model))
