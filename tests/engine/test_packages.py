"""Importing engines: absent ones are named with their remedy, present ones stay silent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from salticid.engine import packages
from salticid.errors import MissingError


@pytest.mark.parametrize("name", sorted(packages.INSTALL))
def test_an_absent_package_is_a_missing_error_with_the_line_that_installs_it(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingError, match=r"pip install") as caught:
        packages.require(name)
    assert packages.INSTALL[name] in str(caught.value)


def test_an_engine_writes_nothing_into_the_home_folder(tmp_path, conv_net, engine):
    model = tmp_path / "net.onnx"
    model.write_bytes(conv_net)
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
import numpy as np
from salticid.engine.session import Session
Session({str(model)!r}, engine={engine!r}, threads=1).run({{"image": np.zeros((1, 3, 4, 4), np.float32)}})
"""
    _python(code, HOME=str(home))
    assert list(home.rglob("*")) == []


def test_the_environment_and_the_modules_are_as_before_an_import(monkeypatch, needs):
    needs("openvino")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    packages.onnxruntime()
    packages.openvino()
    assert "ORT_DISABLE_TELEMETRY" not in os.environ
    assert sys.modules.get("openvino_telemetry", "absent") is not None


def test_what_the_user_says_about_telemetry_is_left_alone(monkeypatch):
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    packages.onnxruntime()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"


def test_importing_the_engine_layer_imports_no_engine():
    code = """
import sys
import salticid.engine.session, salticid.engine.models, salticid.engine.bench
heavy = {"onnxruntime", "openvino", "torch", "huggingface_hub", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""
    _python(code)


def _python(code: str, **environment: str) -> None:
    """Run `code` in a fresh interpreter in which nothing turns telemetry off."""
    hushed = ("CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY")
    inherited = {key: value for key, value in os.environ.items() if key not in hushed}
    environment = inherited | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""
