"""What an engine's exception becomes."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.engine.failures import LONGEST_QUOTE, load_failure, run_failure
from salticid.errors import InputError, ResourceError

FEEDS = {"x": np.zeros((2, 3), np.float32)}


@pytest.mark.parametrize(
    "words",
    [
        "Failed to allocate memory for requested buffer of size 140737488355328",  # onnxruntime
        "CUDA out of memory. Tried to allocate 2.00 GiB",  # torch
        "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried",  # torch
        "std::bad_alloc",  # openvino
    ],
)
def test_every_engine_s_way_to_say_no_memory_is_a_resource_error(words):
    assert isinstance(run_failure("net", "engine", FEEDS, RuntimeError(words)), ResourceError)
    assert isinstance(load_failure("net", "engine", RuntimeError(words)), ResourceError)


def test_any_other_failure_is_an_input_error_that_names_model_engine_and_inputs():
    error = run_failure("net.onnx", "openvino", FEEDS, RuntimeError("shapes  do\nnot fit"))
    assert isinstance(error, InputError)
    assert str(error) == "net.onnx does not run in openvino on x: float32 (2, 3): shapes do not fit"


def test_a_long_message_keeps_its_end_where_the_reason_stands():
    text = str(load_failure("net.onnx", "openvino", RuntimeError("frame\n" * 1000 + "the reason")))
    assert text.endswith("the reason")
    assert len(text) < LONGEST_QUOTE + 150
