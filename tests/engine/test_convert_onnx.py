"""An ONNX file written anew."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import METADATA, batches, write_net

from salticid.engine import onnx_graph
from salticid.engine.convert_onnx import convert_onnx
from salticid.errors import InputError, IntegrityError

onnx = pytest.importorskip("onnx")


def outputs(path):
    return [output.name for output in onnx_graph.load(path).graph.output]


@pytest.mark.parametrize("wanted", [("labels",), ("logits8",), ("logits8", "labels")])
@pytest.mark.parametrize("scale", [None, 8])
def test_labels_are_added_or_taken_out(tmp_path, wanted, scale):
    net = write_net(tmp_path, labels_scale=scale)
    parity = convert_onnx(net, tmp_path / "new.onnx", inputs=batches(2), outputs=wanted)
    assert outputs(tmp_path / "new.onnx") == list(wanted)
    assert (parity.equal_labels, parity.inputs) == (1.0, 2)
    assert onnx_graph.metadata(onnx_graph.load(tmp_path / "new.onnx")) == METADATA


def test_weights_are_narrowed_and_the_difference_told(tmp_path):
    net = write_net(tmp_path)
    parity = convert_onnx(net, tmp_path / "new.onnx", inputs=batches(2), fp16_weights=True)
    assert 0 < parity.relative < 2e-3
    assert (tmp_path / "new.onnx").stat().st_size < 0.62 * net.stat().st_size


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": []}, "no inputs to compare"),
        ({"outputs": ("scores",)}, "has no output 'scores': it has 'logits8'"),
    ],
)
def test_wrong_wishes_are_input_errors(tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        convert_onnx(write_net(tmp_path), tmp_path / "new.onnx", **{"inputs": batches(1)} | options)
    assert not (tmp_path / "new.onnx").exists()


def test_weights_in_16_bits_stay_in_16_bits(tmp_path):
    net = write_net(tmp_path, fp16_weights=True)
    convert_onnx(net, tmp_path / "labels.onnx", inputs=batches(1), outputs=["labels"])
    convert_onnx(net, tmp_path / "wide.onnx", inputs=batches(1), fp16_weights=False)
    assert (tmp_path / "labels.onnx").stat().st_size < 0.8 * (tmp_path / "wide.onnx").stat().st_size


def test_the_file_is_compared_with_the_given_one_not_with_what_was_made_of_it(tmp_path, monkeypatch):
    net = write_net(tmp_path)
    tidied = onnx_graph.tidied

    def damaged(model, label):
        tidy = tidied(model, label)
        for tensor in tidy.graph.initializer:
            tensor.CopyFrom(onnx_graph.tensor(onnx_graph.array(tensor) * 2, tensor.name))
        return tidy

    monkeypatch.setattr(onnx_graph, "tidied", damaged)
    with pytest.raises(IntegrityError, match="differs from the reference"):
        convert_onnx(net, tmp_path / "out.onnx", inputs=batches(1))
    assert not (tmp_path / "out.onnx").exists()


def test_labels_need_operators_that_have_them(make_onnx, tmp_path):
    data = make_onnx([("Relu", ["image"], ["y"], {})], {"image": (1, [1, 3, 8, 8])}, {"y": (1, [1, 3, 8, 8])})
    model = onnx.load_from_string(data)
    model.opset_import[0].version = 11
    (tmp_path / "old.onnx").write_bytes(model.SerializeToString())
    images = [np.zeros((1, 3, 8, 8), np.float32)]
    with pytest.raises(InputError, match="has opset 11: export it again with opset 13 or newer"):
        convert_onnx(tmp_path / "old.onnx", tmp_path / "out.onnx", inputs=images, outputs=["labels"])
