"""`salticid export` as a user types it."""

from __future__ import annotations

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from small_networks import float_layer, refinement_network

from salticid.engine import c_verify
from salticid.engine.onnx_layers import export_onnx
from salticid.engine.onnx_read import read_onnx

pytest.importorskip("onnx", reason="the package onnx is not installed")
NO_BOARD = [tool for tool in c_verify.PACKAGES if shutil.which(tool) is None]


@pytest.fixture
def model(tmp_path):
    """Return the path of a small dense model, with inputs beside it in inputs.npy."""
    random = np.random.default_rng(0)
    layers = [float_layer(random, (6, 5), relu=True), float_layer(random, (2, 6), relu=False)]
    export_onnx(layers, (5,), tmp_path / "My-net 2.onnx")
    np.save(tmp_path / "inputs.npy", random.normal(size=(200, 5)).astype(np.float32))
    return tmp_path / "My-net 2.onnx"


@pytest.fixture
def own_network(monkeypatch):
    """Put a network with random weights in the place of the package's own."""
    random = np.random.default_rng(0)
    layers = [float_layer(random, (32, 49), relu=True), float_layer(random, (4, 32), relu=False)]
    network = SimpleNamespace(patch_network=refinement_network, layers=lambda: layers)
    monkeypatch.setitem(sys.modules, "salticid.stereo.refine_network", SimpleNamespace(load=lambda: network))
    return network


def test_a_model_becomes_c_by_typical_inputs(salticid, model, tmp_path):
    done = salticid("export", model, "--to", "c", "--calibration", tmp_path / "inputs.npy", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"my_net_2.{end}" for end in ("c", "h", "json")
    ]
    assert "void my_net_2_run(" in (tmp_path / "out" / "my_net_2.h").read_text()
    assert f"wrote {tmp_path / 'out' / 'my_net_2.c'}" in done.out
    assert "42 products" in done.out


def test_a_program_gets_the_report(salticid, own_network, tmp_path):
    done = salticid("export", "refine", "--to", "c", "-o", tmp_path, "--weights", "int16", "--prefix", "eye", "--json")
    report = json.loads(done.out)
    assert (report["prefix"], report["weights"], report["board"]) == ("eye", "int16", None)
    assert report["files"] == [str(tmp_path / f"eye.{end}") for end in ("c", "h", "json")]


@pytest.mark.slow
@pytest.mark.skipif(bool(NO_BOARD), reason=f"not installed: {', '.join(NO_BOARD)}")
def test_the_board_says_pass_with_its_figures(salticid, own_network, tmp_path):
    done = salticid("export", "refine", "--to", "c", "-o", tmp_path, "--verify", "qemu")
    assert done.code == 0, done.err
    board = json.loads((tmp_path / "refine.json").read_text())["board"]
    assert f"PASS: {board['checked']} results on a Cortex-M4F in QEMU, 0 bits different" in done.out
    assert f"{board['instructions']} instructions, at most {board['most_instructions']}" in done.out


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_here_it_passes_too(salticid, model, tmp_path):
    words = ["export", model, "--to", "c", "--calibration", tmp_path / "inputs.npy", "-o", tmp_path / "out"]
    done = salticid(*words, "--verify", "host")
    assert "PASS: 2000 results here, 0 bits different" in done.out


def test_the_own_network_becomes_onnx(salticid, own_network, tmp_path):
    done = salticid("export", "refine", "--to", "onnx", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    layers, shape = read_onnx(tmp_path / "out" / "refine.onnx")
    assert (len(layers), shape) == (2, (49,))
    assert "differs from numpy by" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{model}", "--to", "c"], "give some with --calibration FILE.npy"),
        (["{model}", "--to", "c", "--calibration", "{folder}/gone.npy"], "there is no file"),
        (["{model}", "--to", "c", "--calibration", "{model}"], "is no npy file of numbers"),
        (["{model}", "--to", "c", "--calibration", "{folder}/wrong.npy"], "must hold (N, 5) inputs, not (3, 4)"),
        (["{model}", "--to", "c", "--calibration", "{folder}/nan.npy"], "must be finite"),
        (["{model}", "--to", "c", "--calibration", "{folder}/zeros.npy"], "must not all be 0"),
        (["{model}", "--to", "c", "--calibration", "{folder}/inputs.npy", "--prefix", "2"], "prefix must be"),
        (["{folder}/gone.onnx", "--to", "c"], "there is no model file"),
        (["blazepose-full", "--to", "c"], "no model 'blazepose-full': give refine, or the path of an .onnx file"),
        (["refine", "--to", "c", "--calibration", "{folder}/inputs.npy"], "the ranges of refine are known"),
        (["refine", "--to", "onnx", "--verify", "host"], "--verify is for --to c"),
    ],
)
def test_what_cannot_be_exported_is_exit_2_with_the_reason_and_leaves_no_file(salticid, model, tmp_path, words, said):
    np.save(tmp_path / "wrong.npy", np.ones((3, 4)))
    np.save(tmp_path / "nan.npy", np.full((3, 5), np.nan))
    np.save(tmp_path / "zeros.npy", np.zeros((3, 5)))
    words = [word.format(model=model, folder=tmp_path) for word in words]
    done = salticid("export", *words, "-o", tmp_path / "out")
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["c", "onnx"])
def test_existing_files_are_replaced_only_when_that_was_asked_for(salticid, own_network, tmp_path, target):
    words = ["export", "refine", "--to", target, "-o", tmp_path]
    assert salticid(*words).code == 0
    again = salticid(*words)
    assert again.code == 2
    assert "exists: choose another name, or say --overwrite" in again.err
    assert salticid(*words, "--overwrite").code == 0


def test_whole_numbers_of_seven_bits_are_taken_as_they_are(salticid, model, tmp_path):
    np.save(tmp_path / "whole.npy", np.random.default_rng(0).integers(0, 128, (50, 5)).astype(np.uint8))
    done = salticid("export", model, "--to", "c", "--calibration", tmp_path / "whole.npy", "-o", tmp_path, "--json")
    report = json.loads(done.out)
    assert (report["input_scale"], report["input_zero"]) == (1.0, 0)


def test_real_inputs_get_the_scale_of_their_range_and_zero_stays_exact(salticid, model, tmp_path):
    np.save(tmp_path / "real.npy", np.linspace(-1.0, 3.0, 500).reshape(100, 5))
    done = salticid("export", model, "--to", "c", "--calibration", tmp_path / "real.npy", "-o", tmp_path, "--json")
    report = json.loads(done.out)
    assert report["input_scale"] == pytest.approx(4 / 127)
    assert report["input_zero"] == 32


def test_the_verb_explains_itself(salticid):
    done = salticid("export", "--help")
    assert done.code == 0
    for flag in ("--to", "--weights", "--prefix", "--verify", "--calibration", "--overwrite", "--json", "--quiet"):
        assert flag in done.out
