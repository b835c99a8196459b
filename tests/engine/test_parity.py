"""A file and its network are compared on what was given, and a difference is never passed over."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import batches, blobs, nn, segmentation_net, torch, write_net

from salticid.engine import onnx_graph
from salticid.engine.parity import check_parity, compare_files, random_inputs
from salticid.errors import InputError, IntegrityError


def damaged(path, by):
    """Write the model at `path` with one bias changed, and return its path."""
    model = onnx_graph.load(path)
    tensor = next(item for item in model.graph.initializer if item.name == "head.bias")
    tensor.CopyFrom(onnx_graph.tensor(onnx_graph.array(tensor) + np.float32([by, 0, 0, 0, 0]), tensor.name))
    other = path.with_name("damaged.onnx")
    other.write_bytes(model.SerializeToString())
    return other


def test_equal_files_are_told_with_sizes_and_counts(tmp_path):
    images = [blobs(1), blobs(2, (96, 128))]
    parity = check_parity(segmentation_net(), write_net(tmp_path, labels_scale=8), images)
    assert parity.inputs == 2
    assert parity.places == 8 * 12 + 64 * 96 + 2 * (12 * 16 + 96 * 128)  # of logits and of labels
    assert parity.largest < 1e-6
    assert parity.mean <= parity.largest
    assert parity.equal_labels > 0.9999


def test_a_file_with_labels_alone_is_compared_by_them(tmp_path):
    path = write_net(tmp_path, labels_scale=8, keep_logits=False)
    parity = check_parity(segmentation_net(), path, batches(2))
    assert (parity.places, parity.range) == (2 * 64 * 96, 0)
    assert parity.equal_labels > 0.9999


def test_a_difference_is_an_integrity_error_that_says_how_large(tmp_path):
    path = damaged(write_net(tmp_path), by=0.05)
    with pytest.raises(IntegrityError, match=r"differs from SmallSegmentationNet by 0\.05"):
        check_parity(segmentation_net(), path, batches(1))


def test_other_classes_are_an_integrity_error_even_where_differences_are_allowed(tmp_path):
    path = damaged(write_net(tmp_path), by=5.0)
    with pytest.raises(IntegrityError, match=r"chooses the class of SmallSegmentationNet at .*% of 96 places"):
        check_parity(segmentation_net(), path, batches(1), most_difference=1e9)


def test_nothing_to_compare_on_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no inputs"):
        check_parity(segmentation_net(), write_net(tmp_path), [])


def test_an_output_that_is_not_finite_is_an_integrity_error(tmp_path):
    net = segmentation_net()
    with torch.no_grad():
        net.head.bias.fill_(float("inf"))
    with pytest.raises(IntegrityError, match="not finite"):
        check_parity(net, write_net(tmp_path), batches(1))


def test_another_number_of_classes_is_an_integrity_error(tmp_path):
    with pytest.raises(IntegrityError, match="has the shape"):
        check_parity(segmentation_net(classes=4), write_net(tmp_path), batches(1))


def test_two_files_are_compared_by_the_outputs_that_they_share(tmp_path):
    both, alone = write_net(tmp_path, labels_scale=8), write_net(tmp_path, "l.onnx", labels_scale=8, keep_logits=False)
    parity = compare_files(both, alone, batches(2), engine="onnxruntime")
    assert (parity.places, parity.equal_labels) == (2 * 64 * 96, 1.0)
    with pytest.raises(InputError, match="no output in common"):
        compare_files(write_net(tmp_path, "n.onnx"), alone, batches(1), engine="onnxruntime")


def test_a_module_with_two_inputs_is_an_input_error(tmp_path, make_onnx):
    add = make_onnx([("Add", ["a", "b"], ["y"], {})], {"a": (1, [1]), "b": (1, [1])}, {"y": (1, [1])})
    with pytest.raises(InputError, match="2 inputs"):
        check_parity(nn.Identity(), add, batches(1))


def test_random_inputs_come_back_the_same():
    first, second = random_inputs([(1, 3, 20, 30), (2, 5)]), random_inputs([(1, 3, 20, 30), (2, 5)])
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float32
        assert np.abs(one).max() <= 1


@pytest.mark.parametrize("shape", [(1, 3, 0, 8), (1, -1), ()])
def test_inputs_of_no_size_are_an_input_error(shape):
    with pytest.raises(InputError, match="at least one number along every axis"):
        random_inputs([shape])
