"""What the network is pre-trained on: simulated persons of all kinds, and recordings that are not kept aside."""

from __future__ import annotations

import numpy as np
import pytest
from motion_recordings import write_recordings

from salticid.errors import InputError
from salticid.motion.compare.autoencoder import SIGNALS
from salticid.motion.simulate.persons import GaitStyle

pytest.importorskip("torch", reason="pre-training needs torch")

from salticid.motion.compare.autoencoder_data import pretrain, recorded_persons, simulated_persons
from salticid.motion.compare.autoencoder_train import read_network, shipped_network


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of motion capture: two styles, made by the simulation."""
    folder = tmp_path_factory.mktemp("mocap")
    for style, speed_kmh in (("normal", 5.0), ("slow", 3.0)):
        write_recordings(folder, style, GaitStyle(speed_kmh=speed_kmh), 2, seconds=4.0)
    return folder


def test_simulated_persons_differ_and_have_every_signal_of_the_network():
    first, second = simulated_persons(2, seed=0)
    assert len(first) == len(second) == 3
    assert set(SIGNALS) <= set(first[0].names)
    knee = first[0].names.index("knee_flexion.left")
    assert abs(np.nanmax(first[0].values[:, knee]) - np.nanmax(second[0].values[:, knee])) > 1
    [again, *_] = simulated_persons(1, seed=0)
    np.testing.assert_array_equal(again[0].values, first[0].values)


def test_a_style_that_is_kept_aside_is_not_seen(recordings):
    assert [len(person) for person in recorded_persons(recordings, (), 0)] == [2, 2]
    assert len(recorded_persons(recordings, ("slow",), 0)) == 1


def test_pre_training_writes_a_network_that_can_be_read(recordings, tmp_path):
    lines = []
    seen = pretrain(recordings, tmp_path / "net.npz", persons=1, epochs=1, without=("slow",), progress=lines.append)
    assert seen == 2
    assert lines[-1].startswith("epoch 1 of 1")
    assert len(read_network(tmp_path / "net.npz").state_dict()) > 10
    with pytest.raises(InputError, match="exists"):
        pretrain(None, tmp_path / "net.npz", persons=1, epochs=1)


def test_the_network_in_the_package_is_the_one_of_these_signals():
    assert shipped_network().output.out_features == len(SIGNALS)
