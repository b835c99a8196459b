"""Import an inference engine: absent ones raise with the line that installs them, and none reports to its maker.

Both onnxruntime (from 1.29) and openvino send usage events and write an identifier below the home folder when they are
merely imported, unless they are told otherwise at that moment. So every import of them goes through here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from salticid.errors import MissingError

INSTALL = {
    "onnxruntime": "pip install onnxruntime",
    "onnx": "pip install 'salticid[train]'",
    "openvino": "pip install 'salticid[openvino]'",
    "pyarrow": "pip install 'salticid[parquet]'",
    "scipy": "pip install 'salticid[motion]'",
    "torch": "pip install 'salticid[train]'",
    "safetensors": "pip install 'salticid[train]'",
    "huggingface_hub": "pip install 'salticid[hub]'",
}


def onnxruntime() -> ModuleType:
    """Import onnxruntime with its telemetry off, unless the user has set `ORT_DISABLE_TELEMETRY` himself."""
    with _environment_default("ORT_DISABLE_TELEMETRY", "1"):  # latched by the library for the life of the process
        return require("onnxruntime")


def openvino() -> ModuleType:
    """Import openvino with its telemetry off: without the telemetry package it falls back to a stub of its own."""
    with _hidden("openvino_telemetry"):
        return require("openvino")


def onnx() -> ModuleType:
    """Import onnx, which reads and writes models."""
    return require("onnx")


def torch() -> ModuleType:
    """Import torch."""
    return require("torch")


def require(name: str) -> ModuleType:
    """Import the package `name`; raise `MissingError` with the line that installs it where it is absent."""
    if sys.modules.get(name) is None and importlib.util.find_spec(name) is None:
        raise missing(name)
    return importlib.import_module(name)


def missing(name: str) -> MissingError:
    """Return the error for the absent package `name`, with the line that installs it."""
    return MissingError(f"the package {name!r} is not installed: {INSTALL[name]}")


@contextmanager
def _environment_default(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a moment, unless it is set already."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Make `import name` fail for a moment, unless somebody has imported it already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the documented way to block an import
    try:
        yield
    finally:
        del sys.modules[name]
