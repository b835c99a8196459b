"""Named tensors and facts come back as they were, and damaged files are told from missing ones."""

from __future__ import annotations

import pytest
import torch

from salticid.engine.weights import read_state, read_weights, write_weights
from salticid.errors import InputError, IntegrityError

TENSORS = {
    "a.weight": torch.arange(6.0).reshape(2, 3),
    "half": torch.ones(2, dtype=torch.float16),
    "steps": torch.tensor(7),
}


def test_tensors_and_facts_come_back(tmp_path):
    write_weights(tmp_path / "w.safetensors", TENSORS, {"epochs": 3, "best": [0.5, 2]})
    tensors, facts = read_state(tmp_path / "w.safetensors")
    assert facts == {"epochs": 3, "best": [0.5, 2]}
    assert all(
        torch.equal(tensors[name], TENSORS[name]) and tensors[name].dtype == TENSORS[name].dtype for name in TENSORS
    )


def test_a_tensor_in_another_order_of_memory_is_written_as_what_it_is(tmp_path):
    strided = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    write_weights(tmp_path / "w.safetensors", {"x": strided})
    assert torch.equal(read_weights(tmp_path / "w.safetensors")["x"], strided)


def test_files_of_others_have_no_facts(tmp_path):
    from safetensors.torch import save_file

    save_file(TENSORS, tmp_path / "w.safetensors")
    assert read_state(tmp_path / "w.safetensors")[1] is None


@pytest.mark.parametrize("keep", [0, 4, 100])
def test_a_file_that_is_cut_off_is_damaged(tmp_path, keep):
    path = tmp_path / "w.safetensors"
    write_weights(path, TENSORS)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(IntegrityError, match="damaged"):
        read_weights(path)


def test_a_missing_file_and_one_of_another_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_weights(tmp_path / "w.safetensors")
    (tmp_path / "w.pth").touch()
    with pytest.raises(InputError, match="converted"):
        read_weights(tmp_path / "w.pth")


def test_nothing_is_replaced_unasked(tmp_path):
    write_weights(tmp_path / "w.safetensors", TENSORS)
    with pytest.raises(InputError, match="exists"):
        write_weights(tmp_path / "w.safetensors", TENSORS, overwrite=False)
