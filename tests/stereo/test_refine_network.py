"""The refinement network as a file and in whole numbers: what is saved is what is loaded, and damage is told."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest
from refinement_cases import random_net

from salticid.engine.integer import LAST_OUTPUT
from salticid.engine.patches import gather
from salticid.errors import InputError, IntegrityError
from salticid.stereo.refine_maps import CONFIDENCE, MAPS, refinement_maps
from salticid.stereo.refine_network import (
    FAR_SCORE,
    FINEST_LOGIT_BITS,
    NEAR_SCORE,
    RESIDUAL,
    RESIDUAL_STEP_PX,
    SURE,
    TAPS,
    load,
)
from salticid.stereo.simulate import simulate_pair

ARRAYS = [f"{name}{layer}" for layer in range(3) for name in ("weights", "bias")] + ["range0", "range1"]
ADVICE = "is not a refinement network .*: write one with 'salticid train refine'"


@pytest.fixture
def saved(tmp_path):
    """Return the path of a file with a random network."""
    random_net().save(tmp_path / "net.npz")
    return tmp_path / "net.npz"


def arrays_of(net):
    return [*net.weights, *net.biases, *net.ranges]


def test_the_network_looks_at_49_places_near_by_and_at_none_twice():
    assert len(TAPS) == len(set(TAPS)) == 49
    assert max(max(abs(tap.dy), abs(tap.dx)) for tap in TAPS) == 12
    compared = {tap.plane for tap in TAPS} | {tap.center for tap in TAPS if tap.center is not None}
    assert compared == set(range(len(MAPS)))
    # What no other is compared with is what lies in a byte as it is.
    assert {tap.plane for tap in TAPS if tap.center is None} == {CONFIDENCE}
    assert not [tap for tap in TAPS if (tap.plane, tap.dy, tap.dx) == (tap.center, 0, 0)]  # always 0


@pytest.mark.parametrize("mirrored", [lambda y, x: (-y, x), lambda y, x: (y, -x), lambda y, x: (x, y)])
def test_no_side_is_looked_at_more_than_another(mirrored):
    looks = {(tap.plane, tap.center, tap.dy, tap.dx) for tap in TAPS}
    assert {(tap.plane, tap.center, *mirrored(tap.dy, tap.dx)) for tap in TAPS} == looks


def test_the_network_has_2196_parameters():
    net = load()
    assert net.parameters == 2196 == 49 * 32 + 32 + 32 * 16 + 16 + 16 * 4 + 4
    assert net.patch_network().network.parameters == 2196


def test_a_saved_network_is_the_same_when_loaded(saved):
    net, again = random_net(), load(saved)
    for one, other in zip(arrays_of(net), arrays_of(again), strict=True):
        assert other.dtype == np.float32
        np.testing.assert_array_equal(one, other)
    inputs = np.random.default_rng(0).integers(0, 128, (50, 49))
    np.testing.assert_array_equal(net(inputs), again(inputs))
    np.testing.assert_array_equal(net.patch_network().network(inputs), again.patch_network().network(inputs))


def test_the_same_network_makes_the_same_file_of_under_8_kb(saved, tmp_path):
    load(saved).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()
    assert saved.stat().st_size < 8000


def test_a_file_that_is_there_stays_where_it_may_not_be_replaced(saved):
    before = saved.read_bytes()
    with pytest.raises(InputError, match="exists"):
        random_net(1).save(saved, overwrite=False)
    assert saved.read_bytes() == before
    random_net(1).save(saved)
    assert saved.read_bytes() != before


def test_the_outputs_are_those_of_three_layers_one_after_the_other():
    net, inputs = random_net(), np.random.default_rng(0).integers(0, 128, (20, 49))
    values = (inputs - 64) / 32
    for weights, bias in zip(net.weights[:2], net.biases[:2], strict=True):
        values = np.maximum(values @ weights.T + bias, 0)
    expected = values @ net.weights[2].T + net.biases[2]
    assert net(inputs).shape == (20, 4)
    np.testing.assert_allclose(net(inputs), expected, atol=1e-5)


def relative_errors(net, inputs):
    """Return how far the outputs in whole numbers are off, beside how much they vary."""
    expected = net(inputs)
    off = net.patch_network().network.real_outputs(inputs) - expected
    return np.sqrt((off**2).mean(axis=0)) / expected.std(axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_in_whole_numbers_every_output_comes_within_a_tenth(seed):
    inputs = np.random.default_rng(seed).integers(0, 128, (2000, 49))
    assert relative_errors(random_net(seed), inputs).max() < 0.1


def test_the_trained_network_in_whole_numbers_says_the_same_of_a_simulated_scene():
    pair = simulate_pair(160, 120)
    random = np.random.default_rng(0)
    disparity_px = pair.disparity_left_px + random.normal(0, 0.3, pair.visible.shape).astype(np.float32)
    disparity_px[~pair.visible | (random.random(pair.visible.shape) < 0.2)] = np.nan
    maps = refinement_maps(disparity_px, np.where(pair.visible, np.float32(0.8), np.float32(0)), pair.left)
    inputs = gather(TAPS, maps, np.ones(pair.visible.shape, bool))
    net = load()
    assert relative_errors(net, inputs).max() < 0.15
    said, whole = net(inputs), net.patch_network().network(inputs)
    sure = np.abs(said[:, NEAR_SCORE] - said[:, FAR_SCORE]) > 0.1
    nearer = said[:, NEAR_SCORE] > said[:, FAR_SCORE]
    assert ((whole[:, NEAR_SCORE] > whole[:, FAR_SCORE]) == nearer)[sure].mean() > 0.99


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("larger", [NEAR_SCORE, FAR_SCORE])
def test_both_scores_have_one_scale_that_holds_them_and_the_residual_a_round_one(seed, larger):
    net = random_net(seed)
    net.weights[-1][larger] *= 8  # by itself it would have a scale eight times as coarse
    scale = net.patch_network().network.layers[-1].scale
    assert scale[NEAR_SCORE] == scale[FAR_SCORE]
    assert scale[RESIDUAL] == RESIDUAL_STEP_PX
    said = np.abs(net(np.random.default_rng(0).integers(0, 128, (500, 49))))
    assert (scale * LAST_OUTPUT >= said.max(axis=0))[:SURE].all()


@pytest.mark.parametrize("times", [1, 30])
def test_a_step_of_the_logit_is_a_power_of_two_and_as_fine_as_its_weights_allow(times):
    net = random_net()
    net.weights[-1][SURE] *= times
    last = net.patch_network().network.layers[-1]
    assert last.scale[SURE] == 2.0 ** round(np.log2(last.scale[SURE]))
    assert last.scale[SURE] >= 2.0**-FINEST_LOGIT_BITS
    assert last.scale[SURE] == 2.0**-FINEST_LOGIT_BITS or last.shift[SURE] == 0


def test_a_faint_confidence_still_has_steps_of_the_finest_logit():
    net = random_net()
    net.weights[-1][SURE] /= 1000
    net.biases[-1][SURE] = 0
    assert net.patch_network().network.layers[-1].scale[SURE] == 2.0**-FINEST_LOGIT_BITS


def rewritten(path, **changes):
    """Write the file again with other arrays; None leaves one out."""
    with np.load(path) as before:
        arrays = dict(before) | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "change",
    [
        lambda array: None,
        lambda array: array.astype(np.float32),
        lambda array: array.astype(np.complex64),
        lambda array: array.astype("U8"),
        lambda array: array.astype(object),
        lambda array: array[..., :-1],
        lambda array: array[None],
        lambda array: array[:0],
        lambda array: np.float16(3),
        lambda array: np.where(np.arange(array.shape[-1]) == 1, np.float16(np.nan), array),
        lambda array: np.where(np.arange(array.shape[-1]) == 1, np.float16(np.inf), array),
    ],
)
def test_an_array_that_is_not_what_it_must_be_is_refused_by_its_name(saved, name, change):
    with np.load(saved) as arrays:
        changed = change(arrays[name])
    words = ADVICE if changed is not None and changed.dtype == object else f"{name}.*{ADVICE[-40:]}"
    with pytest.raises(IntegrityError, match=words):
        load(rewritten(saved, **{name: changed}))


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_file_that_was_cut_off_is_refused_with_what_to_do(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    with pytest.raises(IntegrityError, match=ADVICE):
        load(saved)


def test_whichever_byte_is_flipped_the_network_is_refused_or_the_same(saved):
    data, expected = saved.read_bytes(), arrays_of(load(saved))
    refused = 0
    for place in range(0, len(data), 17):
        saved.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            found = arrays_of(load(saved))
        except IntegrityError:
            refused += 1
        else:  # a date in the archive, which nobody reads
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)
    assert refused > 0.8 * len(data) / 17


def written_by(save, what):
    buffer = io.BytesIO()
    save(buffer, what)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"no network\n",
        written_by(np.save, np.zeros((32, 49), np.float16)),
        written_by(lambda file, what: zipfile.ZipFile(file, "w").writestr("weights0.npy", what), b"no array"),
        written_by(lambda file, what: zipfile.ZipFile(file, "w").close(), None),
    ],
    ids=["nothing", "two letters", "text", "one array", "archive of text", "empty archive"],
)
def test_what_is_no_archive_of_arrays_is_refused_with_what_to_do(tmp_path, data):
    path = tmp_path / "net.npz"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=ADVICE):
        load(path)


class Trap:
    """Tells when it is unpickled."""

    sprung = False

    def __reduce__(self):
        return _spring, ()


def _spring():
    Trap.sprung = True
    return np.zeros(32, np.float16)


@pytest.fixture
def trap(monkeypatch):
    monkeypatch.setattr(Trap, "sprung", False)
    yield Trap()
    assert not Trap.sprung


def test_objects_in_a_file_are_never_unpickled(saved, trap):
    assert len(pickle.loads(pickle.dumps([trap]))) == 1
    assert Trap.sprung  # so a trap it is
    Trap.sprung = False
    with pytest.raises(IntegrityError, match=ADVICE):
        load(rewritten(saved, bias0=np.array([trap] * 32, object)))


def test_a_pickle_is_never_unpickled(tmp_path, trap):
    path = tmp_path / "net.npz"
    for data in (pickle.dumps(trap), written_by(np.save, np.array([trap], object))):
        path.write_bytes(data)
        with pytest.raises(IntegrityError, match=ADVICE):
            load(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no model file .*gone\.npz"):
        load(tmp_path / "gone.npz")
    with pytest.raises(InputError, match="refine"):
        load("refnie")
