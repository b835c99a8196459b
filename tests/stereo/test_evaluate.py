"""The three protocols count what they say they count, and the data sets are found."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from salticid.core import native
from salticid.errors import InputError
from salticid.stereo.evaluate import evaluate_scene, find_scenes, load_truth, mean_by_group, measure, search_range
from salticid.stereo.simulate import simulate_pair

DATA = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "stereo"
NAN = np.nan

# bad-2 with holes filled, in percent, of OpenCV 5.0's modes on these sets.
HH4_BAD_HALF_FILL = 15.06  # on mb2006t
KNOWN_BAD_2_FILL = {
    "mb2006t": {"bm": 14.9, "sgbm": 7.9, "3way": 7.4, "hh": 7.1, "hh4": 6.5},
    "mb2001_2003": {"bm": 7.0, "sgbm": 2.7, "3way": 2.2, "hh": 2.5, "hh4": 2.3},
    "aloe_full": {"bm": 13.0, "sgbm": 7.1, "3way": 6.55, "hh": 6.7, "hh4": 6.6},
}


def test_a_hole_is_left_out_counted_or_filled_as_the_protocol_says():
    truth = np.float32([[10, 10, 10, 10]])
    found = np.float32([[10, NAN, 10.75, 14]])
    figures = measure(found, truth, np.ones((1, 4), bool))
    assert figures["density"] == 0.75
    assert figures["bad_2_val"] == pytest.approx(100 / 3)
    assert figures["bad_2_all"] == 50
    assert figures["bad_2_fill"] == 25
    assert figures["bad_0.5_fill"] == 50
    assert figures["mae_val_px"] == pytest.approx(4.75 / 3)
    assert figures["mae_fill_px"] == pytest.approx(4.75 / 4)


def test_nothing_found_is_all_bad_and_has_no_mean():
    truth = np.full((2, 3), 5, np.float32)
    figures = measure(np.full((2, 3), NAN, np.float32), truth, np.ones((2, 3), bool))
    assert figures["density"] == 0
    assert figures["bad_2_all"] == figures["bad_2_fill"] == 100
    assert np.isnan(figures["mae_val_px"])


def test_only_counted_pixels_count():
    truth, found = np.float32([[5, 5]]), np.float32([[5, 50]])
    assert measure(found, truth, np.array([[True, False]]))["bad_0.5_all"] == 0


def test_a_simulated_scene_is_found_and_evaluated(tmp_path):
    simulate_pair(200, 150).save(tmp_path / "set" / "one")
    [scene] = find_scenes(tmp_path)
    assert (scene.group, scene.name, search_range(scene)) == ("set", "one", 32)
    row = evaluate_scene({"scene": asdict(scene), "options": {"mode": "3way"}})
    assert row["bad_2_fill"] < 8
    assert 0.5 < row["auc"] <= 1


def test_the_truth_of_2006_is_scaled_by_size_and_checked_against_the_other_view(tmp_path):
    folder = tmp_path / "Art"
    folder.mkdir()
    truth = np.full((20, 450), 60, np.uint8)
    other = np.full((20, 450), 60, np.uint8)
    truth[:, 0:10], other[:, 200:230] = 0, 150
    for name, values in [("view1", truth), ("view5", truth), ("disp1", truth), ("disp5", other)]:
        cv2.imwrite(str(folder / f"{name}.png"), values)
    [scene] = find_scenes(tmp_path)
    truth_px, counted = load_truth(scene)
    assert search_range(scene) == 85
    assert np.isnan(truth_px[0, 5])
    assert truth_px[0, 100] == 20
    assert not counted[:, 220:250].any()  # the right view's truth says otherwise at column - 20
    assert not counted[:, :20].any()  # outside the right view
    assert counted[:, 20:220].all()


def test_a_folder_without_scenes_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no stereo scene"):
        find_scenes(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        find_scenes(tmp_path / "none")


def test_files_of_different_sizes_are_an_input_error_that_names_them(tmp_path):
    simulate_pair(64, 48).save(tmp_path / "set" / "one")
    cv2.imwrite(str(tmp_path / "set" / "one" / "visible.png"), np.zeros((4, 5), np.uint8))
    [scene] = find_scenes(tmp_path)
    with pytest.raises(InputError, match=r"visible.png is 5x4, the truth 64x48"):
        load_truth(scene)


def test_means_are_per_set_and_leave_nan_out():
    rows = [
        {"group": "a", "name": "1", "density": 0.5, "mae_val_px": NAN},
        {"group": "a", "name": "2", "density": 1.0, "mae_val_px": 2.0},
        {"group": "b", "name": "3", "density": 0.0, "mae_val_px": 1.0},
    ]
    assert mean_by_group(rows) == [
        {"group": "a", "scenes": 2, "density": 0.75, "mae_val_px": 2.0},
        {"group": "b", "scenes": 1, "density": 0.0, "mae_val_px": 1.0},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["bm", "sgbm", "3way", "hh", "hh4"])
def test_the_known_figures_of_opencv_come_out_again(mode):
    if not DATA.is_dir():
        pytest.skip("the development data is not here: set SALTICID_DATA")
    scenes = [scene for scene in find_scenes(DATA) if scene.group in KNOWN_BAD_2_FILL]
    rows = [evaluate_scene({"scene": asdict(scene), "options": {"mode": mode}}) for scene in scenes]
    for row in mean_by_group(rows):
        assert row["bad_2_fill"] == pytest.approx(KNOWN_BAD_2_FILL[row["group"]][mode], abs=0.3)


@pytest.mark.slow
@pytest.mark.skipif(native.load() is None, reason=native.reason())
@pytest.mark.parametrize(
    ("profile", "better_on"), [("quality", tuple(KNOWN_BAD_2_FILL)), ("speed", ("mb2006t", "mb2001_2003"))]
)
def test_fewer_pixels_are_wrong_than_with_the_best_mode_of_opencv(profile, better_on):
    if not DATA.is_dir():
        pytest.skip("the development data is not here: set SALTICID_DATA")
    scenes = [scene for scene in find_scenes(DATA) if scene.group in better_on]
    rows = [evaluate_scene({"scene": asdict(scene), "options": {"profile": profile}}) for scene in scenes]
    figures = {row["group"]: row for row in mean_by_group(rows)}
    for group in better_on:
        assert figures[group]["bad_2_fill"] < min(KNOWN_BAD_2_FILL[group].values())
    assert figures["mb2006t"]["bad_0.5_fill"] < HH4_BAD_HALF_FILL
