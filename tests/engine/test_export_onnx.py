"""A torch network as an ONNX file: the same outputs at any size, one file, with its metadata."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import INPUT_SHAPE, METADATA, batches, blobs, logits_of, nn, segmentation_net, torch, write_net

from salticid.engine import onnx_graph
from salticid.engine.export_onnx import export_onnx
from salticid.engine.session import Session
from salticid.errors import InputError, IntegrityError


@pytest.fixture(scope="module")
def net():
    return segmentation_net()


def test_a_file_has_no_batch_normalization_and_says_what_it_takes_and_gives(tmp_path):
    model = onnx_graph.load(write_net(tmp_path, labels_scale=8))
    assert {node.op_type for node in model.graph.node} >= {"Conv", "Relu", "Add", "Mul", "GlobalAveragePool"}
    assert not {node.op_type for node in model.graph.node} & {
        "BatchNormalization",
        "Identity",
        "Constant",
        "ReduceMean",
    }
    assert onnx_graph.opset(model) >= 17
    assert onnx_graph.metadata(model) == METADATA
    shapes = {value.name: onnx_graph.dimensions(value) for value in [*model.graph.input, *model.graph.output]}
    assert shapes == {
        "image": ["N", 3, "H", "W"],
        "logits8": ["N", 5, "H/8", "W/8"],
        "labels": ["N", "H", "W"],
    }


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (2, 3, 64, 160), (3, 3, 96, 64)])
def test_a_dynamic_file_equals_torch_at_any_size_and_batch(tmp_path, net, shape):
    images = blobs(shape[0], shape[2:])
    found = Session(write_net(tmp_path), threads=1).run({"image": images})["logits8"]
    np.testing.assert_allclose(found, logits_of(net, images), atol=1e-6)


def test_labels_are_the_classes_of_the_enlarged_logits(tmp_path, net):
    images = blobs(2)
    labels = Session(write_net(tmp_path, labels_scale=8), threads=1).run({"image": images})["labels"]
    enlarged = nn.functional.interpolate(torch.from_numpy(logits_of(net, images)), scale_factor=8.0, mode="bilinear")
    assert labels.dtype == np.uint8
    assert (labels == enlarged.argmax(1).numpy()).mean() >= 0.9999


def test_a_fixed_file_takes_one_size_alone(tmp_path, net):
    export_onnx(net, tmp_path / "net.onnx", input_shape=INPUT_SHAPE, dynamic=False)
    session = Session(tmp_path / "net.onnx", threads=1)
    assert session.inputs[0].shape == INPUT_SHAPE
    with pytest.raises(InputError, match="must be float32"):
        session.run({"image": blobs(1, (64, 64))})


def test_the_module_stays_as_it_is(tmp_path):
    net = segmentation_net().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    export_onnx(net, tmp_path / "net.onnx", input_shape=INPUT_SHAPE)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_several_outputs_get_their_names(tmp_path):
    class Two(nn.Module):
        def forward(self, image):
            return image * 2, image.mean(dim=(2, 3))

    export_onnx(Two(), tmp_path / "net.onnx", input_shape=(1, 3, 8, 8), output_names=("double", "mean"))
    images = blobs(2, (16, 24))
    found = Session(tmp_path / "net.onnx", threads=1).run({"image": images})
    np.testing.assert_allclose(found["double"], images * 2)
    np.testing.assert_allclose(found["mean"], images.mean((2, 3)), atol=1e-6)


def test_a_dense_network_is_exported_too(tmp_path):
    parity = export_onnx(nn.Linear(7, 3), tmp_path / "net.onnx", input_shape=(1, 7), output_names=("y",))
    assert parity.largest < 1e-6
    assert Session(tmp_path / "net.onnx", threads=1).inputs[0].shape == (None, 7)


def test_a_network_whose_way_depends_on_the_size_is_caught_and_leaves_no_file(tmp_path):
    class Sized(nn.Module):
        def forward(self, image):
            return image * (2.0 if image.shape[2] > 64 else 1.0)

    with pytest.raises(IntegrityError, match="differs from Sized by"):
        export_onnx(Sized(), tmp_path / "net.onnx", input_shape=INPUT_SHAPE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        (lambda: nn.Conv2d(4, 2, 1), {}, "does not run on an input of shape"),
        (lambda: nn.Identity(), {"output_names": ("a", "b")}, "returns 1 tensors: 2 names were given"),
        (lambda: "net", {}, "a torch module is exported, not str"),
    ],
)
def test_what_cannot_be_exported_is_an_input_error(tmp_path, module, options, words):
    with pytest.raises(InputError, match=words):
        export_onnx(module(), tmp_path / "net.onnx", input_shape=INPUT_SHAPE, **options)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_when_that_was_asked_for(tmp_path, net):
    path = write_net(tmp_path)
    with pytest.raises(InputError, match="exists"):
        export_onnx(net, path, input_shape=INPUT_SHAPE)
    export_onnx(net, path, input_shape=INPUT_SHAPE, overwrite=True)


def test_weights_of_16_bits_halve_the_file_and_hardly_move_the_logits(tmp_path):
    whole, half = write_net(tmp_path), write_net(tmp_path, "half.onnx", fp16_weights=True)
    assert half.stat().st_size < 0.62 * whole.stat().st_size
    sessions = [Session(path, threads=1) for path in (whole, half)]
    for images in batches(2):
        expected, found = (session.run({"image": images})["logits8"] for session in sessions)
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_axes_that_are_no_multiple_of_the_images_are_not_said_to_be_one(tmp_path):
    export_onnx(nn.Conv2d(3, 4, 3), tmp_path / "net.onnx", input_shape=(1, 3, 33, 40), input_name="input")
    assert onnx_graph.dimensions(onnx_graph.load(tmp_path / "net.onnx").graph.output[0]) == [
        "N",
        4,
        "logits8_2",
        "logits8_3",
    ]


@pytest.mark.parametrize("options", [{}, {"labels_scale": 8, "output_names": ("logits8", "more")}])
def test_logits_are_left_out_only_where_labels_take_their_place(tmp_path, options):
    with pytest.raises(InputError, match="keep_logits=False needs labels_scale=, and a network with one output"):
        export_onnx(segmentation_net(), tmp_path / "net.onnx", input_shape=INPUT_SHAPE, keep_logits=False, **options)


def test_an_assertion_of_the_network_is_told_as_what_it_does_not_run_on(tmp_path):
    class Picky(nn.Module):
        def forward(self, image):
            assert image.shape[-1] == 7
            return image

    with pytest.raises(InputError, match="Picky does not run on an input of shape"):
        export_onnx(Picky(), tmp_path / "net.onnx", input_shape=INPUT_SHAPE)
