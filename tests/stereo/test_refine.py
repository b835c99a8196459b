"""Refinement: the bits of its definition from every kernel, and what holds of a refined map whoever refined it."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refinement_cases import (
    FARTHEST_PX,
    NAN,
    STRIDED,
    THREADS,
    cases,
    make_case,
    random_confidence,
    random_map,
    random_net,
    random_view,
)

from salticid.core import native
from salticid.errors import InputError, IntegrityError, MissingError
from salticid.stereo.fill import fill_holes
from salticid.stereo.refine import LOGITS, ConfidenceTable, RefinedMap, Refiner, chosen_by, confidence_table
from salticid.stereo.refine_maps import FAR, FILLED, NEAR, refinement_maps_reference
from salticid.stereo.simulate import simulate_pair

SETS = native.instruction_sets()

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the file of a random network that takes each of the candidates somewhere."""
    path = tmp_path_factory.mktemp("refine") / "net.npz"
    random_net(6).save(path)
    return path


@pytest.fixture(scope="module")
def by_kernels(model):
    """Return a refiner for each way, instruction set and number of threads; each keeps its memory between maps."""
    ways = itertools.product((model, None), SETS, THREADS)
    return {way: Refiner(way[0], instruction_set=way[1], threads=way[2]) for way in ways}


@pytest.fixture(scope="module")
def by_numpy(model):
    """Return the readable refiners, with the network and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "load", lambda: None)
        return {way: Refiner(way) for way in (model, None)}


@pytest.fixture(params=["network", "classical"])
def way(request, model):
    return model if request.param == "network" else None


@pytest.fixture(params=["kernels", "numpy"])
def refiner(request, way, by_numpy):
    """Return every kind of refiner there is here."""
    if request.param == "numpy":
        return by_numpy[way]
    if native.load() is None:
        pytest.skip(native.reason())
    return Refiner(way, threads=2)


def assert_same(found, expected, note=""):
    assert isinstance(found, RefinedMap)
    assert found.method == expected.method
    np.testing.assert_array_equal(found.measured, expected.measured)
    for name in ("disparity_px", "confidence"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_array_equal(one, other, f"{name} {note}")
        if not np.isnan(other).any():
            np.testing.assert_array_equal(one.view(np.uint32), other.view(np.uint32), f"{name} {note}")


def random_mask(shape, kind):
    if kind is None:
        return None
    return np.random.default_rng(5).random(shape) < kind


@needs_kernels
@settings(max_examples=50, deadline=None)
@given(case=cases, masked=st.sampled_from([None, 0, 0.02, 0.5, 1]))
def test_every_kernel_and_any_number_of_threads_refines_with_the_bits_of_numpy(by_kernels, by_numpy, case, masked):
    given_arrays = make_case(**case)
    mask = random_mask(case["size"], masked)
    expected = {way: refiner(*given_arrays, mask=mask) for way, refiner in by_numpy.items()}
    for way, refiner in by_kernels.items():
        assert_same(refiner(*given_arrays, mask=mask), expected[way[0]], str(way))


@needs_kernels
@pytest.mark.parametrize("width", [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 97, 128, 200])
def test_widths_around_the_vector_lengths_have_the_bits_of_numpy(by_kernels, by_numpy, width):
    given_arrays = make_case((6, width), width, 40, 0.2, (3,))
    expected = {way: refiner(*given_arrays) for way, refiner in by_numpy.items()}
    for way, refiner in by_kernels.items():
        assert_same(refiner(*given_arrays), expected[way[0]], str(way))


def test_what_the_tests_refine_has_every_choice_in_it(by_numpy, model):
    # Else the comparisons above would compare little.
    given_arrays = make_case((60, 120), 4, 30, 0.2, (3,))
    maps = refinement_maps_reference(*given_arrays)
    outputs = by_numpy[model]._network(maps)
    near, far = outputs[..., 0], outputs[..., 1]
    taken = np.where(np.maximum(near, far) <= 0, 0, np.where(near >= far, 1, 2))
    differ = (maps[NEAR] != maps[FILLED]) & (maps[FAR] != maps[NEAR])
    assert np.bincount(taken[differ], minlength=3).min() > 50
    assert (
        min((outputs[..., 2] > 256).sum(), (outputs[..., 2] < -256).sum(), (np.abs(outputs[..., 2]) < 256).sum()) > 20
    )
    assert len(np.unique(outputs[..., 3] >> 8)) > 20


def test_what_was_finite_is_measured_and_every_pixel_has_a_disparity(refiner):
    given_arrays = make_case((40, 60), 3, 20, 0.3, (3,))
    refined = refiner(*given_arrays)
    np.testing.assert_array_equal(refined.measured, np.isfinite(given_arrays[0]))
    assert 0 < refined.measured.mean() < 1
    assert np.isfinite(refined.disparity_px).all()
    assert refined.guessed == pytest.approx(1 - refined.measured.mean())


def test_a_confidence_is_within_0_and_1_whatever_the_matcher_said(refiner):
    disparity_px, confidence, view = make_case((40, 60), 3, 20, 0.3, (3,))
    assert not np.isfinite(confidence[np.isfinite(disparity_px)]).all()
    found = refiner(disparity_px, confidence, view).confidence
    assert ((found >= 0) & (found <= 1)).all()
    tame = np.nan_to_num(confidence, nan=0).clip(0, 1)
    assert_same(refiner(disparity_px, confidence, view), refiner(disparity_px, tame, view))


@pytest.mark.parametrize("masked", [None, 0.5])
def test_where_nothing_is_known_nothing_is_said(refiner, masked):
    unknown = np.full((5, 70), NAN, np.float32)
    unknown[2, 3] = np.inf
    refined = refiner(unknown, np.ones((5, 70), np.float32), random_view(5, 70), mask=random_mask((5, 70), masked))
    assert np.isnan(refined.disparity_px).all()
    assert not refined.measured.any()
    assert not refined.confidence.any()
    assert refined.guessed == 0


@pytest.mark.parametrize("kernels", [True, False])
def test_without_a_network_only_edges_and_holes_change(kernels, by_numpy):
    refiner = Refiner(None) if kernels else by_numpy[None]
    disparity_px, confidence, view = (
        random_map(40, 60, 3, 20),
        random_confidence(40, 60, wild=False),
        random_view(40, 60),
    )
    known = np.isfinite(disparity_px)
    maps = refinement_maps_reference(disparity_px, confidence, view)
    refined = refiner(disparity_px, confidence, view)
    assert refined.method == "classical"
    stays = known & (maps[NEAR] == maps[FILLED])
    assert 0 < stays.sum() < known.sum() < known.size
    np.testing.assert_array_equal(refined.disparity_px[stays], disparity_px[stays])  # to the last bit, not a sixteenth
    np.testing.assert_array_equal(refined.disparity_px[~stays], maps[NEAR][~stays] / np.float32(16))
    np.testing.assert_array_equal(refined.confidence, np.where(known, confidence, 0))


def test_without_a_network_a_surface_stays_as_it_is(by_numpy):
    disparity_px = np.repeat(np.float32([np.arange(70) * 0.09 + 3]), 20, axis=0)
    confidence = random_confidence(20, 70, wild=False)
    for refiner in (by_numpy[None], Refiner(None)):
        np.testing.assert_array_equal(refiner(disparity_px, confidence, random_view(20, 70)).disparity_px, disparity_px)


def test_a_pixel_outside_of_the_mask_gets_the_classical_rules(refiner, by_numpy, model):
    given_arrays = make_case((40, 60), 3, 20, 0.3, (3,))
    mask = random_mask((40, 60), 0.5)
    refined, everywhere = refiner(*given_arrays, mask=mask), refiner(*given_arrays)
    classical = by_numpy[None](*given_arrays)
    for name in ("disparity_px", "confidence"):
        expected = np.where(mask, getattr(everywhere, name), getattr(classical, name))
        np.testing.assert_array_equal(getattr(refined, name), expected)
    if refiner.method == "network":
        assert (refined.disparity_px != classical.disparity_px).any()
        assert (refined.disparity_px != everywhere.disparity_px).any()


def test_the_network_moves_a_candidate_by_at_most_a_pixel(model):
    disparity_px, confidence, view = make_case((60, 120), 4, 30, 0.2, (3,))
    refined = Refiner(model)(disparity_px, confidence, view)
    assert refined.method == "network"
    near, far = (
        plane / 16 for plane in np.array(refinement_maps_reference(disparity_px, confidence, view))[[NEAR, FAR]]
    )
    filled = fill_holes(disparity_px, view).disparity_px
    moved = np.min([np.abs(refined.disparity_px - each) for each in (filled, near, far)], axis=0)
    assert moved.max() <= 1.0001  # the sum is rounded
    assert (moved > 0.99).any()


def outputs_of(near=0, far=0, residual=0, sure=0):
    return np.array([[[near, far, residual, sure]]], np.int16)


@pytest.mark.parametrize(
    ("outputs", "takes_px"),
    [
        (outputs_of(0, 0), 1.03),  # what was measured, and not its sixteenths
        (outputs_of(-1, -5), 1.03),
        (outputs_of(1, 0), 2),
        (outputs_of(0, 1), 3),
        (outputs_of(7, 7), 2),
        (outputs_of(7, 8), 3),
        (outputs_of(32767, -32768), 2),
        (outputs_of(-32768, -32768), 1.03),
        (outputs_of(5, 0, 128), 2.5),
        (outputs_of(5, 0, -64), 1.75),
        (outputs_of(5, 0, 256), 3),
        (outputs_of(5, 0, 257), 3),
        (outputs_of(0, 5, 32767), 4),
        (outputs_of(0, 5, -32768), 2),
    ],
)
def test_the_higher_score_above_0_takes_its_candidate_and_the_residual_moves_it(outputs, takes_px):
    maps = tuple(np.full((1, 1), steps, np.int16) for steps in (0, 16, 32, 48, 0, 0))
    found, _ = chosen_by(
        outputs, maps, np.full((1, 1), 1.03, np.float32), ConfidenceTable(np.zeros(LOGITS, np.float32), 8)
    )
    assert found == pytest.approx(np.full((1, 1), takes_px))
    hole, _ = chosen_by(
        outputs, maps, np.full((1, 1), NAN, np.float32), ConfidenceTable(np.zeros(LOGITS, np.float32), 8)
    )
    assert hole == pytest.approx(np.full((1, 1), 1 if takes_px == 1.03 else takes_px))


@pytest.mark.parametrize(
    ("sure", "shift", "entry"),
    [
        *((-32768, 8, 0), (-1, 8, 127), (0, 8, 128), (255, 8, 128), (256, 8, 129), (32767, 8, 255)),
        *((-32768, 6, 0), (-8192, 6, 0), (-8191, 6, 0), (-8128, 6, 1), (63, 6, 128), (64, 6, 129), (8191, 6, 255)),
        *((32767, 6, 255), (5, 0, 133)),
    ],
)
def test_the_confidence_shifted_and_limited_chooses_its_probability(sure, shift, entry):
    maps = tuple(np.zeros((1, 1), np.int16) for _ in range(6))
    table = ConfidenceTable(np.arange(LOGITS, dtype=np.float32), shift)
    _, found = chosen_by(outputs_of(sure=sure), maps, np.zeros((1, 1), np.float32), table)
    assert found.tolist() == [[entry]]


def test_probabilities_rise_from_0_to_1_with_the_logit_in_the_middle_of_each_step():
    network = random_net().patch_network()
    table, scale = confidence_table(network), network.network.layers[-1].scale[3]
    assert table.probability.dtype == np.float32
    assert table.probability.shape == (256,)
    assert (np.diff(table.probability) > 0).all()
    np.testing.assert_allclose(table.probability[::-1], 1 - table.probability, atol=1e-6)
    logits = np.log(table.probability.astype(float) / (1 - table.probability))
    steps = (np.arange(100, 156) - 127.5) * 2**table.shift * scale
    np.testing.assert_allclose(logits[100:156], steps, rtol=1e-3, atol=1e-6)
    assert steps[1] - steps[0] == pytest.approx(1 / 16)


def test_the_network_of_the_package_tells_many_degrees_of_confidence():
    arrays = make_case((60, 90), 4, 20, 0.3, (3,))
    assert len(np.unique(Refiner()(*arrays).confidence)) > 60


def test_a_result_that_is_held_stays_as_it_is(refiner):
    given_arrays = [make_case((30, 70), seed, 20, 0.3, (3,)) for seed in range(8)]
    held = [refiner(*arrays) for arrays in given_arrays]
    copies = [(refined.disparity_px.copy(), refined.confidence.copy()) for refined in held]
    for _ in range(2):
        for arrays in reversed(given_arrays):
            refiner(*arrays)
    for refined, (disparity_px, confidence) in zip(held, copies, strict=True):
        np.testing.assert_array_equal(refined.disparity_px, disparity_px)
        np.testing.assert_array_equal(refined.confidence, confidence)
    distinct = {refined.disparity_px.ctypes.data for refined in held} | {
        refined.confidence.ctypes.data for refined in held
    }
    assert len(distinct) == 16


def test_a_map_does_not_depend_on_those_before_it(refiner, way, by_numpy):
    sizes = [(30, 90), (5, 7), (60, 33), (30, 90), (1, 1), (9, 140), (30, 90)]
    for seed, size in enumerate(sizes):
        given_arrays = make_case(size, seed, 20, 0.3, [(), (3,)][seed % 2])
        assert_same(refiner(*given_arrays), by_numpy[way](*given_arrays))


@pytest.mark.parametrize("view", STRIDED)
def test_strides_do_not_matter_and_nothing_of_the_caller_s_changes(refiner, view):
    wide = (*make_case((40, 90), 1, 20, 0.3, (3,)), random_mask((40, 90), 0.5))
    before = [array.copy() for array in wide]
    for array in wide:
        array.flags.writeable = False
    *strided, mask = (view(array) for array in wide)
    *contiguous, contiguous_mask = (np.ascontiguousarray(view(array)) for array in wide)
    assert_same(refiner(*strided, mask=mask), refiner(*contiguous, mask=contiguous_mask))
    for array, as_it_was in zip(wide, before, strict=True):
        np.testing.assert_array_equal(array, as_it_was)


def test_a_gray_view_is_as_good_as_three_equal_channels(refiner):
    disparity_px, confidence, gray = make_case((30, 70), 2, 20, 0.3, ())
    color = np.stack([gray] * 3, axis=2)
    assert_same(refiner(disparity_px, confidence, gray), refiner(disparity_px, confidence, color))


@needs_kernels
def test_threads_may_share_a_refiner(way, by_numpy):
    # Slow enough for refinements to overlap, were they not to take turns.
    shared = Refiner(way, instruction_set="scalar")
    given_arrays = [make_case((90 - 7 * seed, 150 + 9 * seed), seed, 20, 0.3, (3,)) for seed in range(8)]
    start = threading.Barrier(4)

    def refine_all(first):
        start.wait()
        return [shared(*given_arrays[n % 8]) for n in range(first, first + 8)]

    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(refine_all, range(4)))
    expected = [by_numpy[way](*arrays) for arrays in given_arrays]
    for first, refined in enumerate(found):
        for n, each in enumerate(refined):
            assert_same(each, expected[(first + n) % 8])


def test_the_trained_network_makes_a_simulated_map_better_and_knows_where():
    pair = simulate_pair(240, 180)
    random = np.random.default_rng(0)
    noisy_px = pair.disparity_left_px + random.normal(0, 0.2, pair.visible.shape).astype(np.float32)
    wrong = random.random(pair.visible.shape) < 0.05
    noisy_px[wrong] = random.uniform(0, 60, int(wrong.sum()))
    noisy_px[~pair.visible] = NAN
    confidence = np.where(wrong, np.float32(0.2), np.float32(0.9))
    refined = Refiner()(noisy_px, confidence, pair.left)

    def share_off(disparity_px):
        return (np.abs(disparity_px - pair.disparity_left_px)[pair.visible] > 1).mean()

    assert refined.method == "network"
    assert share_off(refined.disparity_px) < 0.5 * share_off(noisy_px)
    right = np.abs(refined.disparity_px - pair.disparity_left_px) <= 1
    assert refined.confidence[right].mean() > refined.confidence[~right].mean() + 0.2


@pytest.mark.parametrize("masked", [None, 0, 1])
def test_disparities_beyond_16_bits_are_refused_with_what_to_do(refiner, masked):
    disparity_px = np.full((9, 20), 3, np.float32)
    disparity_px[8, 19] = -FARTHEST_PX
    given_arrays = random_confidence(9, 20), random_view(9, 20)
    mask = random_mask((9, 20), masked)
    assert refiner(disparity_px, *given_arrays, mask=mask).measured.all()
    disparity_px[8, 19] = -FARTHEST_PX - 0.5
    with pytest.raises(InputError, match=r"2047\.5 px: scale the views down"):
        refiner(disparity_px, *given_arrays, mask=mask)


MAP, VIEW, MASK = np.ones((4, 5), np.float32), np.ones((4, 5, 3), np.uint8), np.ones((4, 5), bool)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"disparity_px": MAP.astype(np.float64)}, "disparity_px must be a float32 array .* not float64"),
        ({"disparity_px": MAP[0]}, r"disparity_px must be .* \(5,\)"),
        ({"disparity_px": MAP[:0], "confidence": MAP[:0], "image": VIEW[:0]}, "disparity_px has no pixels"),
        ({"disparity_px": MAP.tolist()}, "disparity_px must be .* list"),
        ({"confidence": MAP.astype(np.float64)}, "confidence must be a float32 array .* not float64"),
        ({"confidence": MAP.tolist()}, "confidence must be .* list"),
        ({"confidence": None}, "confidence must be .* NoneType"),
        ({"confidence": MAP[:3]}, r"confidence is \(3, 5\) and disparity_px \(4, 5\): give both of one map"),
        ({"image": VIEW.astype(np.float32)}, "image must be .* not float32"),
        ({"image": VIEW.tolist()}, "image must be .* list"),
        ({"image": VIEW[:3]}, "image is .*: give the view that was matched"),
        ({"image": VIEW[..., :2]}, "image is .*: give the view that was matched"),
        ({"mask": MASK[:3]}, r"mask must be \(4, 5\) bool, not \(3, 5\) bool"),
        ({"mask": MASK.astype(np.uint8)}, r"mask must be \(4, 5\) bool, not \(4, 5\) uint8"),
        ({"mask": MASK.tolist()}, r"mask must be \(4, 5\) bool, not list"),
        ({"mask": True}, r"mask must be \(4, 5\) bool, not bool"),
    ],
)
def test_what_is_no_map_with_its_confidence_view_and_mask_is_refused(refiner, changes, says):
    given_arrays = {"disparity_px": MAP, "confidence": MAP, "image": VIEW, "mask": MASK}
    refiner(**given_arrays)
    with pytest.raises(InputError, match=says):
        refiner(**given_arrays | changes)


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, None, "2"])
def test_a_thread_count_is_a_positive_whole_number(threads):
    with pytest.raises(InputError, match="threads must be a whole number of at least 1"):
        Refiner(None, threads=threads)


def test_an_unknown_instruction_set_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="instruction_set must be one of avx512, avx2"):
        Refiner(None, instruction_set="sse9")


@needs_kernels
def test_an_instruction_set_that_this_machine_lacks_is_missing(monkeypatch):
    monkeypatch.setattr(native, "instruction_sets", lambda: ("scalar",))
    with pytest.raises(MissingError, match="instruction set 'avx512' cannot be used: this CPU runs scalar"):
        Refiner(None, instruction_set="avx512")


def test_a_model_that_is_not_there_or_damaged_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no model file .*gone\.npz"):
        Refiner(tmp_path / "gone.npz")
    (tmp_path / "net.npz").write_bytes(b"no network")
    with pytest.raises(IntegrityError, match="write one with 'salticid train refine'"):
        Refiner(tmp_path / "net.npz")
