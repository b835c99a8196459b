"""A model from a stranger reads no file outside its folder, whatever engine is installed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.engine.external_data import check_bytes, check_file
from salticid.errors import InputError


@pytest.fixture(scope="module")
def adder(make_onnx):
    """Return a function from the place of the weight's bytes to the model y = x + weight."""
    from onnx import TensorProto

    def make(location: str, nodes=None) -> bytes:
        return make_onnx(
            nodes or [("Add", ["x", "weight"], ["y"], {})],
            {"x": (1, [4])},
            {"y": (1, [4])},
            [_external(TensorProto, location)],
        )

    return make


def test_weights_in_the_model_s_folder_are_allowed(tmp_path, adder):
    (tmp_path / "weights.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    (tmp_path / "net.onnx").write_bytes(adder("weights.bin"))
    check_file(tmp_path / "net.onnx")


@pytest.mark.parametrize("location", ["../secret.bin", "{root}/secret.bin", "link.bin", "sub/../../secret.bin", "a\0b"])
def test_weights_outside_the_model_s_folder_are_refused(tmp_path, adder, location):
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "link.bin").symlink_to("../secret.bin")
    (folder / "net.onnx").write_bytes(adder(location.format(root=tmp_path)))
    with pytest.raises(InputError, match="outside its folder") as caught:
        check_file(folder / "net.onnx")
    assert "net.onnx" in str(caught.value)


def test_a_model_that_is_itself_a_link_may_keep_its_weights_beside_its_target(tmp_path, adder):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "blobs" / "1").write_bytes(adder("weights.bin"))
    (tmp_path / "blobs" / "2").write_bytes(bytes(16))
    (tmp_path / "snapshot" / "net.onnx").symlink_to("../blobs/1")
    (tmp_path / "snapshot" / "weights.bin").symlink_to("../blobs/2")
    check_file(tmp_path / "snapshot" / "net.onnx")


def test_missing_weights_are_named(tmp_path, adder):
    (tmp_path / "net.onnx").write_bytes(adder("weights.bin"))
    with pytest.raises(InputError, match=r"weights.bin.*missing"):
        check_file(tmp_path / "net.onnx")


def test_a_model_given_as_bytes_may_not_keep_weights_in_files(adder):
    with pytest.raises(InputError, match="give the path"):
        check_bytes(adder("weights.bin"), "the bytes")


def test_weights_hidden_in_a_branch_of_a_node_are_found(tmp_path, make_onnx):
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info("z", 1, [4])
    nodes = [helper.make_node("Identity", ["weight"], ["z"])]
    branch = helper.make_graph(nodes, "branch", [], [info], [_external(TensorProto, "/etc/passwd")])
    node = ("If", ["condition"], ["y"], {"then_branch": branch, "else_branch": branch})
    model = make_onnx([node], {"condition": (9, [])}, {"y": (1, [4])})
    (tmp_path / "net.onnx").write_bytes(model)
    with pytest.raises(InputError, match="outside its folder"):
        check_file(tmp_path / "net.onnx")


@given(cut=st.floats(0, 1, exclude_max=True))
@settings(max_examples=30)
def test_a_model_that_is_cut_off_is_an_input_error_or_ends_at_a_whole_field(conv_net, cut):
    _check_nothing_but_input_errors(conv_net[: int(cut * len(conv_net))])


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_arbitrary_bytes_raise_nothing_but_input_errors(data):
    _check_nothing_but_input_errors(data)


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@settings(max_examples=50)
def test_a_model_with_one_byte_changed_raises_nothing_but_input_errors(conv_net, position, value):
    data = bytearray(conv_net)
    data[int(position * len(data))] = value
    _check_nothing_but_input_errors(bytes(data))


def _check_nothing_but_input_errors(data: bytes) -> None:
    try:
        check_bytes(data, "the bytes")
    except InputError as error:
        assert "the bytes" in str(error)  # noqa: PT017  # raising is allowed, not required


def _external(tensor_proto, location: str):
    tensor = tensor_proto(name="weight", data_type=1, dims=[4], data_location=tensor_proto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor
