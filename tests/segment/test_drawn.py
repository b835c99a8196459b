"""Logits at drawn pixels are those that torch interpolates, and no others are made."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from salticid.errors import InputError
from salticid.segment.drawn import Drawn

sides = st.integers(1, 9)


@settings(deadline=None)
@given(sides, sides, st.integers(1, 70), st.integers(1, 70), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_they_are_those_of_torchs_interpolation(height, width, tall, wide, step, seed):
    torch.manual_seed(seed)
    logits, drawn = torch.randn(2, 3, height, width), Drawn.anew(step)
    whole = functional.interpolate(logits, size=(tall, wide), mode="bilinear", align_corners=False)
    found = drawn.enlarged(logits, (tall, wide))
    assert found.shape == drawn.of(whole).shape
    torch.testing.assert_close(found, drawn.of(whole), atol=1e-5, rtol=0)


def test_every_pixel_is_drawn_as_often_as_any_other():
    torch.manual_seed(0)
    counted = torch.zeros(6, 9)
    for _ in range(900):
        Drawn.anew(3).of(counted).add_(1)
    assert counted.sum() == 900 * 2 * 3
    assert counted.min() > 60
    assert counted.max() < 140


def test_the_gradient_of_all_offsets_together_is_that_of_all_pixels():
    logits = torch.randn(1, 2, 4, 5, requires_grad=True)
    functional.interpolate(logits, size=(32, 40), mode="bilinear").square().sum().backward()
    wanted, logits.grad = logits.grad, None
    for top in range(2):
        for left in range(2):
            Drawn(2, top, left).enlarged(logits, (32, 40)).square().sum().backward()
    torch.testing.assert_close(logits.grad, wanted)


def test_mixed_precision_does_not_round_them():
    logits, drawn = 8 * torch.randn(1, 3, 6, 7), Drawn(2, 1, 0)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = drawn.enlarged(logits, (48, 56))
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, drawn.enlarged(logits, (48, 56)))


def test_less_than_every_pixel_in_one_cannot_be_drawn():
    with pytest.raises(InputError, match="at least 1"):
        Drawn.anew(0)
