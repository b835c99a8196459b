"""Native semi-global matching: a pair by hand, and the bits of the reference however the work is done."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.errors import InputError, MissingError
from salticid.stereo.matched import NONE, Evidence
from salticid.stereo.sgm import PATHS, WINDOWS, SemiGlobalMatcher
from salticid.stereo.sgm_reference import sgm_reference

pytestmark = pytest.mark.skipif(native.load() is None, reason=native.reason())

EVIDENCE = [field.name for field in dataclasses.fields(Evidence)]
SETS = native.instruction_sets()


def random_pair(height, width, seed=0, levels=256):
    return np.random.default_rng(seed).integers(0, levels, (2, height, width), dtype=np.uint8)


def shifted_pair(height, width, seed=0, levels=256, shift=3):
    """Return views of a random texture, one shift apart: winners stand out, and there are borders to cope with."""
    texture = np.random.default_rng(seed).integers(0, levels, (height, width + abs(shift)), dtype=np.uint8)
    start = max(0, -shift)
    return texture[:, start : start + width], texture[:, start + shift : start + shift + width]


def assert_same(found, expected, note=""):
    for name in ("disparity_px", "confidence"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_array_equal(one.view(np.uint32), other.view(np.uint32), f"{name} {note}")
    for name in EVIDENCE if found.evidence else ():
        one, other = getattr(found.evidence, name), getattr(expected.evidence, name)
        assert one.dtype == other.dtype == np.uint16
        np.testing.assert_array_equal(one, other, f"{name} {note}")


@pytest.mark.parametrize("name", [*SETS, "reference"])
def test_a_spot_that_lies_one_pixel_further_left_by_hand(name):
    left, right = np.array([[0, 0, 9, 0]], np.uint8), np.array([[0, 9, 0, 0]], np.uint8)
    options = {"window": "5x5", "num_disparities": 4, "p1": 0, "p2": 0, "p2_least": 0}
    if name == "reference":
        found = sgm_reference(left, right, **options)
    else:
        found = SemiGlobalMatcher(**options, instruction_set=name)(left, right, evidence=True)
    # Without penalties a sum is 8 times the cost. The first row of costs is worked out in test_sgm_reference.py.
    costs = 8 * np.array([[13, 6, 6, 6], [23, 2, 9, 9], [23, 0, 21, 16], [13, 0, 28, 13]])
    evidence = found.evidence
    assert evidence.cost.tolist() == [costs[:, 1].tolist()]  # all choose d = 1
    assert evidence.cost_before.tolist() == [costs[:, 0].tolist()]
    assert evidence.cost_after.tolist() == [costs[:, 2].tolist()]
    assert evidence.second_cost.tolist() == [costs[:, 3].tolist()]
    assert evidence.left_right_px.tolist() == [[NONE, 0, 0, 0]]  # the first pixel's match would lie outside
    assert evidence.disagreement_px.tolist() == [[0, 0, 0, 0]]
    assert found.confidence.tolist() == [[0, pytest.approx(1 - 16 / 72), 1, 1]]
    # The costs rise by 21, 23, 13 towards d = 0 and by 7, 21, 28 towards d = 2; a rise counts 8 times in the sum and 8
    # times for itself. The three pixels see each other and share one fit: 16 * 57 and 16 * 56, so the ratio is 1/57.
    # The first pixel was rejected: its rises, 7 and 0, do not count.
    assert np.isnan(found.disparity_px[0, 0])
    np.testing.assert_allclose(found.disparity_px[0, 1:], 1 + 1 / 57 * (3 - 1 / 57) / 4, rtol=1e-6)


@st.composite
def searches(draw):
    p2 = draw(st.integers(0, 63))
    return {
        "window": draw(st.sampled_from(WINDOWS)),
        "paths": draw(st.sampled_from(PATHS)),
        "min_disparity": draw(st.integers(-50, 50)),
        "num_disparities": draw(st.integers(1, 70)),
        "p1": draw(st.integers(0, p2)),
        "p2": p2,
        "p2_least": draw(st.integers(0, p2)),
        "p2_slope": draw(st.sampled_from([0, 1, 2, 63])),
        "uniqueness_percent": draw(st.sampled_from([0, 1, 15, 100])),
        "left_right_px": draw(st.integers(-1, 3)),
    }


@given(
    size=st.tuples(st.integers(1, 24), st.integers(1, 40)),
    make=st.sampled_from([random_pair, shifted_pair]),
    levels=st.sampled_from([2, 20, 256]),
    seed=st.integers(0, 99),
    options=searches(),
    threads=st.integers(1, 3),
    evidence=st.booleans(),
    low_memory=st.booleans(),
)
@settings(max_examples=250, deadline=None)
def test_every_kernel_gives_the_bits_of_the_reference(size, make, levels, seed, options, threads, evidence, low_memory):
    left, right = make(*size, seed, levels)
    expected = sgm_reference(left, right, **options)
    for name in SETS:
        matcher = SemiGlobalMatcher(**options, threads=threads, instruction_set=name)
        found = matcher(left, right, evidence=evidence, low_memory=low_memory)
        assert (found.evidence is not None) == evidence
        assert_same(found, expected, name)


@pytest.mark.parametrize("paths", PATHS)
def test_every_number_of_disparities_around_the_vector_lengths_has_the_bits_of_the_reference(paths):
    left, right = shifted_pair(3, 24)
    for number in range(1, 131):
        options = {"paths": paths, "min_disparity": -2, "num_disparities": number}
        expected = sgm_reference(left, right, **options)
        for name in SETS:
            found = SemiGlobalMatcher(**options, instruction_set=name)(left, right, evidence=True)
            assert_same(found, expected, f"{name} {number}")


@pytest.mark.parametrize("height", [7, 8, 9, 15, 16, 17, 33])
def test_sizes_around_a_group_of_rows_and_a_chunk_of_pixels_have_the_bits_of_the_reference(height):
    for width in (63, 64, 65, 127, 128, 129):
        left, right = shifted_pair(height, width, seed=width)
        expected = sgm_reference(left, right, num_disparities=9)
        for threads, low_memory in itertools.product((1, 2), (False, True)):
            found = SemiGlobalMatcher(num_disparities=9, threads=threads)(
                left, right, evidence=True, low_memory=low_memory
            )
            assert_same(found, expected, f"{width} {threads} {low_memory}")


@pytest.mark.parametrize(
    ("window", "paths", "min_disparity", "num_disparities"),
    [("9x7", 8, 0, 130), ("7x7", 4, -3, 70), ("5x5", 8, -70, 70), ("9x7", 4, 260, 64)],
)
def test_a_wide_pair_has_the_bits_of_the_reference_whoever_does_what(window, paths, min_disparity, num_disparities):
    left, right = shifted_pair(40, 300, levels=40, shift=33)
    options = {
        "window": window,
        "paths": paths,
        "min_disparity": min_disparity,
        "num_disparities": num_disparities,
    }
    expected = sgm_reference(left, right, **options)
    for name, threads in itertools.product(SETS, (1, 2, 3)):
        matcher = SemiGlobalMatcher(**options, threads=threads, instruction_set=name)
        for evidence, low_memory in itertools.product((True, False), repeat=2):
            found = matcher(left, right, evidence=evidence, low_memory=low_memory)
            assert_same(found, expected, f"{name} {threads} {evidence} {low_memory}")


def layered_pair(height, width, seed, shifts):
    """Return views of a random texture in layers, one shift each: tiles that have different things to search."""
    random = np.random.default_rng(seed)
    right = random.integers(0, 256, (height, width), dtype=np.uint8)
    of_rows = np.array(shifts)[np.arange(height) * len(shifts) // height]
    columns = (np.arange(width) - of_rows[:, None]).clip(0, width - 1)
    return np.take_along_axis(right, columns, axis=1), right


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 220)),
    seed=st.integers(0, 99),
    shifts=st.lists(st.integers(0, 150), min_size=1, max_size=4),
    paths=st.sampled_from(PATHS),
    min_disparity=st.integers(-40, 40),
    num_disparities=st.integers(65, 180),
    threads=st.integers(1, 3),
    evidence=st.booleans(),
    low_memory=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_from_coarse_to_fine_every_kernel_gives_the_bits_of_the_reference(
    size, seed, shifts, paths, min_disparity, num_disparities, threads, evidence, low_memory
):
    left, right = layered_pair(*size, seed, shifts)
    options = {"paths": paths, "min_disparity": min_disparity, "num_disparities": num_disparities}
    expected = sgm_reference(left, right, **options, coarse_to_fine=True)
    for name in SETS:
        matcher = SemiGlobalMatcher(**options, coarse_to_fine=True, threads=threads, instruction_set=name)
        assert_same(matcher(left, right, evidence=evidence, low_memory=low_memory), expected, name)


def test_few_disparities_are_searched_in_full_also_from_coarse_to_fine():
    left, right = shifted_pair(40, 200)
    expected = SemiGlobalMatcher(num_disparities=64)(left, right)
    assert_same(SemiGlobalMatcher(num_disparities=64, coarse_to_fine=True)(left, right), expected)


@pytest.mark.parametrize(
    "ranges",
    [
        np.zeros((3, 2, 2), np.uint32),  # nothing to search
        np.full((3, 2, 2), (65, 32), np.uint32),  # beyond the 96 that 70 disparities become
        np.full((3, 2, 2), (0, 16), np.uint32),  # no whole group
        np.full((3, 2, 2), (0, 128), np.uint32),
        np.full((3, 2, 2), (2**32 - 32, 32), np.uint32),
        np.full((2, 2, 2), (0, 32), np.uint32),  # not all tiles
        np.full((3, 2, 1), (32,), np.uint32),
    ],
)
def test_the_kernels_refuse_ranges_that_reach_beyond_the_search(ranges):
    left, right = random_pair(24, 70)
    maps = np.empty((2, 24, 70), np.float32)
    with pytest.raises(ValueError, match="range"):
        SemiGlobalMatcher(num_disparities=70)._sgm.match(left, right, ranges.astype(np.uint32), *maps, None, 1, False)


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[3:20, 5:51],
        lambda image: image[::-1],
        lambda image: image[:, ::-1],
        lambda image: image[::3, ::2],
        lambda image: image.T,
        lambda image: image[:, 7:8],
        lambda image: image[7:8],
        lambda image: np.asfortranarray(image),
        lambda image: np.broadcast_to(image[4], image.shape),
        lambda image: np.broadcast_to(image[:, 4:5], image.shape),
        lambda image: np.stack([image] * 3, axis=2)[..., 1],
    ],
)
def test_strides_do_not_matter_and_views_stay_as_they_are(view):
    pair = random_pair(24, 60)
    before = pair.copy()
    pair.flags.writeable = False
    found = SemiGlobalMatcher(num_disparities=20, threads=2)(view(pair[0]), view(pair[1]), evidence=True)
    assert_same(found, sgm_reference(view(before[0]), view(before[1]), num_disparities=20))
    np.testing.assert_array_equal(pair, before)


def test_views_of_different_strides_make_a_pair():
    left, right = random_pair(24, 60)
    found = SemiGlobalMatcher(num_disparities=20)(left, np.asfortranarray(right[::-1])[::-1])
    assert_same(found, sgm_reference(left, right, num_disparities=20))


def test_more_threads_than_rows_are_allowed():
    left, right = random_pair(3, 50)
    expected = sgm_reference(left, right, num_disparities=20)
    for low_memory in (False, True):
        found = SemiGlobalMatcher(num_disparities=20, threads=20)(left, right, evidence=True, low_memory=low_memory)
        assert_same(found, expected)


@pytest.mark.parametrize("gray", [0, 77, 255])
def test_a_pair_of_one_gray_has_no_confidence(gray):
    flat = np.full((20, 70), gray, np.uint8)
    found = SemiGlobalMatcher(min_disparity=2, num_disparities=30)(flat, flat, evidence=True)
    assert not found.confidence.any()
    assert (found.evidence.second_cost == found.evidence.cost).all()


def test_a_matcher_gives_the_same_again_whatever_it_matched_in_between():
    matcher = SemiGlobalMatcher(num_disparities=40, threads=2)
    sizes = [(30, 90), (5, 7), (30, 90), (44, 20), (1, 1), (9, 200), (30, 90)]
    for height, width in sizes:
        left, right = random_pair(height, width)
        expected = sgm_reference(left, right, num_disparities=40)
        for low_memory in (True, False):
            assert_same(matcher(left, right, evidence=True, low_memory=low_memory), expected)


def test_threads_may_share_a_matcher():
    # Slow enough for matches to overlap, were they not to take turns.
    options = {"num_disparities": 64, "instruction_set": "scalar"}
    shared = SemiGlobalMatcher(**options)
    pairs = [random_pair(150 - seed, 200 + seed, seed) for seed in range(9)]
    with ThreadPoolExecutor(3) as executor:
        found = list(executor.map(lambda pair: shared(*pair, evidence=True), pairs))
    for pair, matched in zip(pairs, found, strict=True):
        assert_same(matched, SemiGlobalMatcher(**options)(*pair, evidence=True))


def test_other_threads_run_during_a_match():
    matcher = SemiGlobalMatcher(instruction_set="scalar")
    left, right = random_pair(480, 640)
    began, ended, done = [], [], threading.Event()

    def match():
        began.append(time.perf_counter())
        matcher(left, right)
        ended.append(time.perf_counter())
        done.set()

    thread = threading.Thread(target=match)
    thread.start()
    seen = []
    while not done.wait(0.001):
        seen.append(time.perf_counter())
    thread.join()
    # With the GIL held we would be seen before the match and after it, not amid.
    margin = (ended[0] - began[0]) / 4
    assert any(began[0] + margin < moment < ended[0] - margin for moment in seen)


@pytest.mark.parametrize(
    ("left", "says"),
    [
        ([[1, 2]], "left view must be a uint8 array, not list"),
        (np.zeros((4, 4), np.int8), "int8"),
        (np.zeros((4, 4), np.float32), "float32"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4, 3), np.uint8), r"\(4, 4, 3\)"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((0, 4), np.uint8), r"\(0, 4\)"),
        (np.zeros((4, 0), np.uint8), r"\(4, 0\)"),
        (np.zeros((4, 5), np.uint8), r"differ in size: left \(4, 5\), right \(4, 4\)"),
    ],
)
def test_what_is_no_pair_is_refused_before_a_kernel_sees_it(left, says):
    matcher = SemiGlobalMatcher()
    matcher._sgm = None  # to use it would be an AttributeError
    right = np.zeros((4, 4), np.uint8)
    with pytest.raises(InputError, match=says):
        matcher(left, right)
    swapped = says.replace("left view", "right view").replace(r"left \(4, 5\), right \(4, 4\)", r"left \(4, 4\)")
    with pytest.raises(InputError, match=swapped):
        matcher(right, left)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        *(({"window": window}, "window must be one of 5x5, 7x7, 9x7") for window in ("9x9", "", None, ["9x7"])),
        *(({"paths": paths}, "paths must be one of 4, 8") for paths in (5, 0, -8, "8", True)),
        *(({"min_disparity": value}, "min_disparity must be .* -4096 to 4096") for value in (-4097, 4097, 0.5, "0")),
        *(({"num_disparities": value}, "num_disparities must be .* 1 to 4096") for value in (0, -1, 4097, 64.0, True)),
        *(({"p2": value}, "p2 must be .* 0 to 63") for value in (-1, 64, 20.5)),
        *(({"p1": value}, "p1 must be .* 0 to 63") for value in (-1, 64, None)),
        ({"p1": 21, "p2": 20}, "p1 must be .* 0 to 20, not 21"),
        ({"p2_least": 21, "p2": 20}, "p2_least must be .* 0 to 20, not 21"),
        *(({"p2_slope": value}, "p2_slope must be .* 0 to 63") for value in (-1, 64, 1.5)),
        *(({"uniqueness_percent": value}, "uniqueness_percent must be .* 0 to 100") for value in (-1, 101, None)),
        *(({"left_right_px": value}, "left_right_px must be .* -1 to 4096") for value in (-2, 4097, None)),
        *(({"coarse_to_fine": value}, "coarse_to_fine must be one of False, True") for value in (1, None, "yes")),
        *(({"threads": value}, "threads must be .* of 1 to") for value in (0, -1, 1.0, True, None)),
        ({"instruction_set": "sse9"}, ", ".join(native.INSTRUCTION_SETS)),
    ],
)
def test_a_wrong_option_is_refused_before_a_kernel_sees_it(monkeypatch, options, says):
    monkeypatch.delattr(native.load(), "Sgm")
    with pytest.raises(InputError, match=says):
        SemiGlobalMatcher(**options)


def test_without_kernels_there_is_no_matcher(monkeypatch):
    monkeypatch.setattr(native, "load", lambda: None)
    with pytest.raises(MissingError, match="native"):
        SemiGlobalMatcher()


def test_low_memory_lets_a_pair_of_25_megapixels_fit_a_gigabyte():
    height, width = 5000, 5000
    matcher = SemiGlobalMatcher(num_disparities=256)
    views_and_results = height * width * (2 * 1 + 2 * 4)
    assert matcher.memory_bytes(height, width, low_memory=True) + views_and_results < 1e9
    assert matcher.memory_bytes(height, width) > height * width * 256  # all halves: a byte per disparity of a pixel


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5), (5.0, 5)])
def test_the_memory_of_no_pair_is_refused(size):
    with pytest.raises(InputError, match="must be a whole number of 1 to"):
        SemiGlobalMatcher().memory_bytes(*size)


MEASURE = """
import json, re, sys
from pathlib import Path
import numpy as np
from salticid.stereo.sgm import SemiGlobalMatcher

def status(name):
    return 1024 * int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

size, options, how = json.loads(sys.argv[1])
left, right = np.random.default_rng(0).integers(0, 256, (2, *size), dtype=np.uint8)
matcher = SemiGlobalMatcher(**options)
matcher(left[:20, :20], right[:20, :20], **how)
before = status("VmRSS")
found = matcher(left, right, **how)
taken = status("VmHWM") - before  # not ru_maxrss, which counts what the parent had, too
maps = [found.disparity_px, found.confidence]
if found.evidence:
    maps += [getattr(found.evidence, name) for name in type(found.evidence).__slots__]
print(taken, matcher.memory_bytes(*size, **how) + sum(each.nbytes for each in maps))
"""


def memory_of(size, options, **how):
    """Return the bytes that a match took and those that were stated."""
    given = json.dumps([size, options, how])
    ran = subprocess.run([sys.executable, "-c", MEASURE, given], capture_output=True, text=True, check=True)
    taken, stated = map(int, ran.stdout.split())
    return taken, stated


def assert_takes_what_was_stated(size, options, **how):
    taken, stated = memory_of(size, options, **how)
    assert 0.9 * stated < taken < 1.1 * stated + 2e6  # a huge page more where memory comes in those


linux_only = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="Linux says how much memory a process has had"
)


@linux_only
@pytest.mark.parametrize("low_memory", [False, True])
def test_a_match_takes_the_memory_that_was_stated(low_memory):
    assert_takes_what_was_stated((600, 900), {"threads": 2}, low_memory=low_memory)


@linux_only
def test_from_coarse_to_fine_no_more_is_taken_than_was_stated():
    options = {"threads": 2, "coarse_to_fine": True, "num_disparities": 256}
    taken, stated = memory_of((600, 900), options)
    assert taken < 1.1 * stated


@linux_only
def test_what_evidence_takes_was_stated_too():
    # With wide rows and few disparities that is a good part, more than the tolerance.
    size, options = (16, 60_000), {"num_disparities": 16, "instruction_set": "scalar"}
    matcher = SemiGlobalMatcher(**options)
    assert matcher.memory_bytes(*size, evidence=True) > 1.2 * matcher.memory_bytes(*size)
    assert_takes_what_was_stated(size, options, evidence=True)
