"""From a dataset to files that can be used, and what is refused on the way."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from color_network import color_network
from mobilenet_file import write_mobilenet

from salticid.core.image import write_image
from salticid.engine.session import Session
from salticid.engine.weights import read_state, write_weights
from salticid.errors import InputError, MissingError
from salticid.segment.data import find_dataset
from salticid.segment.fit import Plan, best_precision, fit
from salticid.segment.listener import Listener
from salticid.segment.train import Recipe
from salticid.segment.trained import export, load_trained

NAMES = ("sky", "road")
PLAN = Plan(epochs=1, batch=2, size=(32, 64), warm_steps=2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for folder in ("images", "labels"):
        (root / folder).mkdir()
    for number in range(3):
        labels = np.zeros((40, 70), np.uint8)
        labels[20 + number :] = 1
        write_image(root / "images" / f"{number}.png", np.repeat(labels[..., None] * 200, 3, axis=2))
        write_image(root / "labels" / f"{number}.png", labels)
    return find_dataset(root, NAMES)


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    imagenet = write_mobilenet(folder / "mobilenet.safetensors") and folder / "mobilenet.safetensors"
    said = []
    fit(dataset, folder, dataclasses.replace(PLAN, imagenet=imagenet), listener=Listener(said.append))
    return folder, said


def test_the_folder_holds_what_can_be_used_and_gone_on_with(run):
    folder, said = run
    names = {path.name for path in folder.iterdir()}
    assert {"best.safetensors", "last.safetensors", "model.onnx", "curve.csv", "curve.svg"} <= names
    assert "ImageNet" in said[0]


def test_the_exported_file_says_what_it_takes_and_gives(run):
    folder, _ = run
    session = Session(folder / "model.onnx", threads=1)
    assert json.loads(session.metadata["salticid.classes"]) == list(NAMES)
    assert session.metadata["salticid.task"] == "segment"
    assert [spec.name for spec in session.outputs] == ["logits8", "labels"]


def test_the_exported_file_equals_the_trained_network_on_images(run, dataset):
    folder, _ = run
    net, names = load_trained(folder / "best.safetensors")
    assert names == NAMES
    assert not net.training
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 64, 96)).astype(np.float32)
    with torch.no_grad():
        logits = net(torch.from_numpy(image)).numpy()
    exported = Session(folder / "model.onnx", threads=1).run({"image": image})["logits8"]
    assert np.abs(logits - exported).max() < 1e-4 * np.abs(logits).max()


def test_weights_of_16_bits_halve_the_file(run, tmp_path):
    folder, _ = run
    export(folder / "best.safetensors", tmp_path / "half.onnx", fp16_weights=True)
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * (folder / "model.onnx").stat().st_size


def test_nothing_is_replaced_unasked(run):
    folder, _ = run
    with pytest.raises(InputError, match="exists"):
        export(folder / "best.safetensors", folder / "model.onnx")


def test_a_training_starts_from_an_earlier_one_with_other_classes_too(run, dataset, tmp_path):
    folder, _ = run
    said = []
    plan, listener = dataclasses.replace(PLAN, start=folder / "best.safetensors"), Listener(said.append)
    fit(dataset, tmp_path / "same", plan, listener=listener)
    assert "0 tensors anew" in said[0]
    other = dataclasses.replace(dataset, classes=("sky", "road", "car"))
    fit(other, tmp_path / "other", plan, listener=listener)
    assert "4 tensors anew" in said[1]  # weights and bias of both heads
    with pytest.raises(InputError, match="not both"):
        dataclasses.replace(plan, imagenet="x.safetensors")


def test_last_layers_start_anew_where_the_same_classes_come_in_another_order(run, dataset, tmp_path):
    folder, _ = run
    said = []
    other = dataclasses.replace(dataset, classes=NAMES[::-1])
    plan = dataclasses.replace(PLAN, start=folder / "best.safetensors")
    fit(other, tmp_path / "other", plan, listener=Listener(said.append))
    assert "4 tensors anew" in said[0]


@pytest.mark.parametrize("file", ["best.safetensors", "model.onnx"])
def test_a_teacher_of_classes_in_another_order_is_refused(run, dataset, tmp_path, file):
    folder, _ = run
    other = dataclasses.replace(dataset, classes=NAMES[::-1])
    with pytest.raises(InputError, match="knows sky, road, in this order, and the data road, sky"):
        fit(other, tmp_path, dataclasses.replace(PLAN, teachers=[folder / file]))


def test_a_teacher_that_gives_labels_alone_is_refused(dataset, tmp_path):
    (tmp_path / "labels.onnx").write_bytes(color_network(outputs=["labels"]))
    with pytest.raises(InputError, match="gives no logits8"):
        fit(dataset, tmp_path, dataclasses.replace(PLAN, teachers=[tmp_path / "labels.onnx"]))


@pytest.mark.parametrize(
    "change", [{"batch": 3}, {"size": (64, 64)}, {"class_weights": 0.0}, {"variant": "documented"}]
)
def test_a_training_goes_on_with_the_same_plan_alone(run, dataset, change):
    folder, _ = run
    with pytest.raises(InputError, match="another recipe or on other data"):
        fit(dataset, folder, dataclasses.replace(PLAN, **change))


def test_a_training_goes_on_with_the_same_images_and_classes_alone(run, dataset):
    folder, _ = run
    for other in ({"classes": NAMES[::-1]}, {"pairs": dataset.pairs | {"train": dataset.pairs["train"][:1]}}):
        with pytest.raises(InputError, match="another recipe or on other data"):
            fit(dataclasses.replace(dataset, **other), folder, PLAN)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_split_with_nothing_to_learn_from_is_refused_before_the_first_step(dataset, tmp_path, split):
    nothing = dataclasses.replace(dataset, pairs=dataset.pairs | {split: ()})
    with pytest.raises(InputError, match=f"nothing in the 0 images of {split} has a class"):
        fit(nothing, tmp_path / "nothing", PLAN)
    void = dataclasses.replace(dataset, class_of=np.full(256, 255, np.uint8))
    with pytest.raises(InputError, match="images of train has a class"):
        fit(void, tmp_path / "void", PLAN)


@pytest.mark.parametrize("loss", ["ce", "focal", "dice"])
def test_another_loss_and_the_boundary_loss_train_too(dataset, tmp_path, loss):
    plan = dataclasses.replace(PLAN, loss=loss, recipe=Recipe(boundary=0.5))
    result = fit(dataset, tmp_path, plan)
    alone = fit(dataset, tmp_path / "alone", dataclasses.replace(plan, recipe=Recipe()))
    assert result.epochs[0].loss > alone.epochs[0].loss
    with pytest.raises(InputError, match="another recipe"):
        fit(dataset, tmp_path, dataclasses.replace(plan, loss="ohem"))
    with pytest.raises(InputError, match="ohem, ce, focal, dice"):
        dataclasses.replace(plan, loss="huge")


def test_a_single_pair_is_to_judge_by_and_nothing_is_left_to_learn_from(dataset, tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "0.png", np.zeros((40, 70), np.uint8))
    with pytest.raises(InputError, match="nothing in the 0 images of train"):
        fit(find_dataset(tmp_path, NAMES), tmp_path / "run", PLAN)


def test_first_layers_need_not_be_taught(dataset, tmp_path):
    write_mobilenet(tmp_path / "mobilenet.safetensors")
    said = []
    plan = dataclasses.replace(PLAN, warm_steps=0, imagenet=tmp_path / "mobilenet.safetensors")
    fit(dataset, tmp_path, plan, listener=Listener(said.append))
    assert said[0] == "starts from ImageNet's weights"


def test_weights_that_are_no_network_of_ours_are_refused(run, tmp_path):
    folder, _ = run
    write_weights(tmp_path / "x.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(InputError, match="train segment"):
        load_trained(tmp_path / "x.safetensors")
    tensors, facts = read_state(folder / "best.safetensors")
    write_weights(tmp_path / "y.safetensors", tensors, facts | {"variant": "documented"})
    with pytest.raises(InputError, match="another version"):
        load_trained(tmp_path / "y.safetensors")


def test_a_device_that_is_not_here_is_told_and_never_replaced(dataset, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(MissingError, match="--device cpu"):
        fit(dataset, tmp_path / "run", PLAN, device="cuda")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong", [{"size": (40, 64)}, {"size": (0, 0)}, {"epochs": 0}, {"class_weights": 2.0}, {"learning_rate": 0.0}]
)
def test_a_plan_that_is_none_is_refused(wrong):
    with pytest.raises(InputError):
        Plan(**wrong)


def test_a_view_too_small_to_be_normalized_is_refused():
    with pytest.raises(InputError, match="too little for a step"):
        Plan(batch=1, size=(32, 32))
    Plan(batch=2, size=(32, 32))


def test_a_device_beyond_the_last_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(MissingError, match="there is no cuda:1"):
        best_precision("cuda:1")
    with pytest.raises(InputError, match="cuda:1, not 'tpu'"):
        best_precision("tpu")


def test_a_cpu_trains_in_bfloat16_only_where_it_is_in_hardware(monkeypatch):
    from salticid.runtime import hardware

    monkeypatch.setattr(hardware, "instruction_sets", lambda: ("avx512_bf16", "avx2"))
    assert best_precision("cpu") == "bf16"
    monkeypatch.setattr(hardware, "instruction_sets", lambda: ("avx2",))
    assert best_precision("cpu") == "fp32"
