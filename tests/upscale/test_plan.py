from __future__ import annotations

import pytest

from salticid.errors import InputError, ResourceError
from salticid.upscale.plan import make_plan, passes, target_size
from salticid.upscale.shape import Shape


class Engine:
    """An engine that only says what it takes."""

    name, takes_16_bits = "fake", False

    def __init__(self, scale=4):
        self.shape = Shape(10, 32, scale)

    def bytes_per_pixel(self):
        return 400.0


def test_a_scale_and_sides_tell_the_size_of_the_result():
    assert target_size((100, 60), None, None, None) == (400, 240)
    assert target_size((100, 60), 1.5, None, None) == (150, 90)
    assert target_size((100, 60), None, 120, None) == (200, 120)
    assert target_size((100, 60), None, None, 300) == (300, 180)
    assert target_size((100, 60), None, 100, 300) == (300, 100)


@pytest.mark.parametrize("asked", [(0.5, None, None), (9, None, None), (float("nan"), None, None), (None, 30, None)])
def test_less_than_the_image_and_more_than_8_times_is_refused(asked):
    with pytest.raises(InputError, match="1 to 8"):
        target_size((100, 60), *asked)


def test_a_scale_and_a_side_do_not_go_together():
    with pytest.raises(InputError, match="not both"):
        target_size((100, 60), 2, 120, None)


def test_the_smallest_networks_that_reach_the_size_are_taken():
    assert passes((10, 10), (20, 11), [2, 4]) == (2,)
    assert passes((10, 10), (21, 10), [2, 4]) == (4,)
    assert passes((10, 10), (80, 80), [2, 4]) == (4, 2)
    assert passes((10, 10), (80, 80), [2]) == (2, 2, 2)
    assert passes((10, 10), (50, 50), [4]) == (4, 4)


def test_less_memory_means_smaller_tiles_and_more_of_them():
    plans = [make_plan((2000, 3000), (8000, 12000), [Engine()], budget_bytes=mb * 10**6) for mb in (800, 200, 60)]
    assert plans[0].tile_px > plans[1].tile_px > plans[2].tile_px
    assert plans[0].tiles < plans[1].tiles < plans[2].tiles
    assert all(plan.peak_bytes <= mb * 10**6 for plan, mb in zip(plans, (800, 200, 60), strict=True))


def test_what_no_tile_makes_possible_is_said_before_the_work():
    with pytest.raises(ResourceError, match=r"even in tiles of 16 px.*\.png"):
        make_plan((2000, 3000), (8000, 12000), [Engine()], budget_bytes=2 * 10**6)
