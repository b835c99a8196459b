"""What an engine's own exception means to the user: a model that cannot be read, inputs that do not fit, no memory."""

from __future__ import annotations

from collections.abc import Mapping

from salticid.core.types import Array
from salticid.engine.tensors import describe
from salticid.errors import InputError, ResourceError, SalticidError
from salticid.runtime.ladder import is_out_of_memory

LONGEST_QUOTE = 300  # characters of an engine's message; they quote C++ call stacks


def load_failure(model: str, engine: str, error: Exception) -> SalticidError:
    """Return the error to raise when `engine` could not load `model`."""
    if is_out_of_memory(error):
        return ResourceError(f"no memory to load {model} in {engine}: {_quote(error)}")
    return InputError(f"{engine} cannot load {model} (cut off, not a model, or not supported by it): {_quote(error)}")


def run_failure(model: str, engine: str, feeds: Mapping[str, Array], error: Exception) -> SalticidError:
    """Return the error to raise when `engine` could not run `model` on `feeds`."""
    if is_out_of_memory(error):
        return ResourceError(f"no memory to run {model} in {engine} on {describe(feeds)}: use smaller inputs or tiles")
    return InputError(f"{model} does not run in {engine} on {describe(feeds)}: {_quote(error)}")


def _quote(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_QUOTE else f"... {text[-LONGEST_QUOTE:]}"
