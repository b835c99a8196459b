"""Memory that is handed out again when nobody holds it."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from salticid.core.recycle import MOST_KEPT, Recycler


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (7, 5), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint16, "f8"])
def test_an_array_is_what_was_asked_for_and_can_be_written(shape, dtype):
    array = Recycler().empty(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    array[...] = 3
    assert (array == 3).all()


def test_memory_that_nobody_holds_is_handed_out_again():
    recycler = Recycler()
    array = recycler.empty((100, 100), np.float32)
    first = address(array)
    del array
    assert address(recycler.empty((100, 100), np.float32)) == first


def test_a_view_or_a_transposed_view_keeps_the_memory():
    recycler = Recycler()
    views = [recycler.empty((100, 100), np.float32)[10:20].T]
    for n in range(20):
        views[0][...] = -1
        other = recycler.empty((100, 100), np.float32)
        other[...] = n
        assert (views[0] == -1).all()


def test_other_shapes_and_types_get_memory_of_their_own():
    recycler = Recycler()
    recycler.empty((10, 10), np.float32)[...] = 1
    assert recycler.empty((10, 20), np.float32).shape == (10, 20)
    assert recycler.empty((10, 10), np.int32).dtype == np.int32


def test_what_is_kept_is_bounded():
    recycler = Recycler()
    arrays = [recycler.empty((4, 4), np.float32) for _ in range(3 * MOST_KEPT)]
    del arrays
    assert len(recycler._kept) == MOST_KEPT


def test_nothing_is_kept_alive_by_a_cycle():
    gc.collect()
    gc.disable()
    try:
        recycler = Recycler()
        recycler.empty((4, 4), np.float32)
        del recycler
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_arrays_outlive_the_recycler_and_can_be_pickled():
    array = Recycler().empty((3, 3), np.float32)
    array[...] = 7
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array)), np.full((3, 3), 7, np.float32))


def test_threads_never_share_an_array():
    recycler = Recycler()

    def fill(n):
        for _ in range(200):
            array = recycler.empty((32, 32), np.int64)
            array[...] = n
            if not (array == n).all():
                return False
        return True

    with ThreadPoolExecutor(8) as executor:
        assert all(executor.map(fill, range(8)))
