"""Taking over what did not change gives the bits of computing everything, and computes little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_nets import random_net

from salticid.upscale.engines import NativeEngine
from salticid.upscale.shape import Shape
from salticid.upscale.unchanged import CELL_PX, ChangesOnly, changed_cells, cover

SHAPE = Shape(1, 4, 2)
NET = random_net(np.random.default_rng(0), layers=SHAPE.layers, channels=SHAPE.channels, scale=SHAPE.scale)


class Counting:
    """An engine that notes how many pixels it was given, and may fail at one of its calls."""

    def __init__(self, *, takes_16_bits=False, fails_at=0):
        self._engine = NativeEngine(NET, SHAPE, threads=1)
        self.name, self.shape, self.takes_16_bits = "counting", SHAPE, takes_16_bits
        self.pixels, self._fails_at = [], fails_at

    def __call__(self, rgb):
        self.pixels.append(rgb.shape[0] * rgb.shape[1])
        if len(self.pixels) == self._fails_at:
            raise MemoryError
        return self._engine(rgb)

    def bytes_per_pixel(self):
        return 1.0


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def frames(engine, images):
    """Return copies of what an engine makes of one piece per frame."""
    made = []
    for image in images:
        engine.start_frame()
        made.append(engine(image).copy())
    return made


places = st.tuples(st.integers(0, 99), st.integers(0, 129), st.integers(1, 40), st.integers(1, 40))


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(st.integers(1, 100), st.integers(1, 130)), changes=st.lists(st.lists(places, max_size=4), max_size=4)
)
def test_whatever_changes_the_result_is_that_of_computing_everything(size, changes):
    images, rng = [noise(*size)], np.random.default_rng(1)
    for change in changes:
        image = images[-1].copy()
        for top, left, height, width in change:
            part = image[top : top + height, left : left + width]
            part[...] = rng.integers(0, 256, part.shape)
        images.append(image)
    plain = Counting()
    for found, image in zip(frames(ChangesOnly(Counting()), images), images, strict=True):
        np.testing.assert_array_equal(found, plain(image))


def test_a_pixel_that_changes_computes_what_sees_it_and_no_more():
    engine, image = Counting(), noise(320, 640)
    changed = image.copy()
    changed[48, 48] ^= 255
    watched = ChangesOnly(engine)
    frames(watched, [image, changed])
    halo = SHAPE.halo
    assert engine.pixels == [320 * 640, (CELL_PX + 2 * halo) ** 2]
    assert (watched.cells, watched.kept) == (2 * 200, 199)


@pytest.mark.parametrize(
    ("place", "cells"), [((32, 32), 4), ((34, 40), 2), ((35, 40), 1), ((0, 0), 1), ((319, 639), 1)]
)
def test_cells_whose_halo_changed_count_as_changed(place, cells):
    before = noise(320, 640)
    now = before.copy()
    now[place] ^= 1
    assert changed_cells(before, now, halo=3).sum() == cells


def test_a_frame_that_is_the_same_computes_nothing():
    engine, image = Counting(), noise(70, 90)
    watched = ChangesOnly(engine)
    frames(watched, [image, image.copy(), image.copy()])
    assert engine.pixels == [70 * 90]
    assert (watched.cells, watched.kept) == (27, 18)


def test_a_frame_that_changes_everywhere_is_computed_in_one_piece():
    engine = Counting()
    frames(ChangesOnly(engine), [noise(100, 100, 0), noise(100, 100, 1)])
    assert engine.pixels == [100 * 100, 100 * 100]


def test_many_small_changes_are_computed_together_where_that_is_less():
    engine, image = Counting(), noise(CELL_PX * 4, CELL_PX * 4)
    changed = image.copy()
    changed[16::64, 16::64] ^= 255
    changed[48::64, 48::64] ^= 255
    frames(ChangesOnly(engine), [image, changed])
    assert len(engine.pixels) > 1
    assert sum(engine.pixels[1:]) <= image.shape[0] * image.shape[1]


def test_what_changed_in_one_corner_and_the_other_is_computed_apart():
    assert cover(np.eye(8, dtype=bool), (256, 256), halo=2) == [
        (slice(index, index + 1), slice(index, index + 1)) for index in range(8)
    ]


def test_frames_of_another_size_and_pieces_of_one_frame_are_never_mixed_up():
    images = [noise(40, 50, 0), noise(50, 40, 0), noise(40, 50, 0)]
    plain, watched = Counting(), ChangesOnly(Counting())
    for found, image in zip(frames(watched, images), images, strict=True):
        np.testing.assert_array_equal(found, plain(image))
    watched.start_frame()
    for image in (images[0][:, :30], images[0][:, 20:]):
        np.testing.assert_array_equal(watched(image), plain(image))


def test_in_floating_point_a_piece_is_computed_as_a_whole_or_not_at_all():
    engine, image = Counting(takes_16_bits=True), noise(200, 200)
    changed = image.copy()
    changed[10, 10] ^= 1
    frames(ChangesOnly(engine), [image, image.copy(), changed])
    assert engine.pixels == [40_000, 40_000]


def test_after_an_exception_nothing_half_renewed_is_taken_over():
    image = noise(320, 320)
    changed = image.copy()
    changed[16, 16] ^= 255
    changed[300, 300] ^= 255
    engine, plain = Counting(fails_at=3), Counting()
    watched = ChangesOnly(engine)
    frames(watched, [image])
    watched.start_frame()
    with pytest.raises(MemoryError):
        watched(changed)
    np.testing.assert_array_equal(frames(watched, [image])[0], plain(image))
