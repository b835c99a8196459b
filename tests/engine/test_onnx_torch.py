"""ONNX operators as torch functions: the numbers that onnxruntime computes."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.engine import onnx_graph
from salticid.engine.session import Session
from salticid.errors import InputError

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
TENSORS = {
    "two": np.array(2.0, np.float32),
    "zero": np.array(0.0, np.float32),
    "bias": np.linspace(-1, 1, 4, dtype=np.float32).reshape(1, 4, 1, 1),
    "scales": np.array([1, 1, 2, 3], np.float32),
    "smaller": np.array([1, 2, 1, 1], np.float32),
}

CASES = [
    ("Relu", [], {}),
    ("Clip", ["zero", "two"], {}),
    ("Sigmoid", [], {}),
    ("HardSigmoid", [], {"alpha": 1 / 6, "beta": 0.5}),
    ("HardSwish", [], {}),
    ("Add", ["bias"], {}),
    ("Mul", ["two"], {}),
    ("GlobalAveragePool", [], {}),
    ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("Resize", ["", "scales"], {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
]


def operator_of(kind, more, options):
    from salticid.engine.onnx_torch import operator

    node = onnx.helper.make_node(kind, ["x", *more], ["y"], name="it", **options)
    return operator(node, {name: TENSORS[name] for name in more if name})


@pytest.mark.parametrize(("kind", "more", "options"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_an_operator_gives_what_onnxruntime_gives(make_onnx, kind, more, options):
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 8), scale=2).astype(np.float32)
    weights = [onnx_graph.tensor(TENSORS[name], name) for name in more if name]
    data = make_onnx([(kind, ["x", *more], ["y"], options)], {"x": (1, list(x.shape))}, {"y": (1, None)}, weights)
    expected = Session(data, threads=1).run({"x": x})["y"]
    found = operator_of(kind, more, options)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_concatenation_joins_its_values():
    values = [torch.ones(1, 2, 3, 3), torch.zeros(1, 4, 3, 3)]
    from salticid.engine.onnx_torch import operator

    node = onnx.helper.make_node("Concat", ["a", "b"], ["y"], axis=1)
    assert operator(node, {})(*values).shape == (1, 6, 3, 3)


@pytest.mark.parametrize("pads", [[1, 1, 1, 1], [0, 0, 1, 1]])
def test_a_convolution_takes_padding_on_both_sides_or_one(make_onnx, pads):
    random = np.random.default_rng(1)
    x, w = random.normal(size=(1, 4, 6, 6)).astype(np.float32), random.normal(size=(4, 1, 3, 3)).astype(np.float32)
    options = {"pads": pads, "strides": [2, 2], "group": 4}
    data = make_onnx(
        [("Conv", ["x", "w"], ["y"], options)], {"x": (1, [1, 4, 6, 6])}, {"y": (1, None)}, [onnx_graph.tensor(w, "w")]
    )
    from salticid.engine.onnx_torch import operator

    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], **options)
    found = operator(node, {"w": w})(torch.from_numpy(x), torch.from_numpy(w), None).numpy()
    np.testing.assert_allclose(found, Session(data, threads=1).run({"x": x})["y"], atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "more", "options", "words"),
    [
        ("Tanh", [], {}, "is a Tanh: only Conv"),
        ("Resize", ["", "smaller"], {"mode": "linear"}, "use scale_factor="),
        ("Resize", ["", "scales"], {"mode": "nearest"}, "only bilinear"),
        (
            "Resize",
            ["", "scales"],
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
            "only bilinear",
        ),
        ("MaxPool", [], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1]}, "the same padding on both sides"),
        ("MaxPool", [], {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}, "auto_pad is not taken"),
        ("Concat", ["bias"], {"axis": 1}, "one of its inputs is a constant"),
    ],
)
def test_what_is_not_here_is_refused_by_its_name(kind, more, options, words):
    with pytest.raises(InputError, match=words) as caught:
        operator_of(kind, more, options)
    assert "'it'" in str(caught.value)
