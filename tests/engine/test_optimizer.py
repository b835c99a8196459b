"""The old names for the shrinking tools."""

from __future__ import annotations

import pytest
from segmentation_net import INPUT_SHAPE, segmentation_net

from salticid.engine import onnx_graph
from salticid.engine.optimizer import ModelOptimizer


@pytest.fixture(scope="module")
def optimizer():
    return ModelOptimizer(segmentation_net(), input_shape=INPUT_SHAPE)


def test_export_to_onnx_takes_the_options_of_export_onnx(optimizer, tmp_path):
    assert optimizer.export_to_onnx(tmp_path / "net.onnx", labels_scale=8).relative < 1e-5
    assert [output.name for output in onnx_graph.load(tmp_path / "net.onnx").graph.output] == ["logits8", "labels"]


def test_benchmark_times_torch_and_onnxruntime(optimizer):
    timings = optimizer.benchmark(warmup=1, repeats=3)
    assert [timing.name for timing in timings] == ["torch", "onnxruntime"]
    assert all(timing.median_ms > 0 for timing in timings)


def test_quantize_dynamic_writes_a_small_file(optimizer, tmp_path):
    done = optimizer.quantize_dynamic(tmp_path / "small.onnx")
    assert done.int8_bytes < done.float_bytes
    assert [path.name for path in tmp_path.iterdir()] == ["small.onnx"]


def test_profile_counts(optimizer):
    assert optimizer.profile().macs > 1e6
