"""What an epoch draws depends on its seed and number alone, and meets rare classes often."""

from __future__ import annotations

import pytest
import torch

from salticid.segment.batches import Pixels, Views, WholeImages, class_shares, whole
from salticid.segment.losses import IGNORED

RARE = 2


def pixels(count=6, height=64, width=96):
    """Return images of two halves, in one of which a small thing of class 2 stands."""
    images, truths = [], []
    for number in range(count):
        truth = torch.zeros(height, width, dtype=torch.uint8)
        truth[height // 2 :] = 1
        if number == 0:
            truth[10:14, 60:64] = RARE
        images.append((truth * 100).expand(3, -1, -1).contiguous())
        truths.append(truth)
    return Pixels(images, truths)


def drawn(views):
    return [(image.clone(), truth.clone()) for image, truth in views]


def equal(first, second):
    pairs = zip(first, second, strict=True)
    return all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs)


def test_an_epoch_is_as_many_whole_batches_as_there_are_images_for():
    views = Views(pixels(7), 3, (32, 64), batch=3)
    batches = drawn(views)
    assert len(batches) == len(views) == 2
    assert batches[0][0].shape == (3, 3, 32, 64)
    assert batches[0][1].shape == (3, 32, 64)
    assert batches[0][1].dtype == torch.int64


def test_an_epoch_can_be_drawn_again_by_its_number():
    views = Views(pixels(), 3, (32, 64), batch=2, seed=4)
    first, second = drawn(views), drawn(views)
    assert not equal(first, second)
    again = Views(pixels(), 3, (32, 64), batch=2, seed=4, epoch=1)
    assert equal(second, drawn(again))
    assert not equal(first, drawn(Views(pixels(), 3, (32, 64), batch=2, seed=5)))


def test_a_rare_class_is_met_far_more_often_than_by_chance():
    def share(rare):
        views = Views(pixels(), 3, (32, 32), batch=6, seed=1, rare=rare)
        met = [bool((truth == RARE).any()) for _ in range(10) for _, batch in views for truth in batch]
        return sum(met) / len(met)

    assert share(rare=0.5) > 3 * share(rare=0.0)


def test_fewer_images_than_a_batch_are_repeated():
    views = Views(pixels(1), 3, (32, 32), batch=4)
    [(image, _)] = drawn(views)
    assert len(image) == 4


def test_a_class_that_never_occurs_is_never_looked_for():
    assert drawn(Views(pixels(), 9, (32, 32), batch=2, rare=1.0))


def test_views_lie_inside_of_the_image_where_they_can():
    from salticid.segment.augment import Augmentation

    still = Augmentation(scale=(1.0, 1.0), degrees=0)
    for _, truth in Views(pixels(), 3, (32, 64), batch=2, options=still):
        assert not (truth == IGNORED).any()


def test_shares_count_what_is_not_void():
    some = pixels(1)
    some.truths[0][:32] = IGNORED
    assert class_shares(some, 3).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (32, 33), (40, 64)])
def test_a_whole_image_is_padded_to_multiples_of_32_by_its_border(height, width):
    image = torch.randint(256, (3, height, width), dtype=torch.uint8)
    padded = whole(image)
    assert padded.shape == (1, 3, -(-height // 32) * 32, -(-width // 32) * 32)
    assert torch.allclose((padded[0, :, :height, :width] + 1) * 127.5, image.float(), atol=1e-3)
    assert torch.equal(padded[..., -1, -1], padded[..., height - 1, width - 1])


def test_the_padding_of_a_whole_image_is_ignored_in_its_truth():
    some = pixels(2, height=40, width=70)
    for image, truth in WholeImages(some):
        assert image.shape[2:] == truth.shape[1:] == (64, 96)
        assert (truth[0, 40:] == IGNORED).all()
        assert (truth[0, :, 70:] == IGNORED).all()
        assert (truth[0, :40, :70] != IGNORED).all()
