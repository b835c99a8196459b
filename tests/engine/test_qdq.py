"""Networks in 8 bits: whole numbers that no CPU's sums overflow, with everything between convolutions in them too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_net import batches, write_net

from salticid.engine import onnx_graph, packages
from salticid.engine.calibrate import calibrate
from salticid.engine.qdq import Range, chosen_scales, values_of, weighted_nodes, whole_weights, with_qdq
from salticid.engine.session import Session
from salticid.errors import InputError

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return onnx_graph.tidied(onnx_graph.load(write_net(tmp_path_factory.mktemp("qdq"))))


@pytest.fixture(scope="module")
def ranges(model):
    return calibrate(model, values_of(model, weighted_nodes(model)), batches(4))


def arrays_of(model, ends):
    return {t.name: onnx_graph.array(t) for t in model.graph.initializer if t.name.endswith(ends)}


@given(st.floats(-100, 100), st.floats(0, 100), st.booleans())
def test_zero_is_a_step_of_every_range(low, width, symmetric):
    scale, zero = Range(low, low + width).steps(symmetric=symmetric)
    assert scale > 0
    assert zero.dtype == (np.int8 if symmetric else np.uint8)
    ends = (np.array([0, 255]) - float(zero)) * float(scale)
    if not symmetric:
        assert ends[0] <= min(low, 0) + 0.51 * scale
        assert ends[1] >= max(low + width, 0) - 0.51 * scale


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(4, 8, 1, 1), (3, 3, 3, 3), (5, 1, 3, 3), (6, 7)]))
def test_no_pair_of_neighbors_can_saturate_16_bits(seed, shape):
    weights = np.random.default_rng(seed).standard_t(2, shape).astype(np.float32)
    scales = chosen_scales(weights, pairs=True)
    whole = whole_weights(weights, scales, pairs=True).astype(int)
    rows = np.moveaxis(whole, 1, -1).reshape(len(whole), -1)
    pairs = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2))).reshape(len(rows), -1, 2)
    assert (np.maximum(pairs, 0).sum(2) * 255).max() <= 32767
    assert (np.minimum(pairs, 0).sum(2) * 255).min() >= -32768
    assert np.abs(whole).max() <= 127


def test_without_care_for_pairs_the_largest_weight_is_127_and_none_is_off_by_more_than_half_a_step():
    weights = np.random.default_rng(0).normal(size=(4, 8, 3, 3)).astype(np.float32)
    scales = chosen_scales(weights, pairs=False)
    whole = whole_weights(weights, scales, pairs=False)
    assert (np.abs(whole).reshape(4, -1).max(1) == 127).all()
    assert (np.abs(whole * scales[:, None, None, None] - weights) <= 0.501 * scales[:, None, None, None]).all()


def test_a_channel_without_weights_stays_zero():
    weights = np.zeros((2, 4, 1, 1), np.float32)
    weights[0] = 1
    whole = whole_weights(weights, chosen_scales(weights, pairs=True), pairs=True)
    assert not whole[1].any()


def test_onnxruntime_computes_all_but_the_head_in_whole_numbers(model, ranges, tmp_path):
    nodes = [name for name in weighted_nodes(model) if "head" not in name and "gate" not in name]
    (tmp_path / "q.onnx").write_bytes(with_qdq(model, ranges, nodes).SerializeToString())
    ort = packages.onnxruntime()
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(str(tmp_path / "q.onnx"), options, providers=["CPUExecutionProvider"])
    run = [node.op_type for node in onnx.load(tmp_path / "run.onnx").graph.node]
    assert run.count("QLinearConv") == len(nodes) == 9
    assert {"QLinearAdd", "QLinearMul", "QLinearGlobalAveragePool"} <= set(run)
    assert "Relu" not in run
    assert run.count("Conv") == 2


def test_a_portable_file_needs_no_sums_that_do_not_saturate(model, ranges):
    small = with_qdq(model, ranges, weighted_nodes(model), form="portable").SerializeToString()
    found = []
    for exact in ("0", "1"):  # as the CPU does it, and by slower instructions whose sums are 32 bits wide
        ort = packages.onnxruntime()
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.x64quantprecision", exact)
        session = ort.InferenceSession(small, options, providers=["CPUExecutionProvider"])
        found.append(session.run(None, {"image": batches(1)[0]})[0])
    np.testing.assert_array_equal(*found)


def test_a_relu_is_not_separated_from_its_convolution(model):
    values = values_of(model, weighted_nodes(model))
    makers = onnx_graph.producers(model.graph)
    takers = onnx_graph.consumers(model.graph)
    for value in values:
        if value in makers and makers[value].op_type == "Conv":
            assert "Relu" not in [node.op_type for node in takers.get(value, [])]


def test_one_node_alone_brings_its_two_ends_and_no_sum(model):
    name = "/down/project/project.0/Conv"
    node = next(node for node in model.graph.node if node.name == name)
    assert set(values_of(model, [name])) == {node.input[0], node.output[0]}


def test_an_output_of_the_network_keeps_its_name_in_8_bits(model, ranges):
    small = with_qdq(model, ranges, weighted_nodes(model))
    assert [output.name for output in small.graph.output] == ["logits8"]
    found = Session(small.SerializeToString(), threads=1).run({"image": batches(1)[0]})["logits8"]
    scale, _ = ranges["logits8"].steps()
    np.testing.assert_allclose(found / scale, np.rint(found / scale), atol=1e-3)


def test_results_are_near_those_in_float(model, ranges):
    nodes = weighted_nodes(model)
    images = batches(8)[-1]
    expected, found = (
        Session(m.SerializeToString(), threads=1).run({"image": images})["logits8"]
        for m in (model, with_qdq(model, ranges, nodes))
    )
    assert np.square(found - expected).mean() < 0.002 * expected.var()


def test_tensorrt_gets_no_zero_points_and_float_biases(model, ranges):
    small = with_qdq(model, ranges, weighted_nodes(model), form="tensorrt")
    zeros = arrays_of(small, "_zero")
    assert {array.dtype for array in zeros.values()} == {np.dtype(np.int8)}
    assert not any(array.any() for array in zeros.values())
    assert not [tensor for tensor in small.graph.initializer if tensor.data_type == onnx.TensorProto.INT32]
    Session(small.SerializeToString(), threads=1).run({"image": batches(1)[0]})


def test_a_large_bias_gets_room_at_the_cost_of_the_weights_of_its_channel(make_onnx):
    weights = np.full((2, 1, 1, 1), 1e-9, np.float32)
    tensors = [onnx_graph.tensor(weights, "w"), onnx_graph.tensor(np.array([1000.0, 0], np.float32), "b")]
    data = make_onnx(
        [("Conv", ["x", "w", "b"], ["y"], {"name": "c"})],
        {"x": (1, [1, 1, 2, 2])},
        {"y": (1, [1, 2, 2, 2])},
        tensors,
    )
    model = onnx.load_from_string(data)
    small = with_qdq(model, {"x": Range(-1, 1), "y": Range(0, 1000)}, ["c"])
    found = Session(small.SerializeToString(), threads=1).run({"x": np.ones((1, 1, 2, 2), np.float32)})["y"]
    np.testing.assert_allclose(found[0, 0], 1000, rtol=0.01)
    np.testing.assert_allclose(found[0, 1], 0, atol=1e-3)


def test_dense_layers_are_written_too_with_one_scale_for_each_output(make_onnx):
    random = np.random.default_rng(0)
    w1, w2 = random.normal(size=(6, 5)).astype(np.float32), random.normal(size=(6, 3)).astype(np.float32)
    tensors = [onnx_graph.tensor(w1, "w1"), onnx_graph.tensor(w2, "w2"), onnx_graph.tensor(np.ones(6, "f4"), "b")]
    nodes = [
        ("Gemm", ["x", "w1", "b"], ["h"], {"name": "one", "transB": 1}),
        ("Relu", ["h"], ["r"], {"name": "relu"}),
        ("MatMul", ["r", "w2"], ["y"], {"name": "two"}),
    ]
    data = make_onnx(nodes, {"x": (1, ["N", 5])}, {"y": (1, ["N", 3])}, tensors)
    model = onnx.load_from_string(data)
    assert weighted_nodes(model) == ["one", "two"]
    x = random.uniform(-1, 1, (50, 5)).astype(np.float32)
    ranges = calibrate(model, values_of(model, ["one", "two"]), [x])
    small = with_qdq(model, ranges, ["one", "two"])
    assert sorted(len(array) for array in arrays_of(small, "_weights_scales").values()) == [3, 6]
    expected, found = (Session(m, threads=1).run({"x": x})["y"] for m in (data, small.SerializeToString()))
    assert np.square(found - expected).mean() < 0.001 * expected.var()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda model, ranges: with_qdq(model, ranges, ["/gone"]), "no nodes with weights called /gone"),
        (lambda model, ranges: with_qdq(model, {}, ["/head/Conv"]), "the ranges of .* are not known"),
        (
            lambda model, ranges: with_qdq(model, ranges, [], form="int4"),
            "form must be one of portable, vnni, tensorrt",
        ),
    ],
)
def test_what_cannot_be_written_is_an_input_error(model, ranges, change, words):
    with pytest.raises(InputError, match=words):
        change(model, ranges)


def test_an_old_model_is_sent_back_to_be_exported_anew(model, ranges):
    old = onnx_graph.copy(model)
    old.opset_import[0].version = 11
    with pytest.raises(InputError, match="has opset 11: export it again with opset 13 or newer"):
        with_qdq(old, ranges, [])


def two_convolutions(make_onnx, between=("Relu", ["c"], ["r"], {}), more=()):
    """Return a model whose tensors are called as many exporters call them: conv1_weights, conv1_bias, c_scale."""
    random = np.random.default_rng(0)
    shapes = {"conv1_weights": (8, 3, 3, 3), "conv1_bias": (8,), "conv2_weights": (4, 8, 1, 1), "c_scale": (4,)}
    weights = [onnx_graph.tensor(random.normal(size=shape).astype(np.float32), name) for name, shape in shapes.items()]
    nodes = [
        ("Conv", ["image", "conv1_weights", "conv1_bias"], ["c"], {"name": "conv1"}),
        between,
        ("Conv", ["r", "conv2_weights", "c_scale"], ["y"], {"name": "conv2"}),
    ]
    size = ["N", 3, "H", "W"]
    return onnx.load_from_string(make_onnx(nodes, {"image": (1, size)}, {"y": (1, size)}, [*weights, *more]))


def difference_in_8_bits(model, images, **options):
    """Return the largest difference of the first output, as a share of the largest output."""
    model = onnx_graph.tidied(model)
    nodes = weighted_nodes(model)
    name = model.graph.input[0].name
    small = with_qdq(model, calibrate(model, values_of(model, nodes), [images]), nodes, **options)
    expected, found = (
        next(iter(Session(m.SerializeToString(), threads=1).run({name: images}).values())) for m in (model, small)
    )
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("form", ["portable", "tensorrt"])
def test_names_that_others_use_too_do_not_collide(make_onnx, form):
    assert difference_in_8_bits(two_convolutions(make_onnx), batches(1)[0], form=form) < 0.1


def test_cubic_resizing_overshoots_and_keeps_a_range_of_its_own(make_onnx):
    scales = onnx_graph.tensor(np.array([1, 1, 2, 2], np.float32), "sizes")
    cubic = ("Resize", ["c", "", "sizes"], ["r"], {"mode": "cubic"})
    assert difference_in_8_bits(two_convolutions(make_onnx, cubic, [scales]), batches(1)[0]) < 0.03


@pytest.mark.parametrize("shape", [(8,), (1, 8), (1,), ()])
def test_the_bias_of_a_dense_layer_has_any_shape_that_is_one_for_each_output_or_for_all(make_onnx, shape):
    random = np.random.default_rng(0)
    weights = [
        onnx_graph.tensor(random.normal(size=size).astype(np.float32), name) for name, size in (("w", (6, 8)),)
    ] + [onnx_graph.tensor(np.full(shape, 0.3, np.float32), "b")]
    data = make_onnx([("Gemm", ["x", "w", "b"], ["y"], {})], {"x": (1, ["N", 6])}, {"y": (1, ["N", 8])}, weights)
    inputs = random.normal(size=(5, 6)).astype(np.float32)
    assert difference_in_8_bits(onnx.load_from_string(data), inputs) < 0.03
