"""The autoencoder: what it looks at, how it is tuned, and that its ONNX file says the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from salticid.errors import IntegrityError
from salticid.motion.compare.autoencoder import LEAST_SD, SIGNAL_UNITS, SIGNALS, network_inputs, person_scale
from salticid.motion.compare.windows import FRAMES, Scale, clip_windows
from salticid.motion.measure.signals import SIDED, WHOLE
from salticid.motion.measured import Signals

torch = pytest.importorskip("torch", reason="the autoencoder is tuned with torch")
pytest.importorskip("onnx", reason="the tuned network is written with onnx")

from salticid.motion.compare import autoencoder_train  # noqa: E402 - needs torch
from salticid.motion.compare.autoencoder_train import (  # noqa: E402 - needs torch
    FRONTAL,
    fine_tune,
    pretrain_network,
    read_network,
    tuned_scorer,
    write_network,
)


def clip(seed, *, hz=0.9, size=20.0, seconds=6.0, missing=()):
    """Return a clip whose signals all swing with the stride."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(round(30 * seconds)) / 30
    phase = 2 * np.pi * hz * times_s[:, None] + np.arange(len(SIGNALS)) + rng.uniform(0, 6)
    values = 10 + size * np.sin(phase) + rng.normal(0, 0.5, phase.shape)
    values[:, [SIGNALS.index(name) for name in missing]] = np.nan
    return Signals(times_s, values.astype(np.float32), SIGNALS, SIGNAL_UNITS)


@pytest.fixture(scope="module")
def network():
    persons = [[clip(10 * person + k, hz=0.7 + 0.1 * person) for k in range(2)] for person in range(6)]
    return pretrain_network(persons, epochs=12, seed=1)


OWN = [clip(seed) for seed in range(100, 105)]


def test_its_signals_are_signals_of_the_package_in_their_units():
    units = {f"{name}.{side}": unit for name, unit, _ in SIDED for side in ("left", "right")}
    units |= {name: unit for name, unit, _ in WHOLE}
    assert [units[name] for name in SIGNALS] == list(SIGNAL_UNITS)


def test_it_has_about_fifty_thousand_parameters(network):
    assert 45_000 < sum(values.numel() for values in network.parameters()) < 60_000


def test_what_is_unknown_is_masked_and_never_a_number():
    one = clip(0, missing=FRONTAL)
    scale, known = person_scale([one])
    inputs = network_inputs(clip_windows(one, SIGNALS), scale, known)
    hidden = [SIGNALS.index(name) for name in FRONTAL]
    assert inputs.shape[1:] == (FRAMES, 2 * len(SIGNALS))
    assert (inputs[:, :, hidden] == 0).all()
    assert (inputs[:, :, [len(SIGNALS) + column for column in hidden]] == 0).all()
    assert np.isfinite(inputs).all()


def test_a_spread_is_never_smaller_than_measuring_strays():
    still = clip(0, size=0.0)
    assert (person_scale([still])[0].sd == LEAST_SD).all()


def test_fine_tuning_moves_the_decoder_and_no_layer_of_the_encoder(network):
    scale, known = person_scale(OWN)
    inputs = [network_inputs(clip_windows(one, SIGNALS), scale, known) for one in OWN]
    tuned = autoencoder_train._tuned(network, inputs, 2, 0)
    before, after = network.state_dict(), tuned.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name in before if not name.startswith("encoder")}


def test_tuning_brings_the_own_clips_closer_and_leaves_another_movement_far(network):
    plain, tuned = tuned_scorer(OWN, network, epochs=0), tuned_scorer(OWN, network, epochs=4)
    new, other = clip(200), clip(201, hz=1.6, size=35.0)
    assert tuned(new) < plain(new)
    assert tuned(other) > 1.5 * tuned(new)


def test_the_exported_network_scores_as_the_tuned_one_does(network):
    tuned = fine_tune(OWN, network)
    new = clip(200)
    assert tuned.score(new) == pytest.approx(tuned_scorer(OWN, network)(new), rel=1e-4)
    assert math.isnan(tuned.score(clip(200, seconds=0.5)))


def test_a_view_without_the_frontal_signals_is_scored_by_the_others(network):
    own = [clip(seed, missing=FRONTAL) for seed in range(100, 105)]
    errors = fine_tune(own, network).errors(clip(200, missing=FRONTAL))
    assert [name for name, error in zip(SIGNALS, errors, strict=True) if np.isnan(error)] == [
        name for name in SIGNALS if name in FRONTAL
    ]


def test_torch_keeps_the_threads_that_it_had(network):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    tuned_scorer(OWN[:2], network, epochs=1)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_pre_training_is_the_same_for_the_same_seed():
    persons = [[clip(1), clip(2)]]
    first, second = (pretrain_network(persons, epochs=1, seed=4).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_come_back_as_16_bits_and_damage_is_told(network, tmp_path):
    path = tmp_path / "network.npz"
    write_network(path, network)
    again = read_network(path).state_dict()
    assert all(torch.equal(again[name], values.half().float()) for name, values in network.state_dict().items())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(IntegrityError, match="damaged"):
        read_network(path)


def test_weights_of_other_signals_are_refused(network, tmp_path, monkeypatch):
    path = tmp_path / "network.npz"
    monkeypatch.setattr(autoencoder_train, "SIGNALS", SIGNALS[::-1])
    write_network(path, network)
    monkeypatch.undo()
    with pytest.raises(IntegrityError, match="train it again"):
        read_network(path)


def test_values_far_off_are_cut_off():
    wild = np.full((1, FRAMES, len(SIGNALS)), 1e6, np.float32)
    scale = Scale(np.zeros(len(SIGNALS)), np.ones(len(SIGNALS)))
    assert network_inputs(wild, scale, np.ones(len(SIGNALS), bool)).max() == 10
