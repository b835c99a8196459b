"""Exported files, measured as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from segmentation_net import batches, blobs, write_net

from salticid.engine import measured
from salticid.engine.measured import FileRun, measure
from salticid.errors import InputError, MissingError


def test_every_file_gets_its_bytes_time_outputs_and_metric(tmp_path):
    paths = [write_net(tmp_path), write_net(tmp_path, "labels.onnx", labels_scale=8)]
    asked = []
    rows = measure(
        [FileRun(path) for path in paths],
        blobs(1),
        threads=1,
        metric=lambda path: asked.append(path) or 0.5 + 0.25 * len(asked),
        repeats=3,
    )
    assert [row.path for row in rows] == paths == asked
    assert [row.bytes for row in rows] == [path.stat().st_size for path in paths]
    assert [row.outputs for row in rows] == [("logits8",), ("logits8", "labels")]
    assert [row.metric for row in rows] == [0.75, 1.0]
    assert all(row.median_ms > 0 for row in rows)


def test_what_cannot_run_here_keeps_its_size_and_has_no_time(tmp_path, monkeypatch):
    class NoBfloat16:
        outputs = ()
        inputs = ()

        def __init__(self, path, *, threads, precision):
            raise MissingError("no bf16")

    (tmp_path / "net.engine").write_bytes(b"12345")
    monkeypatch.setattr(measured, "Session", NoBfloat16)
    net = write_net(tmp_path)
    runs = [FileRun(tmp_path / "net.engine"), FileRun(net, "bf16")]
    engine, other = measure(runs, blobs(1), threads=1, metric=lambda path: pytest.fail("asked"))
    assert (engine.engine, engine.bytes, engine.median_ms, engine.metric) == ("tensorrt", 5, None, None)
    assert (other.precision, other.median_ms) == ("bf16", None)
    with pytest.raises(MissingError):
        measure([FileRun(net)], blobs(1), threads=1)


def test_openvinos_weights_count_with_its_file(tmp_path, needs):
    needs("openvino")
    from salticid.engine.export_openvino import export_openvino

    export_openvino(write_net(tmp_path), tmp_path / "net.xml", inputs=[blobs(1)])
    [row] = measure([FileRun(tmp_path / "net.xml")], blobs(1), threads=1, repeats=2)
    assert row.bytes == sum((tmp_path / name).stat().st_size for name in ("net.xml", "net.bin"))
    assert row.engine == "openvino"


def test_a_file_of_another_kind_is_an_input_error():
    with pytest.raises(InputError, match=r"net\.pt is no exported file"):
        measure([FileRun(Path("net.pt"))], blobs(1), threads=1)


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path):
    [row] = measure([FileRun(write_net(tmp_path, "NET.ONNX"))], batches(1)[0], threads=1, warmup=1, repeats=1)
    assert row.engine == "onnxruntime"
