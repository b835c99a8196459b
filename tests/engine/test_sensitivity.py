"""Which layers suffer from 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import batches, write_net

from salticid.engine import onnx_graph
from salticid.engine.qdq import weighted_nodes
from salticid.engine.sensitivity import changed_labels, noise, sensitivity
from salticid.errors import InputError


def with_an_outlier(path):
    """Write the model with one huge weight in the first channels of a layer, which 8 bits then hardly resolve."""
    model = onnx_graph.load(path)
    node = next(node for node in model.graph.node if node.name == "/down/project/project.0/Conv")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
    weights = onnx_graph.array(tensor).copy()
    weights[:, 0] *= 400
    tensor.CopyFrom(onnx_graph.tensor(weights, tensor.name))
    path.write_bytes(model.SerializeToString())
    return path


def test_every_layer_is_listed_the_most_sensitive_first(tmp_path):
    path = write_net(tmp_path)
    found = sensitivity(path, batches(3))
    assert sorted(entry.node for entry in found) == sorted(weighted_nodes(onnx_graph.load(path)))
    losses = [entry.loss for entry in found]
    assert losses == sorted(losses, reverse=True)
    assert all(0 <= loss < 0.01 for loss in losses)


def test_a_layer_made_worse_comes_out_first(tmp_path):
    path = with_an_outlier(write_net(tmp_path))
    found = sensitivity(path, batches(3))
    assert found[0].node in ("/down/project/project.0/Conv", "/same/expand/expand.0/Conv")
    assert found[0].loss > 5 * found[4].loss


def test_the_loss_can_be_a_function_of_ones_own(tmp_path):
    found = sensitivity(write_net(tmp_path), batches(2), loss=lambda expected, got: 42.0)
    assert {entry.loss for entry in found} == {42.0}


def test_noise_is_a_share_of_the_variance():
    expected = np.array([[-1.0, 1.0]], np.float32)
    assert noise(expected, expected) == 0
    assert noise(expected, np.zeros_like(expected)) == 1


def test_changed_labels_are_a_share_of_the_places():
    expected, found = np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2, 2))
    expected[0, 1] = 1
    found[0, 1, 0] = 1
    assert changed_labels(expected, found) == 0.5


def test_an_unknown_loss_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="loss must be one of noise, labels or a function"):
        sensitivity(write_net(tmp_path), batches(1), loss="miou")


def test_a_model_without_weights_is_an_input_error(tmp_path, make_onnx):
    path = tmp_path / "relu.onnx"
    path.write_bytes(make_onnx([("Relu", ["x"], ["y"], {})], {"x": (1, [1, 2])}, {"y": (1, [1, 2])}))
    with pytest.raises(InputError, match="nothing to quantize"):
        sensitivity(path, [np.zeros((1, 2), np.float32)])


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (8,)])
def test_an_output_without_classes_has_no_labels_that_could_change(shape):
    with pytest.raises(InputError, match="has no classes along axis 1: take the loss 'noise'"):
        changed_labels(np.zeros(shape), np.ones(shape))
