"""ONNX files in 8 bits."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from segmentation_net import METADATA, batches, blobs, write_net

from salticid.engine import onnx_graph
from salticid.engine.quantize import quantize_dynamic, quantize_static
from salticid.engine.session import Session
from salticid.errors import InputError


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


def noise_of(small, net, images):
    expected, found = (Session(path, threads=1).run({"image": images})["logits8"] for path in (net, small))
    return np.square(found - expected).mean() / expected.var()


def test_a_static_file_is_small_near_and_keeps_names_and_metadata(net, tmp_path):
    done = quantize_static(net, tmp_path / "small.onnx", batches())
    assert done.path == tmp_path / "small.onnx"
    assert done.int8_bytes == done.path.stat().st_size < 0.6 * done.float_bytes
    assert noise_of(done.path, net, blobs(2, (96, 64), seed=7)) < 0.002
    model = onnx_graph.load(done.path)
    assert onnx_graph.metadata(model) == METADATA
    assert onnx_graph.dimensions(model.graph.output[0]) == ["N", 5, "H/8", "W/8"]


def test_the_tail_and_what_works_on_pooled_vectors_stay_in_float(net, tmp_path):
    done = quantize_static(net, tmp_path / "small.onnx", batches())
    assert done.kept_float == ("/gate/gate.1/Conv", "/head/Conv")
    assert len(done.nodes) == 9


def test_layers_stay_in_float_by_pattern_and_by_their_place(net, tmp_path):
    done = quantize_static(net, tmp_path / "small.onnx", batches(), keep_float=["/stem*", "*depthwise*"], keep_last=2)
    assert done.kept_float == (
        "/stem/stem.0/Conv",
        "/down/depthwise/depthwise.0/Conv",
        "/same/depthwise/depthwise.0/Conv",
        "/gate/gate.1/Conv",
        "/refine/refine.0/Conv",
        "/head/Conv",
    )


def test_a_bound_keeps_the_most_sensitive_layers_in_float(net, tmp_path):
    free = quantize_static(net, tmp_path / "free.onnx", batches())
    assert free.ranking == ()
    bound = quantize_static(net, tmp_path / "bound.onnx", batches(), most_loss=0.6 * free.loss)
    assert bound.loss <= 0.6 * free.loss
    worst = [entry.node for entry in bound.ranking][: len(free.nodes) - len(bound.nodes)]
    assert set(free.nodes) - set(bound.nodes) == set(worst) != set()


def test_a_bound_that_8_bits_cannot_hold_is_an_input_error_and_leaves_no_file(net, tmp_path):
    with pytest.raises(InputError, match=r"even with only .* in 8 bits the loss is"):
        quantize_static(net, tmp_path / "small.onnx", batches(2), most_loss=0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_weights_in_16_bits_are_widened_before(tmp_path):
    half = write_net(tmp_path, "half.onnx", fp16_weights=True, labels_scale=8)
    done = quantize_static(half, tmp_path / "small.onnx", batches(), loss="labels")
    assert len(done.nodes) == 9
    assert done.loss < 0.1
    assert set(Session(done.path, threads=1).run({"image": batches(1)[0]})) == {"logits8", "labels"}


def test_a_dynamic_file_needs_no_inputs_and_keeps_its_metadata(net, tmp_path):
    done = quantize_dynamic(net, tmp_path / "small.onnx")
    assert done.int8_bytes < 0.6 * done.float_bytes
    assert len(done.nodes) == 11
    assert onnx_graph.metadata(onnx_graph.load(done.path)) == METADATA
    assert noise_of(done.path, net, blobs(1)) < 0.02


def test_quantizing_writes_no_log_sets_up_no_logging_and_leaves_no_other_file(net, tmp_path, capfd):
    root = logging.getLogger()
    handlers, filters = root.handlers[:], root.filters[:]
    for handler in handlers:
        root.removeHandler(handler)
    try:
        quantize_dynamic(net, tmp_path / "dynamic.onnx")
        quantize_static(net, tmp_path / "static.onnx", batches(2))
        assert root.handlers == []
    finally:
        for handler in handlers:
            root.addHandler(handler)
    assert root.filters == filters
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dynamic.onnx", "net.onnx", "static.onnx"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep_float": ["/nothing*"]}, "no node with weights is called '/nothing\\*'"),
        ({"keep_float": ["*"]}, "all 11 layers with weights would stay in float"),
        ({"keep_last": 99}, "all 11 layers with weights would stay in float"),
        ({"keep_last": -1}, "keep_last must be at least 0"),
    ],
)
def test_a_choice_that_means_nothing_is_an_input_error(net, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        quantize_static(net, tmp_path / "small.onnx", batches(1), **options)


def test_a_file_in_the_way_is_seen_before_the_work(net):
    for write in (lambda: quantize_static(net, net, []), lambda: quantize_dynamic(net, net)):
        with pytest.raises(InputError, match="exists"):
            write()


def test_ranges_are_chosen_in_the_way_that_loses_less(net, tmp_path):
    ways = [quantize_static(net, tmp_path / f"{way}.onnx", batches(3), method=way) for way in ("extremes", "error")]
    best = quantize_static(net, tmp_path / "best.onnx", batches(3))
    assert best.loss == min(done.loss for done in ways)


def test_a_file_in_8_bits_is_not_quantized_again(net, tmp_path):
    small = quantize_static(net, tmp_path / "small.onnx", batches(1)).path
    for again in (
        lambda: quantize_static(small, tmp_path / "x.onnx", batches(1)),
        lambda: quantize_dynamic(small, tmp_path / "x.onnx"),
    ):
        with pytest.raises(InputError, match="is in 8 bits already: take the file in float"):
            again()


def test_matrix_products_of_sequences_are_quantized(make_onnx, tmp_path):
    random = np.random.default_rng(0)
    weights = [
        onnx_graph.tensor(random.normal(size=size).astype(np.float32), name)
        for name, size in (("v", (16, 8)), ("w", (8, 4)))
    ]
    nodes = [("MatMul", ["x", "v"], ["a"], {}), ("Relu", ["a"], ["r"], {}), ("MatMul", ["r", "w"], ["y"], {})]
    (tmp_path / "net.onnx").write_bytes(
        make_onnx(nodes, {"x": (1, ["N", "T", 16])}, {"y": (1, ["N", "T", 4])}, weights)
    )
    inputs = [random.normal(size=(2, 5, 16)).astype(np.float32)]
    assert quantize_static(tmp_path / "net.onnx", tmp_path / "small.onnx", inputs).loss < 0.01
