"""OpenVINO's own files: the outputs and the words of the ONNX file."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import METADATA, batches, blobs, write_net

from salticid.engine import export_openvino as module
from salticid.engine import packages
from salticid.engine.export_openvino import export_openvino
from salticid.engine.quantize import quantize_static
from salticid.engine.session import Session
from salticid.errors import InputError, IntegrityError, ResourceError


@pytest.fixture(autouse=True)
def openvino(needs):
    needs("openvino")


def test_both_files_are_written_and_run_at_any_size(tmp_path):
    net = write_net(tmp_path, labels_scale=8)
    parity = export_openvino(net, tmp_path / "net.xml", inputs=batches(2), weights="fp32")
    assert parity.relative < 1e-4
    assert {path.name for path in tmp_path.iterdir()} == {"net.onnx", "net.xml", "net.bin"}
    images = blobs(2, (96, 128))
    expected, found = (Session(tmp_path / name, threads=1).run({"image": images}) for name in ("net.onnx", "net.xml"))
    np.testing.assert_allclose(found["logits8"], expected["logits8"], atol=1e-5)
    assert (found["labels"] == expected["labels"]).mean() > 0.999


def test_weights_in_16_bits_halve_the_file(tmp_path):
    net = write_net(tmp_path)
    sizes = {}
    for weights in ("fp32", "fp16"):
        export_openvino(net, tmp_path / f"{weights}.xml", inputs=batches(1), weights=weights)
        sizes[weights] = (tmp_path / f"{weights}.bin").stat().st_size
    assert sizes["fp16"] < 0.55 * sizes["fp32"]


def test_a_file_in_8_bits_stays_in_8_bits(tmp_path):
    small = quantize_static(write_net(tmp_path), tmp_path / "small.onnx", batches()).path
    parity = export_openvino(small, tmp_path / "small.xml", inputs=batches(2))
    assert parity.relative < 0.1
    assert 'precision="I8"' in (tmp_path / "small.xml").read_text()


def test_the_metadata_come_along(tmp_path):
    export_openvino(write_net(tmp_path), tmp_path / "net.xml", inputs=batches(1))
    text = (tmp_path / "net.xml").read_text()
    for key, value in METADATA.items():
        assert key in text
        assert value.replace('"', "&quot;") in text


def test_a_difference_is_an_integrity_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BOUNDS", {"fp32": (0.0, 1.0), "fp16": (0.0, 1.0), "int8": (0.0, 1.0)})
    with pytest.raises(IntegrityError, match="differs from the reference"):
        export_openvino(write_net(tmp_path), tmp_path / "net.xml", inputs=batches(1))
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("net.bin", {}, "OpenVINO's files are called .xml"),
        ("net.xml", {"weights": "int4"}, "weights must be one of fp32, fp16"),
        ("net.xml", {"inputs": []}, "no inputs"),
    ],
)
def test_wrong_wishes_are_input_errors(tmp_path, name, options, words):
    with pytest.raises(InputError, match=words):
        export_openvino(write_net(tmp_path), tmp_path / name, **{"inputs": batches(1)} | options)


def test_existing_files_are_kept_unless_that_was_asked_for(tmp_path):
    net = write_net(tmp_path)
    (tmp_path / "net.bin").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"net\.bin exists"):
        export_openvino(net, tmp_path / "net.xml", inputs=batches(1))
    assert (tmp_path / "net.bin").read_bytes() == b"mine"


def test_a_disk_that_is_full_is_a_resource_error_and_leaves_no_file(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise RuntimeError("Cannot write")

    monkeypatch.setattr(packages.openvino(), "save_model", full)
    with pytest.raises(ResourceError, match=r"openvino cannot write .*is there room for it"):
        export_openvino(write_net(tmp_path), tmp_path / "net.xml", inputs=batches(1))
    assert {path.name for path in tmp_path.iterdir()} == {"net.onnx"}
