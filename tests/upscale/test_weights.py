"""The weights in the package: which there are, and that they are as good as their cards say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from salticid.engine.cards import cards
from salticid.upscale.engines import find_files, sizes
from salticid.upscale.evaluate import evaluate
from salticid.upscale.infer import Upscaler
from salticid.upscale.shape import BODIES

SET5 = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data")) / "upscale" / "Set5"
OURS = {name: card for name, card in cards().items() if card.task == "upscale"}
WITHIN_DB = 0.08  # that 8 bits may cost


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_every_size_has_weights_for_2_and_4_times_and_for_4_times_of_images_as_they_are_found(precision):
    assert sizes() == list(BODIES)
    assert all(find_files(size, "clean", precision).keys() == {2, 4} for size in sizes())
    assert sizes("real") == list(BODIES)
    assert all(find_files(size, "real", precision).keys() == {4} for size in sizes("real"))


@pytest.mark.skipif(not SET5.is_dir(), reason="the images are not here: Set5")
@pytest.mark.parametrize("name", OURS)
def test_a_card_says_what_its_network_makes_of_set5(name):
    size, scale, *rest = name.removeprefix("upscale-").split("-")
    real, precision = "real" in rest, "int8" if "int8" in rest else "fp32"
    upscaler = Upscaler(size, precision=precision, weights="real" if real else "clean", device="cpu")
    times = int(scale.removeprefix("x"))
    found = evaluate(lambda image: upscaler(image, scale=times).image, [SET5], times, degrade=real)
    assert found.mean.psnr_db == pytest.approx(OURS[name].metric.value, abs=0.02)


@pytest.mark.parametrize("name", [name for name in OURS if name.endswith("-int8")])
def test_8_bits_cost_little(name):
    assert OURS[name].metric.value > OURS[name.removesuffix("-int8")].metric.value - WITHIN_DB
