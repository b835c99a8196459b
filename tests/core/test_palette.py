"""Colors of classes: always the same, and apart for readers who lack a kind of cones."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.core.palette import OKABE_ITO, class_palette, seen
from salticid.errors import InputError


def least_distance(colors):
    looks = seen(colors)
    apart = np.linalg.norm(looks[:, None] - looks[None], axis=-1).min(axis=-1)  # of the sight that tells them least
    return apart[~np.eye(len(colors), dtype=bool)].min()


@pytest.mark.parametrize(("count", "least"), [(7, 16), (11, 16), (19, 16), (32, 12), (64, 8), (150, 3)])
def test_colors_are_apart_in_lab_for_every_usual_sight(count, least):
    """A just noticeable difference is about 2.3."""
    assert least_distance(class_palette(count)) > least


def test_a_rainbow_of_as_many_hues_is_not_apart_for_them():
    import cv2

    hues = np.uint8([[[180 * k // 19, 255, 255] for k in range(19)]])
    assert least_distance(cv2.cvtColor(hues, cv2.COLOR_HSV2RGB)[0]) < 4


def test_the_first_colors_stay_when_there_are_more_classes():
    assert class_palette(3).tolist() == [list(color) for color in OKABE_ITO[:3]]
    assert np.array_equal(class_palette(256)[:40], class_palette(40))


def test_no_two_of_256_classes_have_the_same_color_and_any_number_has_one():
    assert len(np.unique(class_palette(256), axis=0)) == 256
    many = class_palette(2000)
    assert many.shape == (2000, 3)
    assert many.dtype == np.uint8


def test_a_palette_cannot_be_changed_by_whoever_got_it_first():
    with pytest.raises(ValueError, match="read-only"):
        class_palette(4)[0] = 0
    with pytest.raises(InputError, match="at least 1 color, not 0"):
        class_palette(0)
