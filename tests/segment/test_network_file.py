"""Which files are segmentation networks, what they say of themselves, and what is asked of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from color_network import METADATA, color_network

from salticid.engine import packages
from salticid.errors import InputError, MissingError
from salticid.segment.network_file import open_network

SETTINGS = {"engine": "auto", "device": "auto", "threads": 1, "precision": "fp32"}


def opened(model, names=None, **settings):
    return open_network(model, names, **SETTINGS | settings)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(
    ("outputs", "used"), [(("labels", "logits8"), "logits8"), (("logits8",), "logits8"), (("labels",), "labels")]
)
def test_logits_are_taken_where_there_are_any_and_nothing_else_is_computed(engine, outputs, used):
    network = opened(color_network(outputs=outputs), engine=engine)
    assert [spec.name for spec in network.session.outputs] == [used]
    assert (network.output, network.input, network.stride) == (used, "image", 32)
    assert network.names == ("red", "green", "blue", "gray")


def test_names_are_the_given_ones_or_those_of_the_file_or_numbers():
    plain = color_network(metadata={})
    assert opened(plain).names == ("class 0", "class 1", "class 2", "class 3")
    assert opened(plain, ["a", "b", "c", "d"]).names == ("a", "b", "c", "d")
    assert opened(color_network(), list("abcd")).names == tuple("abcd")
    assert len(opened(color_network(outputs=["labels"], metadata={})).names) == 255  # how many is not told


@pytest.mark.parametrize(
    "names", [["a", "b"], ["a", "a", "b", "c"], [1, 1, 2, 3], [1, 2, 3, 4], [], list(map(str, range(300)))]
)
def test_names_that_do_not_fit_are_input_errors(names):
    with pytest.raises(InputError, match="names"):
        opened(color_network(), names)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("salticid.task", "stereo", "made for something else"),
        ("salticid.input", "image / 255, BGR", "says salticid.input = 'image / 255, BGR'"),
        ("salticid.classes", "red, green", "no JSON list of names"),
        ("salticid.classes", "[1, 2, 3, 4]", "no JSON list of names"),
        ("salticid.classes", '["a", "b"]', "4 classes, and there are 2 names"),
        ("salticid.stride", "many", "multiple of 8"),
        ("salticid.stride", "12", "multiple of 8"),
    ],
)
def test_a_file_that_says_it_is_something_else_is_an_input_error(key, value, words):
    with pytest.raises(InputError, match=words):
        opened(color_network(metadata=METADATA | {key: value}))


def test_the_stride_that_a_file_tells_is_kept():
    assert opened(color_network(metadata=METADATA | {"salticid.stride": "64"})).stride == 64


IMAGE = ("image", 1, ["N", 3, "H", "W"])


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        ([IMAGE], ("depth", 1, ["N", 3, "H", "W"])),
        ([IMAGE, ("k", 1, [1])], ("logits8", 1, ["N", 3, "H", "W"])),
        ([("x", 1, ["N", 5])], ("logits8", 1, ["N", 5])),
        ([("image", 1, [1, 64, 64, 3])], ("logits8", 1, [1, 64, 64, 3])),
        ([("image", 2, ["N", 3, "H", "W"])], ("labels", 2, ["N", 3, "H", "W"])),
    ],
)
def test_a_network_for_something_else_is_an_input_error_that_says_what_is_needed(inputs, output):
    from onnx import helper

    node = helper.make_node("Identity", [inputs[0][0]], [output[0]])
    infos = [[helper.make_tensor_value_info(*value) for value in values] for values in (inputs, [output])]
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(helper.make_graph([node], "g", *infos), opset_imports=opset, ir_version=9)
    with pytest.raises(InputError, match="a segmentation network takes one float32 image"):
        opened(model.SerializeToString())


def test_more_classes_than_uint8_tells_apart_are_an_input_error():
    colors = {f"c{k}": (k % 256, k // 256, 0) for k in range(300)}
    names = METADATA | {"salticid.classes": json.dumps(list(colors))}
    with pytest.raises(InputError, match="300 classes: at most 255"):
        opened(color_network(colors, metadata=names))


def test_files_that_are_absent_empty_cut_off_or_of_another_kind_are_errors_that_name_them(tmp_path):
    data = color_network()
    files = {"empty.onnx": b"", "cut.onnx": data[:300], "text.onnx": b"no network", "net.pt": data}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            opened(tmp_path / name)
    with pytest.raises(InputError, match=r"gone\.onnx"):
        opened(tmp_path / "gone.onnx")
    with pytest.raises(InputError, match="no model 'fastseg-moon'"):
        opened("fastseg-moon")
    with pytest.raises(InputError, match=r"refine\.npz is no model file"):
        opened("refine")


def test_a_precision_that_the_engine_has_not_is_never_replaced():
    with pytest.raises((InputError, MissingError), match="bf16"):
        opened(color_network(), precision="bf16")


def test_an_openvino_file_and_a_torch_module_are_networks_too(tmp_path):
    torch = pytest.importorskip("torch")
    openvino = packages.openvino()
    (tmp_path / "net.onnx").write_bytes(color_network())
    openvino.save_model(openvino.Core().read_model(tmp_path / "net.onnx"), tmp_path / "net.xml")
    network = opened(tmp_path / "net.xml")
    assert (network.session.engine, network.output, network.names[0]) == ("openvino", "logits8", "red")

    class Net(torch.nn.Module):
        def forward(self, image):
            return torch.nn.functional.avg_pool2d(image, 8)

    network = opened(Net().eval(), ["r", "g", "b"])
    assert (network.session.engine, network.names) == ("torch", ("r", "g", "b"))
    assert network.session.run({network.input: np.zeros((1, 3, 32, 64), np.float32)})["logits8"].shape == (1, 3, 4, 8)
