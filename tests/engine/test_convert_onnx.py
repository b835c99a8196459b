"""An ONNX file written anew."""

from __future__ import annotations

import pytest
from segmentation_net import METADATA, batches, write_net

from salticid.engine import onnx_graph
from salticid.engine.convert_onnx import convert_onnx
from salticid.errors import InputError


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
