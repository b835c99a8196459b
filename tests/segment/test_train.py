"""A training learns, goes on after a kill as if nothing had been, and says when it cannot go on."""

from __future__ import annotations

import copy
import math
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import training_run
from torch import nn

from salticid.engine.distill import Distillation
from salticid.engine.weights import read_state, write_weights
from salticid.errors import InputError, IntegrityError, ResourceError
from salticid.segment.curves import read_csv
from salticid.segment.train import Recipe, SegmentationTrainer, confusion, schedule


def curve(folder):
    return [(row.epoch, row.loss, row.learning_rate, row.miou) for row in read_csv(folder / "curve.csv")]


def same(first, second):
    return [list(map(repr, row)) for row in first] == [list(map(repr, row)) for row in second]


def trainer(folder=None, epochs=4, **options):
    return training_run.trainer(folder, epochs, **options)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_network_learns_which_color_is_which_class():
    run = trainer(epochs=12)
    result = run.train()
    assert result.best_miou > 0.9
    assert len(result.epochs) == 12
    assert result.epochs[-1].loss < result.epochs[0].loss


def test_the_model_ends_as_the_best_average_and_ready_to_be_used():
    run = trainer(epochs=6, validate_every=1)
    result = run.train()
    assert not run.model.training
    assert result.best_miou == max(epoch.miou for epoch in result.epochs)


@pytest.mark.parametrize("kept", [True, False])
def test_the_model_ends_as_the_best_average_with_a_folder_and_without(tmp_path, monkeypatch, kept):
    run = trainer(tmp_path if kept else None, epochs=3, validate_every=1)
    scores = iter([0.9, 0.1, 0.2])
    monkeypatch.setattr(run, "validate", lambda: next(scores))
    averages = []
    result = run.train(lambda epoch: averages.append(copy.deepcopy(run.average.state_dict())))
    assert (result.best_epoch, result.best_miou) == (1, 0.9)
    assert all(torch.equal(averages[0][name], tensor) for name, tensor in run.model.state_dict().items())


def test_what_is_left_in_the_folder_is_the_best_of_the_averages(tmp_path):
    run = trainer(tmp_path, epochs=5, validate_every=1)
    result = run.train()
    again = training_run.network()
    tensors, facts = read_state(tmp_path / "best.safetensors")
    again.load_state_dict(tensors)
    assert facts["miou"] == result.best_miou
    loader = training_run.validation()
    from salticid.core import metrics

    assert metrics.miou(confusion(again.eval(), loader, training_run.CLASSES, "cpu")) == result.best_miou
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_a_run_that_stops_between_epochs_goes_on_to_the_same_curve(tmp_path):
    trainer(tmp_path / "whole", epochs=5).train()
    first = trainer(tmp_path / "cut", epochs=5)
    with pytest.raises(KeyboardInterrupt):
        first.train(_interrupt_after(2))
    second = trainer(tmp_path / "cut", epochs=5)
    assert len(second.epochs) == 2
    second.train()
    assert same(curve(tmp_path / "whole"), curve(tmp_path / "cut"))


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_curve(tmp_path):
    trainer(tmp_path / "whole", epochs=6).train()
    command = [sys.executable, training_run.__file__, str(tmp_path / "cut"), "6"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [Path(training_run.__file__).parent]))}
    kills = 0
    while kills < 3:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for line in process.stdout:
            if line.startswith("epoch"):
                process.send_signal(signal.SIGKILL)  # in the middle of the next epoch, or of its writing
                break
        process.stdout.close()
        if process.wait() == 0:
            break
        kills += 1
    trainer(tmp_path / "cut", epochs=6).train()
    assert kills >= 2
    assert same(curve(tmp_path / "whole"), curve(tmp_path / "cut"))


def test_what_a_killed_run_had_half_written_is_removed_and_nothing_else(tmp_path):
    trainer(tmp_path, epochs=1).train()
    whole = set(tmp_path.iterdir())
    mine = tmp_path / ".notes.part.txt"
    parts = {tmp_path / ".last.a1b2.part.safetensors", tmp_path / ".curve.x.part.csv"}
    for path in (mine, *parts):
        path.write_text("half")
    with pytest.raises(InputError, match="another recipe"):
        trainer(tmp_path, epochs=2)
    assert set(tmp_path.iterdir()) == whole | {mine} | parts  # they may be of a run that is not over
    trainer(tmp_path, epochs=1)
    assert set(tmp_path.iterdir()) == whole | {mine}


def test_best_weights_that_are_newer_than_the_last_state_stay_the_best_and_are_what_the_result_tells(tmp_path):
    first = trainer(tmp_path, epochs=6, validate_every=1)
    with pytest.raises(KeyboardInterrupt):
        first.train(_interrupt_after(2))
    best, facts = read_state(tmp_path / "best.safetensors")
    better = {name: tensor + 1 if tensor.is_floating_point() else tensor for name, tensor in best.items()}
    write_weights(tmp_path / "best.safetensors", better, facts | {"miou": 2.0, "epoch": 3})  # killed before the state
    second = trainer(tmp_path, epochs=6, validate_every=1)
    result = second.train()
    assert (result.best_miou, result.best_epoch) == (2.0, 3)
    assert all(torch.equal(better[name], tensor) for name, tensor in second.model.state_dict().items())


def test_a_finished_training_is_not_trained_again(tmp_path):
    first = trainer(tmp_path, epochs=2).train()
    seen = []
    second = trainer(tmp_path, epochs=2).train(seen.append)
    assert seen == []
    assert second.best_miou == first.best_miou


def test_a_folder_with_another_recipe_is_refused(tmp_path):
    trainer(tmp_path, epochs=2).train()
    with pytest.raises(InputError, match="another recipe"):
        trainer(tmp_path, epochs=3)


def test_a_folder_with_a_training_on_other_data_or_of_another_network_is_refused(tmp_path):
    def start(net, facts):
        loaders = training_run.views(), training_run.validation()
        return SegmentationTrainer(net, *loaders, training_run.CLASSES, num_epochs=1, folder=tmp_path, facts=facts)

    start(training_run.network(), {"size": (64, 64)}).train()
    start(training_run.network(), {"size": (64, 64)})
    with pytest.raises(InputError, match="other data"):
        start(training_run.network(), {"size": (32, 64)})
    with pytest.raises(InputError, match="another network"):
        start(nn.Conv2d(3, training_run.CLASSES, 9, stride=8, padding=4), {"size": (64, 64)})


def test_a_state_that_somebody_else_wrote_is_refused(tmp_path):
    write_weights(tmp_path / "last.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(InputError, match="another recipe"):
        trainer(tmp_path)


def test_a_curve_that_lacks_epochs_is_told(tmp_path):
    trainer(tmp_path, epochs=2).train()
    lines = (tmp_path / "curve.csv").read_text().splitlines(keepends=True)
    (tmp_path / "curve.csv").write_text("".join(lines[:-1]))
    with pytest.raises(IntegrityError, match=r"curve\.csv lacks"):
        trainer(tmp_path, epochs=2)


def test_a_full_disk_is_told_and_leaves_the_last_state(tmp_path):
    trainer(tmp_path, epochs=2).train()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ResourceError, match="the disk is full"):
            trainer(tmp_path, epochs=2)._save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_weights_that_are_used_twice_are_kept(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))
    net[1].weight = net[0].weight
    SegmentationTrainer(net, training_run.views(), training_run.validation(), 3, num_epochs=1, folder=tmp_path).train()
    assert {"0.weight", "1.weight"} <= read_state(tmp_path / "best.safetensors")[0].keys()


def test_a_damaged_state_is_told(tmp_path):
    trainer(tmp_path, epochs=2).train()
    state = tmp_path / "last.safetensors"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(IntegrityError, match="damaged"):
        trainer(tmp_path, epochs=2)


def test_a_loss_that_is_no_number_ends_the_training_with_advice():
    with pytest.raises(InputError, match="lower the learning rate"):
        trainer(learning_rate=1e30, epochs=5).train()


def test_a_loader_without_batches_is_told():
    run = SegmentationTrainer(training_run.network(), [], [], training_run.CLASSES)
    with pytest.raises(InputError, match="no batches"):
        run.train()


def test_a_loader_that_does_not_tell_its_length_is_refused():
    with pytest.raises(InputError, match="number of batches"):
        SegmentationTrainer(training_run.network(), iter(training_run.views()), [], training_run.CLASSES)


def test_validation_images_without_a_truth_end_the_training():
    run = SegmentationTrainer(training_run.network(), training_run.views(), [], training_run.CLASSES, num_epochs=1)
    with pytest.raises(InputError, match="no pixel of the validation images"):
        run.train()


def test_a_plain_network_without_trunk_and_auxiliary_is_trained_too():
    net = nn.Conv2d(3, training_run.CLASSES, 9, stride=8, padding=4)
    before = net.weight.clone()
    run = SegmentationTrainer(net, training_run.views(), training_run.validation(), training_run.CLASSES, num_epochs=2)
    assert math.isfinite(run.train().best_miou)
    assert not torch.equal(net.weight, before)


def test_a_teacher_alone_teaches():
    teacher = training_run.network()
    trained = trainer(epochs=12)
    trained.train()
    teacher.load_state_dict(trained.model.state_dict())
    teacher.eval()
    nothing = lambda logits, truth: logits.sum() * 0  # noqa: E731
    recipe = {"lovasz": 0.0, "auxiliary": 0.0, "distillation": Distillation(weight=3.0)}
    result = trainer(epochs=12, loss=nothing, teacher=teacher, **recipe).train()
    assert result.best_miou > 0.7


def test_the_trunk_learns_at_its_share_of_the_rate():
    from salticid.segment.network import FastSegNet

    net = FastSegNet(3)
    run = SegmentationTrainer(net, training_run.views(), [], 3, 1e-3, recipe=Recipe(trunk_rate=0.25))
    shares = {id(parameter): group["share"] for group in run._optimizer.param_groups for parameter in group["params"]}
    assert {shares[id(parameter)] for parameter in net.trunk()} == {0.25}
    assert shares[id(net.decoder.head[1].weight)] == 1.0


def test_the_rate_rises_in_a_line_then_falls_in_a_cosine():
    rates = [schedule(step / 1000, 0.1) for step in range(1000)]
    assert rates.index(max(rates)) == 100
    assert rates[50] == pytest.approx(0.5)
    assert rates[550] == pytest.approx(0.505, abs=0.01)
    assert 0.009 < rates[-1] < 0.02
    assert min(rates) > 0


@pytest.mark.parametrize("wrong", [{"pixel_step": 0}, {"boundary": -1.0}, {"trunk_rate": math.nan}])
def test_a_recipe_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Recipe(**wrong)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": 0.0}, {"learning_rate": math.nan}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        trainer(**wrong)


def test_16_bit_floats_train_on_a_cpu_too():
    assert math.isfinite(trainer(epochs=2, precision="bf16").train().epochs[-1].loss)


def _interrupt_after(count):
    def progress(epoch):
        if epoch.epoch == count:
            raise KeyboardInterrupt

    return progress
