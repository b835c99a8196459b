"""Small networks as ONNX: written so that others compute the same, and read without leaving anything out."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import float_layer

from salticid.engine import onnx_layers
from salticid.engine.onnx_layers import export_onnx, real_outputs
from salticid.engine.onnx_read import read_onnx
from salticid.engine.session import Session
from salticid.errors import InputError, IntegrityError, MissingError

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")

FLOAT = 1  # onnx.TensorProto.FLOAT


def dense_layers():
    random = np.random.default_rng(0)
    return [float_layer(random, (5, 7), relu=True), float_layer(random, (2, 5), relu=False)]


def image_layers():
    random = np.random.default_rng(0)
    convolution = float_layer(random, (4, 2, 3, 3), relu=True, stride=2, padding=1)
    return [convolution, float_layer(random, (3, 4 * 3 * 4), relu=False)]


def tensor(values, name):
    return onnx.numpy_helper.from_array(np.asarray(values, np.float32), name)


@pytest.fixture
def save(tmp_path, make_onnx):
    """Return a function that writes a model and returns its path."""

    def write(nodes, shape, weights, outputs=("y",)):
        model = make_onnx(nodes, {"x": (FLOAT, shape)}, dict.fromkeys(outputs, (FLOAT, ["N", "outputs"])), weights)
        (tmp_path / "net.onnx").write_bytes(model)
        return tmp_path / "net.onnx"

    return write


@pytest.mark.parametrize(("layers", "shape"), [(dense_layers(), (7,)), (image_layers(), (2, 6, 7))])
def test_what_was_written_computes_the_same_elsewhere_and_is_read_again(tmp_path, layers, shape):
    difference = export_onnx(layers, shape, tmp_path / "net.onnx")
    assert 0 < difference < 1e-5
    onnx.checker.check_model(tmp_path / "net.onnx", full_check=True)
    inputs = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
    found = Session(tmp_path / "net.onnx", engine="onnxruntime", threads=1).run({"input": inputs})["output"]
    np.testing.assert_allclose(found, real_outputs(layers, inputs), atol=1e-5)
    again, input_shape = read_onnx(tmp_path / "net.onnx")
    assert input_shape == shape
    for one, other in zip(layers, again, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-6)
        np.testing.assert_allclose(one.bias, other.bias, rtol=1e-6)
        assert (one.relu, one.stride, one.padding) == (other.relu, other.stride, other.padding)


def test_a_model_that_others_compute_differently_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_layers, "real_outputs", lambda layers, inputs: real_outputs(layers, inputs) + 0.01)
    with pytest.raises(IntegrityError, match=r"differ from numpy's by 0\.01.*nothing was written"):
        export_onnx(dense_layers(), (7,), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_overwriting_was_asked_for(tmp_path):
    (tmp_path / "net.onnx").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        export_onnx(dense_layers(), (7,), tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_text() == "mine"
    export_onnx(dense_layers(), (7,), tmp_path / "net.onnx", overwrite=True)
    assert len(read_onnx(tmp_path / "net.onnx")[0]) == 2


def test_layers_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"layer 0 takes 7 inputs, not \(6,\)"):
        export_onnx(dense_layers(), (6,), tmp_path / "net.onnx")
    with pytest.raises(InputError, match="at least one layer"):
        export_onnx([], (6,), tmp_path / "net.onnx")


def test_without_the_package_the_line_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[train\]'"):
        export_onnx(dense_layers(), (7,), tmp_path / "net.onnx")


W, B = np.arange(6.0).reshape(2, 3) + 1, np.array([1.0, -1.0])
ONE = ("Gemm", ["x", "w", "b"], ["y"], {"transB": 1})
WAYS = {
    "gemm": ([ONE], W, B),
    "gemm of transposed weights": ([("Gemm", ["x", "w", "b"], ["y"], {})], W.T, B),
    "gemm with factors": ([("Gemm", ["x", "w", "b"], ["y"], {"transB": 1, "alpha": 0.5, "beta": 2.0})], 2 * W, B / 2),
    "gemm and one bias for all": ([ONE], W, np.float32(3)),
    "product and sum": ([("MatMul", ["x", "w"], ["p"], {}), ("Add", ["p", "b"], ["y"], {})], W.T, B),
    "sum of the bias and a product": (
        [("MatMul", ["x", "w"], ["p"], {}), ("Add", ["b", "p"], ["y"], {})],
        W.T,
        B[None],
    ),
    "product alone": ([("MatMul", ["x", "w"], ["y"], {})], W.T, B),
    "identities around": (
        [
            ("Identity", ["x"], ["i"], {}),
            ("Gemm", ["i", "w", "b"], ["g"], {"transB": 1}),
            ("Identity", ["g"], ["y"], {}),
        ],
        W,
        B,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_a_dense_layer_is_read(save, way):
    nodes, weights, bias = WAYS[way]
    path = save(nodes, ["N", 3], [tensor(weights, "w"), tensor(bias, "b")])
    layers, shape = read_onnx(path)
    inputs = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    expected = Session(path, engine="onnxruntime", threads=1).run({"x": inputs})["y"]
    np.testing.assert_allclose(real_outputs(layers, inputs), expected, atol=1e-6)
    assert (len(layers), shape) == (1, (3,))


@pytest.mark.parametrize("shaping", ["Flatten", "Reshape", "Reshape by a constant node"])
def test_convolutions_and_the_ways_to_flatten_are_read(save, shaping):
    random = np.random.default_rng(0)
    kernel, bias, last = random.normal(size=(2, 1, 3, 3)), random.normal(size=(2, 1, 1)), random.normal(size=(3, 12))
    weights = [tensor(kernel, "k"), tensor(bias, "b"), tensor(last, "w")]
    wanted = onnx.numpy_helper.from_array(np.array([0, -1]), "shape")
    nodes = [
        ("Conv", ["x", "k"], ["c"], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ("Add", ["c", "b"], ["s"], {}),
        ("Relu", ["s"], ["r"], {}),
    ]
    if shaping == "Flatten":
        nodes.append(("Flatten", ["r"], ["f"], {}))
    elif shaping == "Reshape":
        nodes.append(("Reshape", ["r", "shape"], ["f"], {}))
        weights.append(wanted)
    else:
        nodes += [("Constant", [], ["shape"], {"value": wanted}), ("Reshape", ["r", "shape"], ["f"], {})]
    path = save([*nodes, ("Gemm", ["f", "w"], ["y"], {"transB": 1})], ["N", 1, 3, 5], weights)
    layers, shape = read_onnx(path)
    inputs = random.normal(size=(4, *shape)).astype(np.float32)
    expected = Session(path, engine="onnxruntime", threads=1).run({"x": inputs})["y"]
    np.testing.assert_allclose(real_outputs(layers, inputs), expected, atol=1e-5)


K = np.ones((2, 1, 3, 3))


@pytest.mark.parametrize(
    ("nodes", "shape", "words"),
    [
        (
            [("Sigmoid", ["x"], ["y"], {})],
            ["N", 3],
            r"node 'y' \(Sigmoid\) cannot be taken: only Gemm, MatMul, .* are taken",
        ),
        ([("Gemm", ["x", "w"], ["y"], {"transA": 1})], ["N", 3], r"\(Gemm\) .*transA=1 is not taken"),
        ([("MatMul", ["x", "x"], ["y"], {})], ["N", 3], "its input 'x' is not a constant"),
        ([("MatMul", ["w", "x"], ["y"], {})], ["N", 3], "its first input must be 'x'"),
        ([("Add", ["x", "b"], ["y"], {})], ["N", 3], "only as the bias of the layer before it"),
        ([ONE, ("Add", ["y", "w"], ["z"], {})], ["N", 3], r"\(2, 3\) is not one number for each of 2 outputs"),
        ([("Relu", ["x"], ["y"], {})], ["N", 3], r"\(Relu\) .*it does not follow a layer"),
        ([ONE, ("MatMul", ["y", "b2"], ["z"], {})], ["N", 3], r"between it and 'y' \(Gemm\) there is no Relu"),
        ([ONE, ("Relu", ["y"], ["z"], {})], ["N", 3], "ends with a Relu"),
        ([ONE, ("Relu", ["x"], ["z"], {})], ["N", 3], "nodes must form one chain"),
        ([("MatMul", ["x", "nan"], ["y"], {})], ["N", 2], "its input 'nan' has numbers that are not finite"),
        ([ONE], ["N", 4], r"layer 0 takes 3 inputs, not \(4,\)"),
        ([ONE], ["N", 1, 1, 3], "is not flattened before"),
        ([ONE], ["N", "M"], r"'x' must be \(N, inputs\) or .* not \['\?', '\?'\]"),
        ([ONE], ["N", 3, 3], "'x' must be"),
        ([("Identity", ["x"], ["y"], {})], ["N", 3], "neither a dense layer nor a convolution"),
        ([("Conv", ["x", "k"], ["y"], {"group": 2})], ["N", 2, 3, 3], "group=2 is not taken"),
        ([("Conv", ["x", "k"], ["y"], {"dilations": [2, 2]})], ["N", 1, 9, 9], r"dilations=\[2, 2\] are not taken"),
        ([("Conv", ["x", "k"], ["y"], {"strides": [1, 2]})], ["N", 1, 9, 9], r"strides \[1, 2\]"),
        (
            [("Conv", ["x", "k"], ["y"], {"pads": [0, 1, 0, 1]})],
            ["N", 1, 9, 9],
            r"pads \[0, 1, 0, 1\] must be the same",
        ),
        ([("Conv", ["x", "k"], ["y"], {"auto_pad": "SAME_UPPER"})], ["N", 1, 9, 9], "auto_pad is not taken"),
        ([("Conv", ["x", "k"], ["y"], {})], ["N", 2, 9, 9], "convolution of 1 channels"),
        ([("Conv", ["x", "w"], ["y"], {})], ["N", 2, 9, 9], r"its input 'w' is float32 \(2, 3\)"),
        ([("Flatten", ["x"], ["y"], {"axis": 2})], ["N", 1, 2, 3], "axis=2 is not taken, only 1"),
        (
            [("Reshape", ["x", "shape"], ["y"], {})],
            ["N", 1, 2, 3],
            r"the shape \[2, 3\] is not taken, only \(batch, 6\)",
        ),
    ],
)
def test_what_is_not_taken_is_refused_with_the_node_and_the_reason(save, nodes, shape, words):
    weights = [tensor(W, "w"), tensor(B, "b"), tensor(np.ones((2, 2)), "b2"), tensor(K, "k"), tensor([2, 3], "shape")]
    weights.append(tensor(np.full((2, 2), np.nan), "nan"))
    path = save(nodes, shape, weights, outputs=nodes[-1][2])
    with pytest.raises(InputError, match=words) as caught:
        read_onnx(path)
    assert "net.onnx" in str(caught.value)


def test_a_model_with_two_outputs_is_refused(save):
    path = save([ONE, ("Relu", ["y"], ["z"], {})], ["N", 3], [tensor(W, "w"), tensor(B, "b")], outputs=("y", "z"))
    with pytest.raises(InputError, match="has 1 inputs and 2 outputs"):
        read_onnx(path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"not a model at all"])
def test_a_file_that_is_no_model_is_an_input_error(tmp_path, data):
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(InputError, match=r"net\.onnx"):
        read_onnx(tmp_path / "net.onnx")
    with pytest.raises(InputError, match="there is no model file"):
        read_onnx(tmp_path / "gone.onnx")


@pytest.fixture(scope="module")
def good_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "net.onnx"
    export_onnx(image_layers(), (2, 6, 7), path)
    return path.read_bytes()


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_model_with_one_byte_changed_raises_nothing_but_input_errors(good_model, tmp_path_factory, position, value):
    path = tmp_path_factory.mktemp("changed") / "net.onnx"
    data = bytearray(good_model)
    data[int(position * len(data))] = value
    path.write_bytes(data)
    try:
        read_onnx(path)
    except InputError as error:
        assert "net.onnx" in str(error)  # noqa: PT017  # raising is allowed, not required
