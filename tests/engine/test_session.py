"""One interface over three engines: the same numbers, the same checks, the same errors."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.engine import packages
from salticid.engine.session import Session
from salticid.engine.tensors import TensorSpec
from salticid.errors import InputError, MissingError, ResourceError, SalticidError

IMAGE = np.random.default_rng(1).random((1, 3, 9, 7), np.float32)


@pytest.fixture(scope="module")
def sessions(conv_net, conv_weights, needs):
    """Return the same network in all three engines."""
    needs("openvino")
    needs("torch")
    return {
        "onnxruntime": Session(conv_net, threads=1),
        "openvino": Session(conv_net, engine="openvino", threads=1),
        "torch": Session(_torch_net(conv_weights), threads=1, outputs=("features", "negative")),
    }


@given(count=st.integers(1, 2), height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_all_engines_agree_to_a_hundred_thousandth_on_any_size(sessions, count, height, width, seed):
    image = np.random.default_rng(seed).standard_normal((count, 3, height, width)).astype(np.float32)
    results = {name: session.run({"image": image}) for name, session in sessions.items()}
    for result in results.values():
        assert list(result) == ["features", "negative"]
        np.testing.assert_allclose(result["features"], results["onnxruntime"]["features"], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(result["negative"], -result["features"])
        assert result["features"].dtype == np.float32


def test_inputs_and_outputs_are_told_with_free_axes_as_none(conv_net, engine):
    session = Session(conv_net, engine=engine, threads=1)
    assert session.inputs == (TensorSpec("image", "float32", (None, 3, None, None)),)
    assert session.outputs == (
        TensorSpec("features", "float32", (None, 4, None, None)),
        TensorSpec("negative", "float32", (None, 4, None, None)),
    )
    assert (session.engine, session.device, session.threads, session.precision) == (engine, "cpu", 1, "fp32")


@pytest.mark.parametrize(("kind", "dtype"), [(1, "float32"), (11, "float64"), (6, "int32"), (7, "int64"), (2, "uint8")])
def test_types_other_than_float32_pass_through(make_onnx, engine, kind, dtype):
    model = make_onnx([("Identity", ["x"], ["y"], {})], {"x": (kind, [2, 2])}, {"y": (kind, [2, 2])})
    session = Session(model, engine=engine, threads=1)
    x = np.arange(4).reshape(2, 2).astype(dtype)
    assert session.inputs[0].dtype == dtype
    np.testing.assert_array_equal(session.run({"x": x})["y"], x)


def test_files_choose_their_engine_by_suffix(tmp_path, conv_net, needs):
    path = tmp_path / "net.onnx"
    path.write_bytes(conv_net)
    assert Session(path, threads=1).engine == "onnxruntime"
    assert Session(str(path), threads=1).engine == "onnxruntime"
    needs("openvino")
    openvino = packages.openvino()
    openvino.save_model(openvino.Core().read_model(path), tmp_path / "net.xml", compress_to_fp16=False)
    session = Session(tmp_path / "net.xml", threads=1)
    assert session.engine == "openvino"
    np.testing.assert_allclose(
        session.run({"image": IMAGE})["features"],
        Session(path, threads=1).run({"image": IMAGE})["features"],
        rtol=1e-5,
        atol=1e-5,
    )


def test_only_the_wanted_outputs_come_back_and_in_that_order(conv_net, engine):
    session = Session(conv_net, engine=engine, threads=1, outputs=["negative"])
    assert [spec.name for spec in session.outputs] == ["negative"]
    assert list(session.run({"image": IMAGE})) == ["negative"]
    both = Session(conv_net, engine=engine, threads=1, outputs=["negative", "features"]).run({"image": IMAGE})
    assert list(both) == ["negative", "features"]
    assert both["features"].min() >= 0 >= both["negative"].max()


def test_what_only_unwanted_outputs_need_is_not_computed(make_onnx, engine):
    """onnxruntime by itself computes every node, with only_execute_path_to_fetches too (1.31)."""
    layers = [("MatMul", ["x" if k == 0 else f"m{k}", "x"], [f"m{k + 1}"], {}) for k in range(30)]
    nodes = [("Neg", ["x"], ["cheap"], {}), *layers, ("Tanh", ["m30"], ["dear"], {})]
    shape = {"dear": (1, ["N", "N"]), "cheap": (1, ["N", "N"])}
    model = make_onnx(nodes, {"x": (1, ["N", "N"])}, shape)
    x = np.random.default_rng(0).random((300, 300), np.float32)
    whole, part = (Session(model, engine=engine, threads=1, outputs=outputs) for outputs in (None, ["cheap"]))
    np.testing.assert_array_equal(part.run({"x": x})["cheap"], -x)
    assert _fastest(lambda: part.run({"x": x})) < _fastest(lambda: whole.run({"x": x})) / 5


def test_wanted_outputs_of_a_model_with_weights_beside_it_find_them(tmp_path, make_onnx, engine):
    from onnx import TensorProto

    tensor = TensorProto(name="w", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    nodes = [("Add", ["x", "w"], ["y"], {}), ("Neg", ["y"], ["z"], {})]
    (tmp_path / "net.onnx").write_bytes(make_onnx(nodes, {"x": (1, [4])}, {"y": (1, [4]), "z": (1, [4])}, [tensor]))
    (tmp_path / "weights.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    session = Session(tmp_path / "net.onnx", engine=engine, threads=1, outputs=["y"])
    np.testing.assert_array_equal(session.run({"x": np.ones(4, np.float32)})["y"], [1, 2, 3, 4])


def test_what_a_file_says_of_itself_can_be_read_in_every_format(tmp_path, conv_net, needs):
    import onnx

    model = onnx.load_from_string(conv_net)
    onnx.helper.set_model_props(model, {"salticid.classes": '["Road", "Straße"]'})
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    told = {"salticid.classes": '["Road", "Straße"]'}
    assert Session(path, threads=1).metadata == told
    assert Session(path.read_bytes(), threads=1, outputs=["features"]).metadata == told
    assert Session(conv_net, threads=1).metadata == {}
    needs("openvino")
    assert Session(path, engine="openvino", threads=1).metadata == told
    openvino = packages.openvino()
    graph = openvino.Core().read_model(path)
    openvino.save_model(graph, tmp_path / "kept.xml", compress_to_fp16=False)
    assert Session(tmp_path / "kept.xml", threads=1).metadata.items() >= told.items()
    graph.set_rt_info("ours", "salticid.classes")
    openvino.save_model(graph, tmp_path / "own.xml", compress_to_fp16=False)
    assert Session(tmp_path / "own.xml", threads=1).metadata["salticid.classes"] == "ours"


def test_an_input_that_is_also_an_output_shares_no_memory(make_onnx, engine):
    model = make_onnx(
        [("Relu", ["x"], ["t"], {}), ("Identity", ["x"], ["y"], {})], {"x": (1, [4])}, {"y": (1, [4]), "t": (1, [4])}
    )
    x = np.array([-1, 2, -3, 4], np.float32)
    session = Session(model, engine=engine, threads=1)
    first = session.run({"x": x})
    second = session.run({"x": -x})
    np.testing.assert_array_equal(x, [-1, 2, -3, 4])
    np.testing.assert_array_equal(first["y"], x)
    np.testing.assert_array_equal(second["t"], [1, 0, 3, 0])
    assert not np.shares_memory(first["y"], x)


def test_strided_and_read_only_arrays_give_what_their_copies_give(conv_net, engine):
    session = Session(conv_net, engine=engine, threads=1)
    strided = np.random.default_rng(0).random((1, 9, 7, 3), np.float32).transpose(0, 3, 1, 2)[:, ::-1]
    strided.flags.writeable = False
    np.testing.assert_array_equal(
        session.run({"image": strided})["features"], session.run({"image": strided.copy()})["features"]
    )


def test_one_session_serves_many_threads(conv_net, engine):
    session = Session(conv_net, engine=engine, threads=1)
    images = [np.full((1, 3, 8, 8), index, np.float32) for index in range(16)]
    alone = [session.run({"image": image})["features"] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: session.run({"image": image})["features"], images))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="the threads of a process are counted in Linux's /proc"
)
@pytest.mark.parametrize("threads", [1, 3])
def test_onnxruntime_starts_just_the_threads_that_it_was_given(conv_net, threads):
    gc.collect()  # the sessions of other tests take their threads with them
    before = len(os.listdir("/proc/self/task"))  # noqa: PTH208  # a count of names, no paths
    session = Session(conv_net, threads=threads)
    session.run({"image": IMAGE})
    assert len(os.listdir("/proc/self/task")) - before == threads - 1  # noqa: PTH208


def test_threads_that_wait_for_work_use_no_cpu(conv_net, engine):
    """onnxruntime's would spin, and take from the other workers the cores that they were given."""
    session = Session(conv_net, engine=engine, threads=2)
    session.run({"image": np.zeros((1, 3, 64, 64), np.float32)})
    others_before, end = time.process_time() - time.thread_time(), time.perf_counter() + 0.1
    while time.perf_counter() < end:
        pass
    assert time.process_time() - time.thread_time() - others_before < 0.03


def test_openvino_says_how_many_threads_it_uses(conv_net, needs):
    needs("openvino")
    assert Session(conv_net, engine="openvino", threads=1).threads == 1
    assert Session(conv_net, engine="openvino", threads=1000).threads <= (os.cpu_count() or 1)


def test_openvino_rounds_to_bfloat16_only_when_asked(conv_net, needs):
    needs("openvino")
    wide = Session(conv_net, engine="openvino", threads=1)
    exact = Session(conv_net, threads=1).run({"image": IMAGE})["features"]
    assert np.abs(wide.run({"image": IMAGE})["features"] - exact).max() < 1e-5
    try:
        narrow = Session(conv_net, engine="openvino", threads=1, precision="bf16")
    except MissingError:
        pytest.skip("this CPU has no bfloat16 arithmetic")
    assert narrow.precision == "bf16"
    assert 1e-4 < np.abs(narrow.run({"image": IMAGE})["features"] - exact).max() < 0.1


@pytest.mark.parametrize("damage", ["cut", "garbage", "zeros"])
def test_a_damaged_file_is_an_input_error_that_names_it_and_prints_nothing(tmp_path, conv_net, engine, damage, capfd):
    data = {"cut": conv_net[:-40], "garbage": b"no model at all" * 20, "zeros": bytes(500)}[damage]
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"net\.onnx"):
        Session(path, engine=engine, threads=1)
    with pytest.raises(InputError, match="given as bytes"):
        Session(data, engine=engine, threads=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["net.tflite", "net.xml"])
@pytest.mark.parametrize("data", [b"<net></net>" * 10, b"    TFL3" + bytes(100), bytes(100), b"name: 'x'"])
def test_damaged_files_of_openvino_are_input_errors_too(tmp_path, needs, name, data, capfd):
    needs("openvino")
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=name):
        Session(path, threads=1)
    assert capfd.readouterr() == ("", "")


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_a_model_with_one_byte_changed_loads_or_is_an_error_of_ours(conv_net, engine, position, value):
    data = bytearray(conv_net)
    data[int(position * len(data))] = value
    try:
        Session(bytes(data), engine=engine, threads=1)
    except SalticidError as error:
        assert "given as bytes" in str(error)  # noqa: PT017  # raising is allowed, not required


def test_a_name_that_is_not_utf8_is_an_input_error(conv_net, engine):
    with pytest.raises(InputError, match="given as bytes"):
        Session(conv_net.replace(b"negative", b"negativ\xf1"), engine=engine, threads=1)


def test_a_file_that_is_absent_empty_or_of_another_kind_is_an_input_error(tmp_path, conv_net):
    with pytest.raises(InputError, match=r"no model file .*gone\.onnx"):
        Session(tmp_path / "gone.onnx", threads=1)
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(InputError, match=r"empty\.onnx is empty"):
        Session(tmp_path / "empty.onnx", threads=1)
    (tmp_path / "net.pt").write_bytes(conv_net)
    with pytest.raises(InputError, match=r"net\.pt.*\.onnx, \.tflite, \.xml"):
        Session(tmp_path / "net.pt", threads=1)
    with pytest.raises(InputError, match="not int"):
        Session(7, threads=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"threads": 0}, "threads must be .* not 0"),
        ({"threads": True}, "threads must be .* not True"),
        ({"threads": 10**6}, "threads must be .* not 1000000"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda or cuda:N, not 'gpu'"),
        ({"device": "cuda:x"}, "device must be"),
        ({"precision": "int8"}, "precision must be one of fp32, bf16, fp16, not 'int8'"),
        ({"precision": "bf16"}, "onnxruntime computes in the types that the file holds"),
        ({"engine": "tensorrt"}, "engine must be auto, onnxruntime, openvino, torch, not 'tensorrt'"),
        ({"engine": "torch"}, "torch does not run .*; onnxruntime and openvino would"),
        ({"outputs": []}, "outputs must name at least one"),
        ({"outputs": ["feature"]}, "no output 'feature': did you mean 'features'"),
    ],
)
def test_a_wrong_argument_is_an_input_error_that_says_what_is_right(conv_net, arguments, words):
    with pytest.raises(InputError, match=words):
        Session(conv_net, **{"threads": 1} | arguments)


def test_a_named_device_is_never_replaced(conv_net, needs):
    if "CUDAExecutionProvider" in packages.onnxruntime().get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(MissingError, match=r"device='cuda:1'.*onnxruntime-gpu"):
        Session(conv_net, device="cuda:1", threads=1)
    needs("openvino")
    with pytest.raises(InputError, match="device='cuda'"):
        Session(conv_net, engine="openvino", device="cuda", threads=1)


def test_a_signal_after_several_openvino_sessions_does_not_end_the_process(conv_net, needs, tmp_path):
    """Jupyter and pytest have a stack for signals (faulthandler); OpenVINO's cores leave a broken one in its place."""
    needs("openvino")
    (tmp_path / "net.onnx").write_bytes(conv_net)
    program = f"""
        import faulthandler, os, signal
        faulthandler.enable()
        from salticid.engine.session import Session
        first = Session({str(tmp_path / "net.onnx")!r}, engine="openvino", threads=1)
        second = Session({str(tmp_path / "net.onnx")!r}, engine="openvino", threads=1)
        del first
        del second
        signal.signal(signal.SIGINT, lambda *_: print("handled"))
        os.kill(os.getpid(), signal.SIGINT)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


def test_an_absent_engine_is_a_missing_error(conv_net, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[openvino\]'"):
        Session(conv_net, engine="openvino", threads=1)


@pytest.mark.parametrize("threads", [1, 2])
def test_inputs_that_fit_each_axis_but_not_the_network_are_an_input_error(make_onnx, engine, threads):
    """On one thread OpenVINO's plain `infer` returns stale buffers here, without an error."""
    model = make_onnx([("Add", ["a", "b"], ["y"], {})], {"a": (1, ["N"]), "b": (1, ["M"])}, {"y": (1, ["K"])})
    session = Session(model, engine=engine, threads=threads)
    two, three = np.ones(2, np.float32), np.ones(3, np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(session.run({"a": two, "b": two})["y"], [2, 2])
        with pytest.raises(InputError, match=r"does not run in .* on a: float32 \(2,\), b: float32 \(3,\)"):
            session.run({"a": two, "b": three})


def test_a_network_that_asks_for_too_much_memory_is_a_resource_error(make_onnx):
    model = make_onnx([("ConstantOfShape", ["n"], ["y"], {})], {"n": (7, [1])}, {"y": (1, ["N"])})
    with pytest.raises(ResourceError, match="no memory to run"):
        Session(model, threads=1).run({"n": np.array([1 << 45])})


def test_text_is_not_a_tensor_of_numbers(make_onnx, engine):
    model = make_onnx([("Identity", ["x"], ["y"], {})], {"x": (8, [1])}, {"y": (8, [1])})
    with pytest.raises(InputError, match=r"'[xy]'.*only tensors of numbers"):
        Session(model, engine=engine, threads=1)


def test_weights_outside_the_model_s_folder_are_not_read(tmp_path, make_onnx, engine):
    from onnx import TensorProto

    tensor = TensorProto(name="w", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret.bin"
    model = make_onnx([("Add", ["x", "w"], ["y"], {})], {"x": (1, [4])}, {"y": (1, [4])}, [tensor])
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "net.onnx").write_bytes(model)
    with pytest.raises(InputError, match="outside its folder"):
        Session(tmp_path / "model" / "net.onnx", engine=engine, threads=1)
    with pytest.raises(InputError, match="give the path"):
        Session(model, engine=engine, threads=1)


def _fastest(run):
    def once():
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return min(once() for _ in range(7))


def _torch_net(conv_weights):
    torch = packages.torch()

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)
            self.relu = torch.nn.ReLU(inplace=True)

        def forward(self, image):
            features = self.relu(self.conv(image))
            return features, -features

    net = Net().eval()
    with torch.no_grad():
        net.conv.weight.copy_(torch.tensor(conv_weights[0]))
        net.conv.bias.copy_(torch.tensor(conv_weights[1]))
    return net
