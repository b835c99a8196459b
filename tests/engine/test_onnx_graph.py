"""ONNX graphs: read with care, tidied up, cut to size."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import METADATA, batches, segmentation_bytes, write_net

from salticid.engine import onnx_graph
from salticid.engine.session import Session
from salticid.errors import InputError

onnx = pytest.importorskip("onnx")


def test_a_tidied_model_computes_the_same_and_keeps_its_metadata(tmp_path):
    model = onnx_graph.load(write_net(tmp_path, labels_scale=8))
    tidy = onnx_graph.tidied(model)
    images = batches(1)[0]
    expected, found = (Session(m.SerializeToString(), threads=1).run({"image": images}) for m in (model, tidy))
    np.testing.assert_allclose(found["logits8"], expected["logits8"], atol=1e-6)
    assert onnx_graph.metadata(tidy) == METADATA
    assert {item.domain for item in tidy.opset_import} <= {"", "ai.onnx"}


def test_batch_normalization_identities_and_means_are_gone_after_tidying(make_onnx):
    random = np.random.default_rng(0)
    names = ("scale", "offset", "mean", "variance")
    weights = [onnx_graph.tensor(random.uniform(0.5, 1.5, 4).astype(np.float32), name) for name in names]
    weights.append(onnx_graph.tensor(random.normal(size=(4, 3, 1, 1)).astype(np.float32), "w"))
    nodes = [
        ("Identity", ["image"], ["same"], {}),
        ("Conv", ["same", "w"], ["c"], {}),
        ("BatchNormalization", ["c", *names], ["n"], {}),
        ("ReduceMean", ["n"], ["y"], {"axes": [2, 3], "keepdims": 1}),
    ]
    data = make_onnx(nodes, {"image": (1, ["N", 3, "H", "W"])}, {"y": (1, ["N", 4, 1, 1])}, weights)
    tidy = onnx_graph.tidied(onnx.load_from_string(data))
    assert [node.op_type for node in tidy.graph.node] == ["Conv", "GlobalAveragePool"]
    assert all(node.name for node in tidy.graph.node)
    images = random.normal(size=(1, 3, 6, 5)).astype(np.float32)
    expected, found = (Session(m, threads=1).run({"image": images})["y"] for m in (data, tidy.SerializeToString()))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_nodes_get_names_of_their_own(make_onnx):
    nodes = [("Relu", ["x"], ["a"], {"name": "same"}), ("Neg", ["a"], ["y"], {"name": "same"})]
    model = onnx.load_from_string(make_onnx(nodes, {"x": (1, [2])}, {"y": (1, [2])}))
    assert [node.name for node in onnx_graph.named(model).graph.node] == ["same", "Neg_1"]


def test_what_a_branch_of_a_node_needs_is_not_dropped(make_onnx):
    info = onnx.helper.make_tensor_value_info("z", 1, [2])
    branch = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["kept"], ["z"])], "b", [], [info])
    weights = [onnx_graph.tensor(np.ones(2, np.float32), name) for name in ("kept", "gone")]
    node = ("If", ["c"], ["y"], {"then_branch": branch, "else_branch": branch})
    model = onnx.load_from_string(make_onnx([node], {"c": (9, [])}, {"y": (1, [2])}, weights))
    onnx_graph.drop_unused(model.graph)
    assert [tensor.name for tensor in model.graph.initializer] == ["kept"]


def test_inner_values_become_outputs(tmp_path):
    model = onnx_graph.load(write_net(tmp_path))
    name = model.graph.node[0].output[0]
    [found] = (
        Session(onnx_graph.with_values(model, [name]).SerializeToString(), threads=1)
        .run({"image": batches(1)[0]})
        .values()
    )
    assert found.shape == (1, 16, 32, 48)


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_file_that_is_cut_off_is_an_input_error(tmp_path, cut):
    path = tmp_path / "net.onnx"
    path.write_bytes(segmentation_bytes()[:-cut])
    with pytest.raises(InputError, match=r"net\.onnx"):
        onnx_graph.load(path)


def test_what_is_no_file_is_an_input_error(tmp_path):
    (tmp_path / "empty.onnx").touch()
    for name in ("gone.onnx", "empty.onnx"):
        with pytest.raises(InputError, match="there is no model file"):
            onnx_graph.load(tmp_path / name)


def test_metadata_are_added_and_replaced(tmp_path):
    model = onnx_graph.load(write_net(tmp_path))
    onnx_graph.set_metadata(model, {"salticid.task": "other", "more": "1"})
    assert onnx_graph.metadata(model) == METADATA | {"salticid.task": "other", "more": "1"}


@pytest.mark.parametrize(("shape", "axes"), [((2, 5, 6), [-2, -1]), ((2, 3, 4, 5, 6), [2, 3])])
def test_a_mean_over_the_last_axes_of_something_else_than_images_stays_one(make_onnx, shape, axes):
    nodes = [("Relu", ["x"], ["r"], {}), ("ReduceMean", ["r"], ["y"], {"axes": axes, "keepdims": 1})]
    data = make_onnx(nodes, {"x": (1, list(shape))}, {"y": (1, [None] * len(shape))})
    tidy = onnx_graph.tidied(onnx.load_from_string(data)).SerializeToString()
    numbers = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected, found = (Session(m, threads=1).run({"x": numbers})["y"] for m in (data, tidy))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_weights_that_an_old_exporter_lists_as_inputs_are_constants(make_onnx, tmp_path):
    shape = [4, 3, 1, 1]
    weights = [onnx_graph.tensor(np.ones(shape, np.float32), "w")]
    inputs = {"image": (1, ["N", 3, "H", "W"]), "w": (1, shape)}
    data = make_onnx([("Conv", ["image", "w"], ["y"], {})], inputs, {"y": (1, ["N", 4, "H", "W"])}, weights)
    (tmp_path / "old.onnx").write_bytes(data)
    model = onnx_graph.load(tmp_path / "old.onnx")
    assert [value.name for value in model.graph.input] == ["image"]
    assert [tensor.name for tensor in model.graph.initializer] == ["w"]


def test_a_name_that_is_given_later_is_not_taken_before(make_onnx):
    nodes = [("Relu", ["x"], ["a"], {}), ("Neg", ["a"], ["y"], {"name": "Relu_0"})]
    model = onnx.load_from_string(make_onnx(nodes, {"x": (1, [2])}, {"y": (1, [2])}))
    assert [node.name for node in onnx_graph.named(model).graph.node] == ["Relu_0_", "Relu_0"]


def test_metadata_that_is_no_text_is_an_input_error():
    with pytest.raises(InputError, match="metadata are texts by name, not 'classes': 3"):
        onnx_graph.set_metadata(onnx.ModelProto(), {"classes": 3})
