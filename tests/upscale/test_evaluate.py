"""What is judged, what is left out, and what cannot be judged."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import read_image, write_image
from salticid.core.plain import strict
from salticid.core.resample import bicubic_uint8
from salticid.errors import InputError
from salticid.upscale.data import shrunk
from salticid.upscale.evaluate import evaluate

DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data")) / "upscale"
SCALE = 4


def bicubic(image):
    return bicubic_uint8(image, SCALE * image.shape[0], SCALE * image.shape[1])


def picture(height, width, seed=0):
    """Return blobs, far enough from black and white to be made lighter."""
    noise = np.random.default_rng(seed).integers(60, 180, (height // 6 + 2, width // 6 + 2, 3))
    return bicubic_uint8(noise, height, width)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three images, of which two are no multiple of the scale."""
    (tmp_path / "large").mkdir()
    for seed, (name, height, width) in enumerate((("b", 47, 66), ("a", 40, 60), ("c", 51, 50))):
        write_image(tmp_path / "large" / f"{name}.png", picture(height, width, seed))
    return tmp_path / "large"


@pytest.fixture
def truth(folder):
    """Return what knows the large image of each small one."""
    pairs = [shrunk(read_image(path), SCALE) for path in folder.iterdir()]
    return lambda image: next(pair.large for pair in pairs if np.array_equal(pair.small, image)).copy()


def test_an_enlargement_that_is_the_truth_is_perfect(folder, truth):
    found = evaluate(truth, [folder], SCALE)
    assert [row.name for row in found.rows] == ["a.png", "b.png", "c.png"]
    assert all((row.psnr_db, row.ssim) == (math.inf, 1) for row in found.rows)
    assert found.mean.psnr_db == math.inf
    assert all(row.bicubic_psnr_db < 60 for row in found.rows)


def test_bicubic_is_as_good_as_bicubic(folder):
    for row in evaluate(bicubic, [folder], SCALE).rows:
        assert (row.psnr_db, row.ssim) == (row.bicubic_psnr_db, row.bicubic_ssim)


def test_degraded_images_are_worse_and_the_same_each_time(folder):
    clean, found, again = (evaluate(bicubic, [folder], SCALE, degrade=degrade) for degrade in (False, True, True))
    assert found.mean.psnr_db < clean.mean.psnr_db - 1
    assert [row.psnr_db for row in found.rows] == [row.psnr_db for row in again.rows]


def test_images_that_are_given_small_are_not_degraded(folder):
    with pytest.raises(InputError, match="as they are"):
        evaluate(bicubic, [folder], SCALE, small=folder, degrade=True)


def test_an_error_of_a_few_levels_is_counted_in_luma_as_one_counts_by_hand(folder, truth):
    [row] = evaluate(lambda image: truth(image) + np.uint8(10), [folder / "a.png"], SCALE).rows
    luma = 10 * (65.481 + 128.553 + 24.966) / 255
    assert row.psnr_db == pytest.approx(20 * math.log10(255 / luma))


@settings(deadline=None, max_examples=8)
@given(st.integers(2, 7), st.booleans())
def test_a_border_as_wide_as_the_scale_does_not_count_and_the_next_pixel_does(scale, inside):
    large = picture(12 * scale + 12, 12 * scale + 12)
    pair = shrunk(large, scale)
    drawn = pair.large.copy()
    drawn[scale if inside else scale - 1] ^= 128
    drawn[:, -scale:] ^= 128
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("salticid.upscale.evaluate.find_images", list)
        patch.setattr("salticid.upscale.evaluate.read_image", lambda path: large)
        [row] = evaluate(lambda image: drawn, [Path("drawn.png")], scale).rows
    assert (row.psnr_db == math.inf) is not inside


def test_what_is_enlarged_is_the_image_cut_to_a_multiple_of_the_scale(folder):
    seen = []
    evaluate(lambda image: seen.append(image) or bicubic(image), [folder], SCALE)
    assert [image.shape for image in seen] == [(10, 15, 3), (11, 16, 3), (12, 12, 3)]
    large = read_image(folder / "b.png")[:44, :64]
    np.testing.assert_array_equal(seen[1], bicubic_uint8(large, 11, 16))


def test_means_are_those_of_the_images(folder):
    found = evaluate(bicubic, [folder], SCALE)
    assert found.mean.psnr_db == pytest.approx(fmean(row.psnr_db for row in found.rows))
    assert found.mean.bicubic_ssim == pytest.approx(fmean(row.bicubic_ssim for row in found.rows))
    assert found.mean.ms > 0


def test_the_result_is_what_json_can_say(folder, truth):
    told = json.loads(json.dumps(strict(evaluate(truth, [folder], SCALE))))
    assert told["scale"] == SCALE
    assert [row["psnr_db"] for row in told["rows"]] == [None] * 3  # infinite
    assert told["rows"][0]["bicubic_psnr_db"] > 0


def test_only_enlarging_is_timed(folder, monkeypatch):
    clock = iter([1.0, 1.25])
    monkeypatch.setattr("salticid.upscale.evaluate.time.perf_counter", lambda: next(clock))
    [row] = evaluate(bicubic, [folder / "a.png"], SCALE).rows
    assert row.ms == 250


def test_progress_is_given_all_images(folder):
    told = []

    def progress(items, total, what):
        told.append((total, what))
        return iter(items)

    assert len(evaluate(bicubic, [folder], SCALE, progress=progress).rows) == 3
    assert told == [(3, "images")]


@pytest.fixture
def small(folder, tmp_path):
    """Return a folder with the small version of each image."""
    (tmp_path / "small").mkdir()
    for path in folder.iterdir():
        write_image(tmp_path / "small" / path.name, shrunk(read_image(path), SCALE).small)
    return tmp_path / "small"


def test_small_images_that_are_given_are_used(folder, small):
    made = evaluate(bicubic, [folder], SCALE)
    assert [row.psnr_db for row in evaluate(bicubic, [folder], SCALE, small=small).rows] == [
        row.psnr_db for row in made.rows
    ]
    dark = read_image(small / "a.png") // 2
    write_image(small / "a.png", dark)
    darker = evaluate(bicubic, [folder], SCALE, small=small).rows
    assert darker[0].psnr_db < made.rows[0].psnr_db - 3
    assert darker[1].psnr_db == made.rows[1].psnr_db


def test_a_suffix_is_no_part_of_a_name(folder, small):
    write_image(small / "a.bmp", read_image(small / "a.png"))
    (small / "a.png").unlink()
    assert len(evaluate(bicubic, [folder], SCALE, small=small).rows) == 3


def test_what_is_missing_is_named(folder, small):
    (small / "a.png").rename(small / "z.png")
    with pytest.raises(InputError, match=r"small that is called a:"):
        evaluate(bicubic, [folder], SCALE, small=small)
    write_image(small / "a.png", read_image(small / "z.png"))
    with pytest.raises(InputError, match=r"large that is called z:"):
        evaluate(bicubic, [folder], SCALE, small=small)


def test_of_many_missing_images_some_are_named(folder, small):
    for number in range(8):
        write_image(folder / f"more{number}.png", picture(24, 24))
    with pytest.raises(InputError, match=r"more0, more1, more2, more3, more4 and 3 more"):
        evaluate(bicubic, [folder], SCALE, small=small)


def test_two_images_of_one_name_have_no_partner_that_can_be_known(folder, small):
    write_image(small / "a.bmp", read_image(small / "a.png"))
    with pytest.raises(InputError, match=r"a\.bmp and .*a\.png have the same name"):
        evaluate(bicubic, [folder], SCALE, small=small)


def test_a_small_image_of_another_scale_is_wrong(folder, small):
    write_image(small / "b.png", picture(22, 32))
    with pytest.raises(InputError, match=r"b\.png is 32 x 22, and a 4th of .*b\.png is 16 x 11"):
        evaluate(bicubic, [folder], SCALE, small=small)


def test_a_folder_without_images_is_wrong(tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        evaluate(bicubic, [tmp_path], SCALE)
    with pytest.raises(InputError, match="there is no folder"):
        evaluate(bicubic, [tmp_path / "none"], SCALE)


def test_an_image_is_too_small_where_no_window_of_ssim_is_left(tmp_path):
    write_image(tmp_path / "least.png", picture(20, 20))
    assert len(evaluate(bicubic, [tmp_path], SCALE).rows) == 1
    write_image(tmp_path / "less.png", picture(19, 80))
    with pytest.raises(InputError, match=r"less\.png is 80 x 19: .* 20 pixels a side"):
        evaluate(bicubic, [tmp_path], SCALE)


@pytest.mark.parametrize(
    ("enlarge", "message"),
    [
        (lambda image: image, r"what was enlarged is \(10, 15, 3\) uint8"),
        (lambda image: bicubic(image)[..., 0], r"what was enlarged is \(40, 60\) uint8"),
        (lambda image: bicubic(image) / 255, r"what was enlarged is \(40, 60, 3\) float64"),
    ],
)
def test_a_result_of_another_size_or_type_is_wrong(folder, enlarge, message):
    with pytest.raises(InputError, match=message):
        evaluate(enlarge, [folder], SCALE)


def test_a_scale_below_two_enlarges_nothing(folder):
    with pytest.raises(InputError, match="the scale is 1"):
        evaluate(bicubic, [folder], 1)


def test_a_damaged_image_is_named(folder):
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(InputError, match=r"b\.png"):
        evaluate(bicubic, [folder], SCALE)


def test_bicubic_is_worth_on_set5_what_the_field_says():
    if not (DATA / "Set5").is_dir():
        pytest.skip("Set5 is not here: set SALTICID_DATA")
    found = evaluate(bicubic, [DATA / "Set5"], SCALE)
    assert len(found.rows) == 5
    assert found.mean.psnr_db == pytest.approx(28.43, abs=0.01)
    assert found.mean.ssim == pytest.approx(0.811, abs=0.001)
