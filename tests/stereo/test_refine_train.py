"""Training: it learns what there is to learn, the same every time, and leaves torch as it was."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from refinement_cases import small_pair

from salticid.errors import MissingError
from salticid.stereo import refine_train
from salticid.stereo.refine_network import FAR_SCORE, NEAR_SCORE, RESIDUAL, SURE, load
from salticid.stereo.refine_samples import Samples, training_samples, training_views
from salticid.stereo.refine_train import Schedule, train, train_layers

SHORT = Schedule(epochs=8)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="training needs torch")


@pytest.fixture(scope="module")
def samples():
    """Return some thousand pixels of two simulated pairs and of a worse version of each."""
    seen = training_views([small_pair(0), small_pair(1)], variants=1, seed=0, threads=1)
    return training_samples(list(seen), 1000)


@pytest.fixture(scope="module", autouse=True)
def small_steps():
    """Take many small steps, so that few samples suffice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refine_train, "BATCH", 128)
        yield


@pytest.fixture(scope="module")
def net(torch, samples):
    return train(samples, SHORT)


def made_up(count=6000, seed=0):
    """Return samples whose first inputs tell which candidate is right, how it is off, and whether none is."""
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 128, (count, 49)).astype(np.uint8)
    right = np.select([inputs[:, 0] < 40, inputs[:, 0] < 80], [0, 1], 2)
    errors_px = np.full((count, 3), 6, np.float32)
    errors_px[np.arange(count), right] = np.where(inputs[:, 1] < 64, 0.5, -0.5)
    hopeless = inputs[:, 2] > 90
    errors_px[hopeless] = 6
    return Samples(inputs, errors_px, np.ones(count, np.float32)), right, hopeless


def choices(net, inputs):
    outputs = net(inputs)
    scores = np.stack([np.zeros(len(outputs)), outputs[:, NEAR_SCORE], outputs[:, FAR_SCORE]], axis=1)
    return scores.argmax(axis=1), outputs


def assert_same(net, other):
    for name in ("weights", "biases", "ranges"):
        for one, same in zip(getattr(net, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(one, same)


def costs(errors_px):
    """Return what taking a candidate costs, in the words of `train_layers`."""
    off = np.abs(errors_px)
    return 0.5 * (off > 1) + (off > 2) + 0.5 * np.minimum(off / 4, 1)


def cost_of(net, samples):
    """Return what the network's choices cost, and what each candidate would cost if it were always taken."""
    cost = costs(samples.errors_px)
    chosen, _ = choices(net, samples.inputs)
    return cost[np.arange(len(cost)), chosen].mean(), cost.mean(axis=0)


def test_a_short_training_chooses_better_than_any_rule_that_always_takes_the_same(net, samples):
    found, always = cost_of(net, samples)
    assert found < 0.5 * always[0]  # what was filled
    assert found < 0.9 * always.min()


def test_what_it_learned_holds_for_a_scene_that_it_has_not_seen(net):
    views = training_views([small_pair(5)], variants=1, seed=1, threads=1)
    found, always = cost_of(net, training_samples(list(views), 1000))
    assert found < 0.7 * always[0]
    assert found <= always.min()
    assert found < 0.6 * always[0]


@pytest.fixture(scope="module")
def taught(torch):
    """Return a network that has learned the made-up samples, and what it says of others."""
    net = train(made_up()[0], Schedule(epochs=15))
    given, right, hopeless = made_up(seed=1)
    return given, right, hopeless, *choices(net, given.inputs)


def test_a_choice_that_the_inputs_tell_is_learned(taught):
    _, right, hopeless, chosen, _ = taught
    assert (chosen == right)[~hopeless].mean() > 0.9
    assert np.bincount(right[~hopeless]).min() > 1000


def test_the_residual_is_what_to_subtract_from_the_error(taught):
    given, right, hopeless, _, outputs = taught
    off = given.errors_px[np.arange(len(right)), right]
    remains = np.abs(off + outputs[:, RESIDUAL])
    assert remains[~hopeless].mean() < 0.5 * np.abs(off[~hopeless]).mean()


def test_the_confidence_is_the_logit_of_being_within_a_pixel(taught):
    _, _, hopeless, _, outputs = taught
    probability = 1 / (1 + np.exp(-outputs[:, SURE]))
    assert probability[hopeless].mean() < 0.2
    assert probability[~hopeless].mean() > 0.7


def test_pixels_of_no_weight_sway_neither_residual_nor_confidence(torch):
    inputs = made_up(2000)[0].inputs
    errors_px = np.full((2000, 3), 0.5, np.float32)
    errors_px[500:] = -1.4
    weights = np.where(np.arange(2000) < 500, np.float32(4), np.float32(0))
    net = train(Samples(inputs, errors_px, weights), Schedule(epochs=10))
    outputs = net(inputs)
    assert np.median(outputs[:, RESIDUAL]) == pytest.approx(-0.5, abs=0.15)
    assert np.median(outputs[:, SURE]) > 2


def test_the_same_seed_gives_the_same_network_and_another_seed_another(net, samples):
    again, other = train(samples, SHORT), train(samples, Schedule(epochs=SHORT.epochs, seed=1))
    assert_same(net, again)
    assert (net.weights[0] != other.weights[0]).any()


def test_a_trained_network_is_saved_without_a_loss(net, tmp_path):
    net.save(tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    assert again.parameters == net.parameters == 2196
    assert_same(net, again)


def test_the_ranges_are_how_far_the_hidden_units_reach(net, samples):
    values = np.maximum((samples.inputs.astype(float) - 64) / 32 @ net.weights[0].T + net.biases[0], 0)
    above = (values > 1.01 * net.ranges[0] + 0.01).mean(axis=0)
    assert above.max() < 0.002
    assert (values.max(axis=0) >= 0.99 * net.ranges[0] - 0.01).all()


def test_every_epoch_is_told_with_a_loss_that_falls(torch):
    lines = []
    train_layers(made_up(3000)[0], Schedule(epochs=8), lines.append)
    assert [line.split(":")[0] for line in lines] == [f"epoch {n} of 8" for n in range(1, 9)]
    losses = [float(line.split()[-1]) for line in lines]
    assert losses[-1] < 0.7 * losses[0]


def test_candidates_and_inputs_may_be_fewer(torch):
    given = made_up(500)[0]
    layers = train_layers(Samples(given.inputs[:, :7], given.errors_px[:, :2], given.weights), Schedule(epochs=1))
    assert [layer.weights.shape for layer in layers] == [(32, 7), (16, 32), (3, 16)]
    assert [layer.relu for layer in layers] == [True, True, False]


def test_torch_keeps_its_number_of_threads(torch):
    before = torch.get_num_threads()
    train_layers(made_up(100)[0], Schedule(epochs=1))
    assert torch.get_num_threads() == before

    def fail(line):
        assert torch.get_num_threads() == 1
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="epoch 1 of 1"):
        train_layers(made_up(100)[0], Schedule(epochs=1), fail)
    assert torch.get_num_threads() == before


def test_without_torch_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[train\]'"):
        train(made_up(100)[0], SHORT)
