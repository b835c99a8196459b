from __future__ import annotations

from dataclasses import replace

import pytest

from salticid.errors import InputError, ResourceError
from salticid.upscale.outline import Outline
from salticid.upscale.plan import make_plan, passes, target_size
from salticid.upscale.shape import Shape

LARGE = Outline((2000, 3000), (8000, 12000))


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
    plans = [make_plan(LARGE, [Engine()], budget_bytes=mb * 10**6) for mb in (800, 200, 80)]
    assert plans[0].tile_px > plans[1].tile_px > plans[2].tile_px
    assert plans[0].tiles < plans[1].tiles < plans[2].tiles
    assert all(plan.peak_bytes <= mb * 10**6 for plan, mb in zip(plans, (800, 200, 80), strict=True))


def test_what_no_tile_makes_possible_is_said_before_the_work():
    with pytest.raises(ResourceError, match=r"takes \d+ MB even in tiles of 16 px, and 2 MB are left"):
        make_plan(LARGE, [Engine()], budget_bytes=2 * 10**6)
    with pytest.raises(ResourceError, match=r"takes \d+ MB, and"):
        make_plan(LARGE, [], budget_bytes=2 * 10**6)


@pytest.mark.parametrize(
    "more", [{"sixteen": True}, {"alpha": True}, {"blended": True}, {"held": "image"}, {"held": "webp"}]
)
def test_all_that_an_image_has_counts(more):
    plain, other = (
        make_plan(outline, [Engine()], budget_bytes=10**11, tile_px=64) for outline in (LARGE, replace(LARGE, **more))
    )
    assert other.peak_bytes > 1.05 * plain.peak_bytes


@pytest.mark.parametrize("side", [0, -5, 150.5, float("nan"), float("inf")])
def test_a_side_that_is_no_number_of_pixels_is_refused(side):
    with pytest.raises(InputError, match="whole numbers of at least 1"):
        target_size((100, 60), None, side, None)
