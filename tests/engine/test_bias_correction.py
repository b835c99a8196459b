"""Biases that take back what rounded weights shift."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import batches, blobs, write_net

from salticid.engine import onnx_graph
from salticid.engine.bias_correction import bias_shifts
from salticid.engine.calibrate import calibrate
from salticid.engine.qdq import rounded_weights, values_of, weighted_nodes, with_qdq
from salticid.engine.session import Session

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_a_shift_is_the_mean_that_rounding_the_weights_takes_away(make_onnx, groups):
    random = np.random.default_rng(0)
    weights = random.normal(size=(16, 8 // groups, 1, 1)).astype(np.float32)
    images = random.uniform(0, 1, (2, 8, 9, 9)).astype(np.float32)

    def conv(kernel):
        tensors = [onnx_graph.tensor(kernel.astype(np.float32), "w"), onnx_graph.tensor(np.zeros(16, "f4"), "b")]
        nodes = [("Conv", ["x", "w", "b"], ["y"], {"name": "c", "group": groups})]
        return make_onnx(nodes, {"x": (1, ["N", 8, "H", "W"])}, {"y": (1, ["N", 16, "H", "W"])}, tensors)

    [shift] = bias_shifts(onnx.load_from_string(conv(weights)), ["c"], [images]).values()
    exact, rounded = (
        Session(conv(kernel), threads=1).run({"x": images})["y"].mean((0, 2, 3))
        for kernel in (weights, rounded_weights(weights, "portable"))
    )
    np.testing.assert_allclose(shift, exact - rounded, atol=1e-5)


def test_every_layer_gets_one_number_for_each_output(tmp_path):
    model = onnx_graph.tidied(onnx_graph.load(write_net(tmp_path)))
    nodes = weighted_nodes(model)
    shifts = bias_shifts(model, nodes, batches(2))
    known = onnx_graph.constants(model.graph)
    outputs = {node.name: known[node.input[1]].dims[0] for node in model.graph.node if node.name in nodes}
    assert {name: len(shift) for name, shift in shifts.items()} == outputs


def test_with_them_the_network_in_8_bits_is_nearer(tmp_path):
    model = onnx_graph.tidied(onnx_graph.load(write_net(tmp_path)))
    nodes = weighted_nodes(model)
    ranges = calibrate(model, values_of(model, nodes), batches())
    shifts = bias_shifts(model, nodes, batches())
    images = blobs(8, seed=9)
    expected, plain, shifted = (
        Session(m.SerializeToString(), threads=1).run({"image": images})["logits8"].mean((0, 2, 3))
        for m in (model, with_qdq(model, ranges, nodes), with_qdq(model, ranges, nodes, shifts=shifts))
    )
    assert np.abs(shifted - expected).sum() < 0.7 * np.abs(plain - expected).sum()
