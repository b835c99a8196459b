"""`salticid export` of a network that stays one, as a user types it."""

from __future__ import annotations

import importlib.util
import json
import sys

import numpy as np
import pytest
from segmentation_net import INPUT_SHAPE, batches, segmentation_net, write_net

from salticid.cli.export_network import Job, export_network
from salticid.cli.output import Output
from salticid.core.image import write_image
from salticid.engine import onnx_graph
from salticid.engine.export_onnx import export_onnx
from salticid.engine.session import Session

NEEDS_OPENVINO = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


@pytest.fixture
def images(tmp_path):
    """Return a folder of images whose sides are no multiples of the network's stride."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, batch in enumerate(batches(4)):
        pixels = np.rint((batch[0].transpose(1, 2, 0)[:60, :90] + 1) * 127.5).astype(np.uint8)
        write_image(folder / f"{number}.png", pixels)
    return folder


@pytest.fixture
def export(salticid, net, tmp_path):
    """Return a function that exports `net` to out/ in one thread."""
    return lambda *words: salticid("export", net, *words, "--threads", 1, "-o", tmp_path / "out")


def outputs(path):
    return [output.name for output in onnx_graph.load(path).graph.output]


def test_an_onnx_file_gets_labels_and_a_table(export, tmp_path):
    done = export("--to", "onnx", "--outputs", "logits8,labels")
    assert done.code == 0, done.err
    assert outputs(tmp_path / "out" / "net.onnx") == ["logits8", "labels"]
    assert f"wrote {tmp_path / 'out' / 'net.onnx'}" in done.out
    assert "100.000% of classes equal" in done.out
    assert "file outputs engine precision size ms spread" in " ".join(done.out.split())
    assert len([line for line in done.out.splitlines() if "onnxruntime" in line]) == 2


def test_8_bits_come_from_a_folder_of_images(export, images, tmp_path):
    done = export("--to", "onnx", "--int8", "--calibrate", images, "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["files"] == [str(tmp_path / "out" / "net-int8.onnx")]
    source, small = report["rows"]
    assert small["bytes"] == (tmp_path / "out" / "net-int8.onnx").stat().st_size < source["bytes"]
    assert small["median_ms"] > 0
    assert report["int8"]["kept_float"] == ["/gate/gate.1/Conv", "/head/Conv"]
    assert 0 <= report["int8"]["loss"] < 0.2


def test_a_bound_on_the_changed_labels_keeps_layers_in_float(export, images):
    free = json.loads(export("--to", "onnx", "--int8", "--calibrate", images, "--json").out)["int8"]
    words = ["--most-loss", free["loss"] * 0.7, "--overwrite", "--json"]
    bound = json.loads(export("--to", "onnx", "--int8", "--calibrate", images, *words).out)["int8"]
    assert bound["loss"] <= free["loss"] * 0.7
    assert len(bound["nodes"]) < len(free["nodes"])
    assert [entry["node"] for entry in bound["ranking"][:1]] == [n for n in free["nodes"] if n not in bound["nodes"]][
        :1
    ]


def test_prepared_inputs_come_from_an_npy_file(export, tmp_path):
    np.save(tmp_path / "inputs.npy", np.concatenate(batches(3)))
    done = export("--to", "onnx", "--int8", "--calibrate", tmp_path / "inputs.npy")
    assert done.code == 0, done.err
    assert "input 1 x 3 x 64 x 96, 1 threads" in done.out


@NEEDS_OPENVINO
def test_openvino_gets_its_two_files_and_a_row_for_bf16(export, tmp_path):
    done = export("--to", "openvino", "--fp16", "--outputs", "logits8", "--json")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"net-fp16.xml", "net-fp16.bin"}
    rows = json.loads(done.out)["rows"]
    assert [(row["engine"], row["precision"]) for row in rows] == [
        ("onnxruntime", "fp32"),
        ("openvino", "fp32"),
        ("openvino", "bf16"),
    ]


@NEEDS_OPENVINO
def test_openvino_in_8_bits(export, images, tmp_path):
    done = export("--to", "openvino", "--int8", "--calibrate", images)
    assert done.code == 0, done.err
    assert Session(tmp_path / "out" / "net-int8.xml", threads=1).run({"image": batches(1)[0]})["logits8"].shape[1] == 5


def test_tensorrt_that_is_absent_is_exit_2_with_what_to_do(export, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    done = export("--to", "tensorrt", "--fp16")
    assert done.code == 2
    assert "the package 'tensorrt' is not installed: install NVIDIA's driver" in done.err
    assert not (tmp_path / "out").exists()


def test_a_metric_that_is_given_is_measured_on_the_exported_file_itself(net, tmp_path, capsys):
    asked = []

    def miou(path):
        asked.append(path)
        return 0.71 if path == net else 0.705

    job = Job(net, "onnx", tmp_path / "out", "net", None, None, False, True, None, 1, False)
    export_network(job, Output(), metric=miou, metric_name="mIoU")
    assert asked == [net, tmp_path / "out" / "net-fp16.onnx"]
    said = capsys.readouterr().out
    assert "mIoU" in said
    assert "0.705" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "onnx", "--int8"], "--int8 needs typical inputs: give a folder of images or an .npy file"),
        (["--to", "onnx", "--int8", "--fp16", "--calibrate", "{folder}"], "exclude each other"),
        (["--to", "onnx", "--most-loss", "0.1"], "--most-loss is a bound for --int8"),
        (["--to", "onnx", "--outputs", "scores"], "has no output 'scores': it has 'logits8'"),
        (["--to", "onnx", "--int8", "--calibrate", "{folder}"], "there is no image in"),
        (["--to", "onnx", "--int8", "--calibrate", "{folder}/gone.npy"], "there is no file"),
        (["--to", "onnx", "--weights", "int16"], "--weights is for --to c: other files have --int8 and --fp16"),
        (["--to", "c", "--int8"], "are not for --to c"),
    ],
)
def test_what_cannot_be_exported_is_exit_2_with_the_reason_and_leaves_no_file(export, tmp_path, words, said):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = export(*[word.format(folder=empty) for word in words])
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_a_network_that_does_not_say_what_it_takes_gets_no_images(salticid, images, tmp_path):
    export_onnx(segmentation_net(), tmp_path / "bare.onnx", input_shape=INPUT_SHAPE)
    done = salticid("export", tmp_path / "bare.onnx", "--to", "onnx", "--int8", "--calibrate", images, "-o", tmp_path)
    assert done.code == 2
    assert "does not say that it takes images as 'image / 127.5 - 1, RGB'" in done.err


def test_the_network_of_the_refinement_is_no_engines_file(salticid, tmp_path):
    done = salticid("export", "refine", "--to", "openvino", "-o", tmp_path)
    assert done.code == 2
    assert "refine is exported as c or onnx, not as openvino" in done.err


def test_a_card_is_found_by_its_name(salticid, tmp_path):
    done = salticid("export", "blazepose-full", "--to", "onnx", "-o", tmp_path / "out")
    assert done.code == 2
    assert "model 'blazepose-full' is not on this machine: run 'salticid models get blazepose-full'" in done.err


def test_an_existing_file_is_seen_before_the_work(export, tmp_path):
    assert export("--to", "onnx").code == 0
    again = export("--to", "onnx")
    assert again.code == 2
    assert "exists: choose another name, or say --overwrite" in again.err
    assert export("--to", "onnx", "--overwrite").code == 0


@pytest.mark.parametrize("to", ["onnx", pytest.param("openvino", marks=NEEDS_OPENVINO)])
def test_8_bits_and_labels_alone(export, images, tmp_path, to):
    done = export("--to", to, "--int8", "--calibrate", images, "--outputs", "labels", "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["rows"][1]["outputs"] == ["labels"]
    assert sorted(report["files"]) == sorted(map(str, (tmp_path / "out").iterdir()))


def test_a_file_never_takes_the_place_of_its_own_source(salticid, net):
    before = net.read_bytes()
    done = salticid("export", net, "--to", "onnx", "-o", net.parent, "--overwrite")
    assert done.code == 2
    assert "net.onnx is what would be exported: choose another folder, or a name with --prefix" in done.err
    assert net.read_bytes() == before


def test_a_place_that_cannot_be_written_to_is_seen_before_the_work(export, salticid, net, tmp_path, monkeypatch):
    monkeypatch.setattr("salticid.cli.export_network._written", lambda *_: pytest.fail("worked"))
    assert "--prefix must be the start of a file's name, not 'a/b'" in export("--to", "onnx", "--prefix", "a/b").err
    done = salticid("export", net, "--to", "onnx", "-o", net / "out")
    assert done.code == 2
    assert "net.onnx is a file; choose another folder" in done.err


def test_a_file_in_8_bits_is_not_written_in_8_bits_again(export, salticid, images, tmp_path):
    export("--to", "onnx", "--int8", "--calibrate", images)
    small = tmp_path / "out" / "net-int8.onnx"
    done = salticid("export", small, "--to", "onnx", "--int8", "--calibrate", images, "-o", tmp_path / "again")
    assert done.code == 2
    assert f"{small} is in 8 bits already" in done.err


def test_a_stride_that_is_no_number_is_an_input_error(salticid, net, images, tmp_path):
    model = onnx_graph.load(net)
    onnx_graph.set_metadata(model, {"salticid.stride": "wide"})
    net.write_bytes(model.SerializeToString())
    done = salticid("export", net, "--to", "onnx", "--calibrate", images, "-o", tmp_path / "out")
    assert done.code == 2
    assert "says salticid.stride = 'wide', which is no number of pixels" in done.err


def test_a_network_without_classes_is_measured_by_noise(salticid, tmp_path):
    export_onnx(segmentation_net(classes=1), tmp_path / "depth.onnx", input_shape=INPUT_SHAPE)
    np.save(tmp_path / "inputs.npy", np.concatenate(batches(3)))
    words = ["--to", "onnx", "--int8", "--calibrate", tmp_path / "inputs.npy", "--threads", 1, "-o", tmp_path / "out"]
    done = salticid("export", tmp_path / "depth.onnx", *words, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["int8"]["loss"] > 0
