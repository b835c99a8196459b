"""Losses against their definitions, and batches in which nothing counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from salticid.errors import InputError
from salticid.segment.losses import (
    IGNORED,
    BoundaryLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    LovaszLoss,
    OHEMLoss,
    near_boundary,
)

LOSSES = [CrossEntropyLoss(), OHEMLoss(), FocalLoss(), DiceLoss(), LovaszLoss(step=1), BoundaryLoss()]
CLASSES = 4


def drawn(seed=0, size=(2, 9, 11)):
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(size[0], CLASSES, *size[1:], generator=chance)
    truth = torch.randint(CLASSES, size, generator=chance)
    truth[torch.rand(size, generator=chance) < 0.2] = IGNORED
    return logits, truth


def sure(truth, margin=50.0):
    """Return logits that are right and certain; void is taken for class 0."""
    known = truth.clamp(max=CLASSES - 1)
    return margin * torch.nn.functional.one_hot(known, CLASSES).permute(0, 3, 1, 2).float()


def pixel_costs(logits, truth):
    chances = logits.double().softmax(dim=1).permute(0, 2, 3, 1)
    counts = truth != IGNORED
    return -np.log(chances[counts].numpy()[np.arange(int(counts.sum())), truth[counts].numpy()])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_batch_of_void_costs_nothing_and_moves_nothing(loss):
    logits = torch.randn(1, CLASSES, 8, 8, requires_grad=True)
    cost = loss(logits, torch.full((1, 8, 8), IGNORED))
    cost.backward()
    assert cost == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_void_pixels_do_not_matter(loss):
    logits, truth = drawn()
    other = torch.where((truth == IGNORED)[:, None], torch.randn_like(logits) * 9, logits)
    assert torch.allclose(loss(logits, truth), loss(other, truth), atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_what_is_right_and_certain_costs_nothing(loss):
    _, truth = drawn()
    assert float(loss(sure(truth), truth)) == pytest.approx(0, abs=1e-5)


def test_cross_entropy_is_the_mean_of_the_pixels_that_count():
    logits, truth = drawn()
    assert float(CrossEntropyLoss()(logits, truth)) == pytest.approx(pixel_costs(logits, truth).mean(), rel=1e-5)


def test_ohem_keeps_the_pixels_below_the_threshold_when_they_are_enough():
    logits, truth = drawn()
    costs = pixel_costs(logits, truth)
    expected = costs[costs >= -np.log(0.3)].mean()
    assert float(OHEMLoss(thresh=0.3, min_kept=1)(logits, truth)) == pytest.approx(expected, rel=1e-5)


def test_ohem_keeps_the_hardest_when_too_few_are_below_the_threshold():
    logits, truth = drawn()
    costs = np.sort(pixel_costs(logits, truth))[-100:]
    assert float(OHEMLoss(thresh=1e-6, min_kept=100)(logits, truth)) == pytest.approx(costs.mean(), rel=1e-5)


def test_weights_raise_what_their_class_costs():
    logits, truth = drawn()
    weights = torch.tensor([1.0, 1.0, 1.0, 3.0])
    for kind in (CrossEntropyLoss, OHEMLoss, FocalLoss):
        assert kind(weights=weights)(logits, truth) > kind()(logits, truth)


def test_focal_loss_is_cross_entropy_at_gamma_0_and_less_above():
    logits, truth = drawn()
    plain = CrossEntropyLoss()(logits, truth)
    assert torch.allclose(FocalLoss(gamma=0.0)(logits, truth), plain)
    assert FocalLoss(gamma=2.0)(logits, truth) < plain


def test_lovasz_is_one_minus_the_iou_for_answers_that_are_certain():
    _, truth = drawn()
    wrong = truth.clone()
    wrong[0, :4] = 1
    counts = truth != IGNORED
    ious = []
    for number in range(CLASSES):
        said, is_so = (wrong == number) & counts, (truth == number) & counts
        ious.append(float((said & is_so).sum() / (said | is_so).sum()))
    assert float(LovaszLoss(step=1)(sure(wrong), truth)) == pytest.approx(1 - np.mean(ious), abs=1e-5)


def test_dice_is_one_minus_the_overlap_for_answers_that_are_certain():
    truth = torch.tensor([[[0, 0, 1, 1]]])
    said = torch.tensor([[[0, 1, 1, 1]]])
    expected = 1 - np.mean([2 * 1 / 3, 2 * 2 / 5])
    assert float(DiceLoss()(sure(said), truth)) == pytest.approx(expected, abs=1e-5)


def test_pixels_within_reach_of_another_class_are_near_a_boundary_and_void_makes_none():
    truth = torch.tensor([[[0, 0, 0, 1, 1, 1, 1, IGNORED, 1, 1]]])
    assert near_boundary(truth, 1)[0, 0].tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert near_boundary(truth, 2)[0, 0].tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "make",
    [lambda: OHEMLoss(thresh=0), lambda: OHEMLoss(min_kept=0), lambda: LovaszLoss(0), lambda: BoundaryLoss(0)],
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(InputError):
        make()
