"""A device that torch does not have is told, and never replaced."""

from __future__ import annotations

import pytest
import torch

from salticid.engine.torch_device import best_device, check_device
from salticid.errors import InputError, MissingError


@pytest.mark.parametrize("device", ["gpu", "tpu", "meta", "", "cuda:one"])
def test_a_device_of_another_name_is_refused(device):
    with pytest.raises(InputError, match=f"cpu, cuda or cuda:1, not '{device}'"):
        check_device(device)


def test_without_cuda_the_cpu_is_best_and_nothing_else_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert best_device() == "cpu"
    check_device("cpu")
    with pytest.raises(MissingError, match="--device cpu"):
        check_device("cuda")


def test_a_device_beyond_the_last_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert best_device() == "cuda"
    for device in ("cuda", "cuda:1"):
        check_device(device)
    with pytest.raises(MissingError, match=r"there is no cuda:2 here: torch sees 2"):
        check_device("cuda:2")
