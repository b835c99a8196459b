"""TensorRT's calls in their order, on a stand-in, and a clear word where it is not there."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from segmentation_net import batches, write_net

from salticid.engine.quantize import quantize_static
from salticid.engine.tensorrt import TensorRTOptimizer
from salticid.errors import InputError, MissingError


class StandIn:
    """The part of the tensorrt module that is used, which notes what is done with it."""

    __version__ = "10.3.0"
    BuilderFlag = SimpleNamespace(FP16="fp16", INT8="int8", TF32="tf32")
    MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
    NetworkDefinitionCreationFlag = SimpleNamespace(EXPLICIT_BATCH=0)

    def __init__(self):
        self.done = []
        self.plan = b"engine"
        self.problems = []
        self.Logger = type("Logger", (), {"ERROR": 2, "__init__": lambda self, level: None})
        self.OnnxParser = lambda network, logger: self
        self.num_errors = 0

    def Builder(self, logger):  # noqa: N802 - TensorRT's name
        return self

    def parse_from_file(self, path):
        self.num_errors = len(self.problems)
        return not self.problems

    def get_error(self, number):
        return self.problems[number]

    def build_serialized_network(self, network, config):
        return self.plan

    def create_builder_config(self):
        return self

    def create_optimization_profile(self):
        return self

    def create_network(self, flags):
        self.done.append(("create_network", flags))
        return self

    def __getattr__(self, name):
        if name not in ("set_flag", "clear_flag", "set_shape", "add_optimization_profile", "set_memory_pool_limit"):
            raise AttributeError(name)
        return lambda *given: self.done.append((name, *given[:1], *given[1:2]))


@pytest.fixture
def trt(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "tensorrt", stand_in)
    return stand_in


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


def flags(trt):
    return [entry for entry in trt.done if entry[0] in ("set_flag", "clear_flag")]


def test_without_tensorrt_the_error_says_what_to_install(net, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingError, match=r"'tensorrt' is not installed: install NVIDIA's driver and TensorRT 8\.6"):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("fp16", [("set_flag", "fp16")]), ("fp32", [("clear_flag", "tf32")])],
)
def test_an_engine_is_built_in_the_precision_that_was_asked_for(trt, net, tmp_path, precision, expected):
    path = TensorRTOptimizer(net).build_engine(tmp_path / "net.engine", precision, input_shape=(1, 3, 64, 96))
    assert path.read_bytes() == b"engine"
    assert flags(trt) == expected
    assert ("set_shape", "image", (1, 3, 64, 96)) in trt.done


def test_version_8_is_told_that_the_batch_is_explicit_and_version_10_is_not(trt, net, tmp_path):
    TensorRTOptimizer(net).build_engine(tmp_path / "ten.engine")
    StandIn.__version__, kept = "8.6.1", StandIn.__version__
    try:
        TensorRTOptimizer(net).build_engine(tmp_path / "eight.engine")
    finally:
        StandIn.__version__ = kept
    assert [entry for entry in trt.done if entry[0] == "create_network"] == [
        ("create_network", 0),
        ("create_network", 1),
    ]


def test_int8_takes_a_file_in_8_bits_without_zero_points_alone(trt, net, tmp_path):
    target = tmp_path / "net.engine"
    with pytest.raises(InputError, match="is not in 8 bits: write it with quantize_static"):
        TensorRTOptimizer(net).build_engine(target, "int8")
    with_zeros = quantize_static(net, tmp_path / "cpu.onnx", batches(1)).path
    with pytest.raises(InputError, match="has zero points, which TensorRT does not take"):
        TensorRTOptimizer(with_zeros).build_engine(target, "int8")
    without = quantize_static(net, tmp_path / "gpu.onnx", batches(1), form="tensorrt").path
    TensorRTOptimizer(without).build_engine(target, "int8")
    assert flags(trt) == [("set_flag", "fp16"), ("set_flag", "int8")]


def test_what_tensorrt_says_reaches_the_user(trt, net, tmp_path):
    trt.problems = ["no such operator"]
    with pytest.raises(InputError, match=r"TensorRT does not take .*: no such operator"):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine")
    trt.problems, trt.plan = [], None
    with pytest.raises(InputError, match="could not build"):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine")


def test_a_machine_without_a_gpu_is_a_missing_error(trt, net, tmp_path):
    def no_gpu(logger):
        raise TypeError("pybind11::init(): factory function returned nullptr")

    trt.Builder = no_gpu
    with pytest.raises(MissingError, match=r"TensorRT 10\.3\.0 found no GPU"):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine")


def test_a_version_without_the_flag_says_so(trt, net, tmp_path):
    trt.BuilderFlag = SimpleNamespace(TF32="tf32")
    with pytest.raises(MissingError, match=r"has no flag FP16: use 8\.6 to 10"):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp8"}, "precision must be one of fp16, fp32, int8"),
        ({"input_shape": (1, 4, 64, 96)}, "takes .* not \\(1, 4, 64, 96\\)"),
    ],
)
def test_wrong_wishes_are_input_errors(trt, net, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        TensorRTOptimizer(net).build_engine(tmp_path / "net.engine", **options)
