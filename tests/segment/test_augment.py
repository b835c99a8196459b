"""Views show what their truth says, wherever they are cut out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.segment.augment import Augmentation, Place, draw_scale, views
from salticid.segment.losses import IGNORED

STILL = Augmentation(degrees=0, flip=0, brightness=0, contrast=0, saturation=0, gamma=0, blur=0)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def blocks(height=64, width=96):
    """Return an image whose gray is 20 times its class, in blocks of 16 px."""
    rows, columns = torch.arange(height) // 16, torch.arange(width) // 16
    truth = ((rows[:, None] * 3 + columns) % 7).to(torch.uint8)
    return (truth * 20).expand(3, -1, -1).contiguous(), truth


def gray(pixels):
    return (pixels[:, 0] + 1) * 127.5


def test_a_view_of_the_whole_at_its_own_size_is_the_image():
    image, truth = blocks()
    pixels, classes = views([image], [truth], [Place(0, 1.0, 31.5, 47.5)], (64, 96), STILL, chance())
    assert torch.equal(gray(pixels)[0].round().to(torch.uint8), image[0])
    assert torch.equal(classes[0], truth.long())


def test_what_lies_outside_of_the_image_is_ignored_and_shows_its_border():
    image, truth = blocks()
    pixels, classes = views([image], [truth], [Place(0, 1.0, 31.5, 47.5)], (96, 128), STILL, chance())
    assert torch.equal(classes[0, 16:-16, 16:-16], truth.long())
    assert (classes[0, :16] == IGNORED).all()
    assert torch.equal(gray(pixels)[0, 0, 16:-16].round().to(torch.uint8), image[0, 0])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.5, 2.0), st.floats(0, 63), st.floats(0, 95))
def test_image_and_truth_stay_together_at_any_scale_angle_and_side(seed, scale, row, column):
    image, truth = blocks()
    options = Augmentation(degrees=10, flip=0.5, brightness=0, contrast=0, saturation=0, gamma=0, blur=0)
    pixels, classes = views([image], [truth], [Place(0, scale, row, column)], (48, 64), options, chance(seed))
    counts = classes != IGNORED
    off = (gray(pixels)[counts] - 20 * classes[counts]).abs()
    # Edges of blocks are mixed colors; inside of them there is no doubt.
    assert not counts.any() or float((off < 1).float().mean()) > 0.6
    assert not counts.any() or float((off < 60).float().mean()) > 0.95


def test_a_flipped_view_is_the_image_in_a_mirror():
    image, truth = blocks()
    options = Augmentation(degrees=0, flip=1.0, brightness=0, contrast=0, saturation=0, gamma=0, blur=0)
    _, classes = views([image], [truth], [Place(0, 1.0, 31.5, 47.5)], (64, 96), options, chance())
    assert torch.equal(classes[0], truth.flip(1).long())


def test_colors_stay_within_their_range_and_truth_does_not_change():
    image, truth = blocks()
    places = [Place(0, 1.0, 31.5, 47.5)] * 8
    options = Augmentation(degrees=0, flip=0, brightness=0.9, contrast=0.9, saturation=0.9, blur=1.0)
    pixels, classes = views([image], [truth], places, (64, 96), options, chance())
    assert -1 <= float(pixels.min()) <= float(pixels.max()) <= 1
    assert (classes == truth.long()).all()
    assert len({float(view.mean()) for view in pixels}) == 8


def test_blur_keeps_the_mean_and_takes_the_edges():
    image, truth = blocks()
    options = Augmentation(degrees=0, flip=0, brightness=0, contrast=0, saturation=0, gamma=0, blur=1.0, blur_px=2.0)
    place = [Place(0, 1.0, 31.5, 47.5)]
    soft, _ = views([image], [truth], place, (64, 96), options, chance(3))
    sharp, _ = views([image], [truth], place, (64, 96), STILL, chance(3))
    assert float(soft.mean()) == pytest.approx(float(sharp.mean()), abs=0.01)
    assert soft.diff(dim=3).abs().max() < 0.9 * sharp.diff(dim=3).abs().max()


def test_the_same_seed_gives_the_same_views():
    image, truth = blocks()
    places = [Place(0, 1.3, 20.0, 40.0)] * 3
    first, second = (views([image], [truth], places, (32, 32), Augmentation(), chance(5)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_scales_are_as_often_below_1_as_above():
    drawn = chance(1)
    scales = torch.tensor([draw_scale(Augmentation(scale=(0.5, 2.0)), drawn) for _ in range(2000)])
    assert 0.5 <= scales.min() <= scales.max() <= 2.0
    assert float((scales < 1).float().mean()) == pytest.approx(0.5, abs=0.05)
