"""What may be asked of an engine."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from salticid.engine.settings import Settings
from salticid.errors import InputError


@pytest.mark.parametrize(
    ("device", "cuda"), [("auto", None), ("cpu", None), ("cuda", "0"), ("cuda:0", "0"), ("cuda:3", "3")]
)
def test_a_gpu_that_was_named_is_known_by_its_number(device, cuda):
    assert Settings(device, 1, "fp32", None).cuda == cuda


@example("cuda:\u0663")  # a digit, but not one that an engine reads
@given(st.text(max_size=8).filter(lambda text: text not in ("auto", "cpu", "cuda")))
def test_no_other_device_is_taken(device):
    assume(not (device.removeprefix("cuda:").isdecimal() and device.isascii()))
    with pytest.raises(InputError, match="device must be"):
        Settings(device, 1, "fp32", None)


@pytest.mark.parametrize("threads", [0, -1, 1.0, "2", None, True, 1025])
def test_threads_are_a_whole_number_in_reason(threads):
    with pytest.raises(InputError, match="threads must be a whole number from 1 to 1024"):
        Settings("cpu", threads, "fp32", None)
