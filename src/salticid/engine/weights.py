"""Weights and training states on disk: named tensors and a few facts, in safetensors files, which hold no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.core import atomic
from salticid.core.plain import to_json
from salticid.engine import packages
from salticid.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from torch import Tensor

SUFFIX = ".safetensors"
FACTS = "salticid"  # the one entry of the file's metadata


def write_weights(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], facts: Any = None, *, overwrite: bool = True
) -> None:
    """Write named tensors, and `facts` that JSON can say, in one step.

    Raises
    ------
    InputError, ResourceError
        The place cannot be written, or the disk is full.
    """
    packages.require("safetensors")
    from safetensors.torch import save

    # Copies, for tensors that share memory are refused; bytes, for what the library says of a full disk has no type.
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    atomic.write_bytes(path, save(own, metadata={FACTS: to_json(facts)}), overwrite=overwrite)


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    Raises
    ------
    InputError
        There is no such file, or it is of another kind.
    IntegrityError
        The file is damaged.
    """
    return read_state(path)[0]


def read_state(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], Any]:
    """Return the tensors of a safetensors file, and the facts that `write_weights` put beside them (None: others')."""
    packages.require("safetensors")
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    if file.suffix != SUFFIX:
        raise InputError(f"{file} is no {SUFFIX} file: weights of other kinds have to be converted first")
    try:
        with safe_open(file, framework="pt") as opened:
            facts = json.loads((opened.metadata() or {}).get(FACTS, "null"))
            return {name: opened.get_tensor(name) for name in opened.keys()}, facts  # noqa: SIM118 - it is no mapping
    except (SafetensorError, OSError, ValueError) as problem:
        raise IntegrityError(f"{file} is damaged ({problem}): write or fetch it again") from problem
