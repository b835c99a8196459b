"""Small networks and packages that the tests of the engine are made with."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def needs() -> Callable[[str], None]:
    """Return a function that skips where a package is not installed; it does not import it, for that has effects."""

    def skip_unless_installed(name: str) -> None:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")

    return skip_unless_installed


@pytest.fixture(params=["onnxruntime", "openvino"], scope="session")
def engine(request, needs) -> str:
    """Return every engine that runs ONNX files."""
    needs(request.param)
    return request.param


@pytest.fixture(scope="session")
def make_onnx():
    """Return a function from nodes, inputs, outputs and weights to the bytes of an ONNX model."""
    helper = pytest.importorskip("onnx.helper", reason="the models of these tests are built with the onnx package")

    def make(nodes, inputs: dict, outputs: dict, weights=()) -> bytes:
        def infos(shapes):
            return [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in shapes.items()]

        made = [helper.make_node(kind, ins, outs, **attributes) for kind, ins, outs, attributes in nodes]
        graph = helper.make_graph(made, "graph", infos(inputs), infos(outputs), list(weights))
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()

    return make


@pytest.fixture(scope="session")
def conv_weights():
    """Return kernel (4, 3, 3, 3) and bias (4,) of the convolution in `conv_net`."""
    random = np.random.default_rng(0)
    return random.standard_normal((4, 3, 3, 3)).astype(np.float32), random.standard_normal(4).astype(np.float32)


@pytest.fixture(scope="session")
def conv_net(make_onnx, conv_weights) -> bytes:
    """Return image (N, 3, H, W) -> features (N, 4, H, W), the ReLU of a convolution, and their negative."""
    from onnx import numpy_helper

    kernel, bias = (numpy_helper.from_array(array, name) for array, name in zip(conv_weights, ("k", "b"), strict=True))
    nodes = [
        ("Conv", ["image", "k", "b"], ["conv"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["conv"], ["features"], {}),
        ("Neg", ["features"], ["negative"], {}),
    ]
    size = ["H", "W"]
    outputs = {"features": (1, ["N", 4, *size]), "negative": (1, ["N", 4, *size])}
    return make_onnx(nodes, {"image": (1, ["N", 3, *size])}, outputs, [kernel, bias])


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    """Return the empty folder that models are fetched to in this test."""
    monkeypatch.setenv("SALTICID_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def publish_wheel(tmp_path, monkeypatch, needs) -> Callable[..., str]:
    """Return a function that publishes a wheel where pip, cut off from any index, finds it."""
    needs("pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)

    def publish(members: dict[str, bytes], name: str = "toy-1.0-py3-none-any.whl") -> str:
        stem = "-".join(name.split("-")[:2])
        tags = "-".join(name.removesuffix(".whl").split("-")[2:])
        members = members | {
            f"{stem}.dist-info/METADATA": b"Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
            f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n".encode(),
        }
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as wheel:
            for path, data in members.items():
                wheel.writestr(path, data)
            wheel.writestr(
                f"{stem}.dist-info/RECORD", "\n".join(f"{path},{_digest(members[path])}" for path in members)
            )
        return name

    return publish


def _digest(data: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
