"""A network that tells colors apart, and pictures for it."""

from __future__ import annotations

import pytest
from color_network import color_network

from salticid.segment.infer import Segmenter


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    """Return the file of a network with both outputs and all metadata."""
    path = tmp_path_factory.mktemp("models") / "colors.onnx"
    path.write_bytes(color_network())
    return path


@pytest.fixture(scope="session")
def segmenter(model_path):
    return Segmenter(model_path, threads=1)
