"""What is read of an ONNX file by hand is what the onnx package reads, and what is left out was not needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.engine.onnx_file import metadata, needed, output_names
from salticid.engine.session import Session
from salticid.errors import InputError, SalticidError

X = np.linspace(-1, 1, 6, dtype=np.float32)


@pytest.fixture(scope="module")
def forked(make_onnx):
    """Return x -> shared -> {a, b}, and c from b and another branch; with metadata and types of what is between."""
    import onnx

    nodes = [
        ("Relu", ["x"], ["shared"], {}),
        ("Sin", ["shared"], ["a"], {}),
        ("Cos", ["shared"], ["b"], {}),
        ("Exp", ["x"], ["e"], {}),
        ("Add", ["b", "e"], ["c"], {}),
    ]
    model = onnx.load_from_string(make_onnx(nodes, {"x": (1, ["N"])}, {name: (1, ["N"]) for name in "abc"}))
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("e", 1, ["N"]))
    onnx.helper.set_model_props(model, {"salticid.classes": '["Straße", "車"]', "empty": ""})
    return model.SerializeToString()


def parsed(data):
    import onnx

    return onnx.load_from_string(data)


def test_metadata_and_output_names_are_those_that_were_written(forked, tmp_path):
    (tmp_path / "net.onnx").write_bytes(forked)
    for model in (forked, tmp_path / "net.onnx"):
        assert metadata(model, "net") == {"salticid.classes": '["Straße", "車"]', "empty": ""}
        assert output_names(model, "net") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("outputs", "kinds"),
    [
        (["a"], ["Relu", "Sin"]),
        (["b"], ["Relu", "Cos"]),
        (["c"], ["Relu", "Cos", "Exp", "Add"]),
        (["a", "b"], ["Relu", "Sin", "Cos"]),
    ],
)
def test_what_only_other_outputs_need_is_left_out_and_the_results_are_the_same(forked, outputs, kinds):
    import onnx

    less = needed(forked, outputs, "net")
    onnx.checker.check_model(parsed(less))
    assert [node.op_type for node in parsed(less).graph.node] == kinds
    assert output_names(less, "net") == outputs
    assert metadata(less, "net") == metadata(forked, "net")
    whole = Session(forked, threads=1).run({"x": X})
    for name, array in Session(less, threads=1).run({"x": X}).items():
        np.testing.assert_array_equal(array, whole[name])


@pytest.mark.parametrize("outputs", [["a", "b", "c"], ["c", "a", "b"], ["a", "none"], ["x"]])
def test_a_model_that_has_no_more_or_not_all_of_them_comes_back_as_it_is(forked, outputs):
    assert needed(forked, outputs, "net") is forked


def test_what_a_branch_reads_from_outside_of_it_is_needed(make_onnx):
    """The subgraphs of an If have no inputs: they name values of the graph around them."""
    from onnx import helper

    def branch(value):
        out = helper.make_tensor_value_info("out", 1, ["N"])
        return helper.make_graph([helper.make_node("Identity", [value], ["out"])], value, [], [out])

    empty = helper.make_graph([], "empty", [], [helper.make_tensor_value_info("twice", 1, ["N"])])
    nodes = [
        ("Add", ["x", "x"], ["twice"], {}),
        ("Neg", ["x"], ["negative"], {}),
        ("If", ["flag"], ["y"], {"then_branch": branch("negative"), "else_branch": empty}),
        ("Exp", ["x"], ["other"], {}),
    ]
    data = make_onnx(nodes, {"x": (1, ["N"]), "flag": (9, [])}, {"y": (1, ["N"]), "other": (1, ["N"])})
    assert [node.op_type for node in parsed(needed(data, ["y"], "net")).graph.node] == ["Add", "Neg", "If"]


def test_a_file_that_is_cut_off_empty_or_no_model_is_an_input_error_that_names_it(forked, tmp_path):
    (tmp_path / "empty.onnx").touch()
    for model in (forked[:99], b"", b"no model at all", tmp_path / "empty.onnx"):
        with pytest.raises(InputError, match="the net is cut off or no ONNX model"):
            output_names(model, "the net")
    with pytest.raises(InputError, match="the net is cut off or no ONNX model"):
        metadata(forked[:-7], "the net")
    with pytest.raises(InputError, match="cannot be read"):
        metadata(tmp_path / "gone.onnx", "the net")


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_file_with_one_byte_changed_is_read_or_refused(forked, position, value):
    data = bytearray(forked)
    data[int(position * len(data))] = value
    for read in (metadata, output_names, lambda model, label: needed(model, ["a"], label)):
        try:
            read(bytes(data), "net")
        except SalticidError as error:
            assert "net" in str(error)  # noqa: PT017  # raising is allowed, not required
