"""`salticid stereo`: from two files to a cloud, and what happens when something is wrong."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from salticid.core.pfm import read_pfm
from salticid.stereo.cloud import PointCloud


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from salticid.stereo.simulate import simulate_pair

    folder = tmp_path_factory.mktemp("data") / "scene"
    simulate_pair(240, 180).save(folder)
    return folder


def test_a_pair_becomes_a_disparity_map_a_picture_and_a_cloud(salticid, scene, tmp_path):
    outputs = [tmp_path / name for name in ("d.pfm", "d.npy", "d.png", "cloud.ply")]
    flags = [word for path in outputs for word in ("-o", path)]
    done = salticid(
        *("stereo", "match", scene / "left.png", scene / "right.png", "--rig", scene / "calib.json"),
        *(*flags, "--view", tmp_path / "view.png"),
    )
    assert done.code == 0, done.err
    assert "% of the pixels have a disparity" in done.out
    disparity_px = read_pfm(tmp_path / "d.pfm")
    truth_px = read_pfm(scene / "disparity_left.pfm")
    assert np.nanmedian(np.abs(disparity_px - truth_px)) < 0.3
    assert np.array_equal(disparity_px, np.load(tmp_path / "d.npy"), equal_nan=True)
    assert len(PointCloud.load(tmp_path / "cloud.ply")) == np.isfinite(disparity_px).sum()
    view = cv2.imread(str(tmp_path / "view.png"))
    assert view.shape == (180, 240, 3)
    assert view.std() > 20


def test_json_goes_to_standard_output_alone(salticid, scene, tmp_path):
    done = salticid("stereo", "match", scene / "left.png", scene / "right.png", "-o", tmp_path / "d.pfm", "--json")
    result = json.loads(done.out)
    assert result["files"] == [str(tmp_path / "d.pfm")]
    assert 0.5 < result["density"] <= 1
    assert result["latency_ms"].keys() == {"match", "median", "speckles"}


def test_a_refined_map_has_every_pixel_and_says_who_refined_it(salticid, scene, tmp_path):
    words = ("stereo", "match", scene / "left.png", scene / "right.png", "--refine")
    done = salticid(*words, "-o", tmp_path / "d.pfm", "--dense", tmp_path / "dense.pfm", "--json")
    result = json.loads(done.out)
    assert result["density"] == 1
    assert 0 < result["guessed"] < 0.5
    assert "refined by network" in result["engine"]
    assert "refine" in result["latency_ms"]
    refined_px = read_pfm(tmp_path / "d.pfm")
    assert np.isfinite(refined_px).all()
    assert np.array_equal(refined_px, read_pfm(tmp_path / "dense.pfm"))
    said = salticid(*words, "--refine-by", "classical").out
    assert "% were measured, the rest are guesses" in said
    assert "refined by classical" in said


def test_a_dense_map_is_a_file_of_its_own_and_its_guesses_are_counted(salticid, scene, tmp_path):
    words = ("stereo", "match", scene / "left.png", scene / "right.png", "-o", tmp_path / "d.pfm")
    done = salticid(*words, "--dense", tmp_path / "dense.npy", "--json")
    result = json.loads(done.out)
    assert result["files"] == [str(tmp_path / "d.pfm"), str(tmp_path / "dense.npy")]
    measured_px, dense_px = read_pfm(tmp_path / "d.pfm"), np.load(tmp_path / "dense.npy")
    measured = np.isfinite(measured_px)
    assert 0 < result["guessed"] == pytest.approx(1 - measured.mean())
    assert np.array_equal(dense_px[measured], measured_px[measured])
    assert np.isfinite(dense_px).all()
    assert (np.abs(dense_px - read_pfm(scene / "disparity_left.pfm"))[~measured] > 2).mean() < 0.3


def test_the_share_of_guesses_is_said_where_there_are_any(salticid, scene, tmp_path):
    words = ("stereo", "match", scene / "left.png", scene / "right.png")
    said = salticid(*words, "--dense", tmp_path / "dense.png").out
    assert "% of the dense map are guesses" in said
    assert f"wrote {tmp_path / 'dense.png'}" in said
    assert cv2.imread(str(tmp_path / "dense.png"), cv2.IMREAD_UNCHANGED).all()
    assert "guesses" not in salticid(*words).out
    assert "guessed" not in json.loads(salticid(*words, "--json").out)


def test_options_of_the_system_are_flags(salticid, scene):
    done = salticid(
        *("stereo", "match", scene / "left.png", scene / "right.png", "--profile", "speed", "--num-disparities", "32"),
        *("--no-full-width", "--engine", "opencv", "--json"),
    )
    assert json.loads(done.out)["engine"] == "opencv:3way"


def test_quiet_says_nothing(salticid, scene):
    assert salticid("stereo", "match", scene / "left.png", scene / "right.png", "-q").out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["LEFT", "none.png"], "none.png"),
        (["LEFT", "RIGHT", "-o", "c.ply"], "give their calibration with --rig"),
        (["LEFT", "RIGHT", "-o", "c.xyz"], "use .pfm, .npy, .png, .ply"),
        (["LEFT", "RIGHT", "-o", "c.jpg"], "for a picture say --view"),
        (["LEFT", "RIGHT", "--view", "c.pfm"], "for data say -o"),
        (["LEFT", "RIGHT", "--dense", "c.ply"], "cannot write the dense map c.ply: use .pfm, .npy, .png"),
        (["LEFT", "RIGHT", "--dense", "LEFT", "--overwrite"], "is an input"),
        (["LEFT", "RIGHT", "-o", "a.png", "--dense", "a.png"], "two outputs have the same name"),
        (["LEFT", "RIGHT", "-o", "a.png", "--view", "a.png"], "two outputs have the same name"),
        (["LEFT", "RIGHT", "-o", "LEFT", "--overwrite"], "is an input"),
        (["LEFT", "RIGHT", "-o", "/proc/d.pfm"], "cannot write"),
        (["LEFT", "RIGHT", "-o", "no/folder/d.pfm"], "make it first"),
        (["LEFT", "RIGHT", "--rig", "LEFT"], "not text"),
        (["LEFT", "RIGHT", "--num-disparities", "0"], "num_disparities must be at least 1"),
        (["LEFT", "RIGHT", "--mode", "sgm"], "mode"),
        (["LEFT", "RIGHT", "--mode", "hh4", "--engine", "native"], "mode hh4 is one of engine opencv"),
        (["LEFT", "RIGHT", "--engine", "native", "--block-size", "5"], "block_size is an option of engine opencv"),
        (["LEFT", "RIGHT", "--threshold", "3"], "--threshold"),
        (["LEFT"], "RIGHT"),
        (["LEFT", "text.png"], "text.png"),
        (["LEFT", "small.png"], "differ in size"),
    ],
)
def test_a_wrong_command_line_is_exit_2_names_the_trouble_and_writes_nothing(
    salticid, scene, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("this is no image")
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((9, 9), np.uint8))
    files = {"LEFT": scene / "left.png", "RIGHT": scene / "right.png"}
    before = sorted(tmp_path.iterdir())
    done = salticid("stereo", "match", *[files.get(word, word) for word in words])
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_exists_is_replaced_only_when_asked(salticid, scene, tmp_path):
    target = tmp_path / "d.pfm"
    target.write_text("mine")
    words = ("stereo", "match", scene / "left.png", scene / "right.png", "-o", target)
    refused = salticid(*words)
    assert (refused.code, target.read_text()) == (2, "mine")
    assert "--overwrite" in refused.err
    assert salticid(*words, "--overwrite").code == 0
    assert read_pfm(target).shape == (180, 240)


def test_an_error_is_json_too_when_a_program_listens(salticid, tmp_path):
    done = salticid("stereo", "match", tmp_path / "a.png", tmp_path / "b.png", "--json")
    assert done.code == 2
    assert json.loads(done.out)["kind"] == "InputError"


def test_simulate_writes_a_scene_that_match_and_eval_take(salticid, tmp_path):
    folder = tmp_path / "set" / "scene"
    folder.parent.mkdir()
    made = salticid("stereo", "simulate", "-o", folder, "--width", "160", "--height", "120", "--seed", "5")
    assert made.code == 0
    assert "salticid stereo match" in made.out
    assert salticid("stereo", "simulate", "-o", folder).code == 2
    done = salticid("eval", "stereo", tmp_path / "set", "--workers", "0", "--json")
    [row] = json.loads(done.out)["means"]
    assert (row["group"], row["scenes"]) == ("set", 1)
    assert row["bad_2_fill"] < 12
