"""`salticid train refine` and `salticid eval refine`: a network from scenes, and what it is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from salticid.stereo.refine_network import load
from salticid.stereo.simulate import simulate_pair

pytest.importorskip("torch", reason="training needs torch")

QUICK = ("--epochs", "1", "--pixels", "300", "--variants", "1", "--simulated", "1", "--threads", "1")
WAYS = ["nothing; left-right mask", "nothing; matcher's confidence", "median 5x5", "holes filled by votes", "classical"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed in range(2):
        simulate_pair(120, 90, seed=seed).save(folder / "set" / f"scene{seed}")
    return folder


def test_a_trained_network_is_written_and_refines(salticid, data, tmp_path):
    done = salticid("train", "refine", data, "-o", tmp_path / "net.npz", *QUICK)
    assert done.code == 0, done.err
    assert "2196 parameters" in done.out
    assert load(tmp_path / "net.npz").parameters == 2196
    judged = salticid("eval", "refine", data, "--model", tmp_path / "net.npz", "--workers", "0", "--json")
    ways = [row["way"] for row in json.loads(judged.out)["means"] if row["group"] == "all"]
    assert ways == [*WAYS, "network, float32", "network, int8"]


def test_the_same_seed_gives_the_same_network_and_another_seed_another(salticid, data, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert salticid("train", "refine", data, "-o", tmp_path / f"{name}.npz", *QUICK, "--seed", seed).code == 0
    a, b, c = (load(tmp_path / f"{name}.npz").weights[0] for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_cross_validation_judges_every_scene_in_every_way(salticid, data, tmp_path):
    report = tmp_path / "report.json"
    done = salticid("train", "refine", data, "--folds", "2", "--report", report, *QUICK)
    assert done.code == 0, done.err
    assert "plain 7x7 network" in done.out
    rows = json.loads(report.read_text())["scenes"]
    assert sorted({row["name"] for row in rows}) == ["scene0", "scene1"]
    assert len(rows) == 2 * (len(WAYS) + 3)


def test_the_network_of_the_package_is_judged_and_a_broken_scene_is_named(salticid, data, tmp_path):
    simulate_pair(120, 90).save(tmp_path / "set" / "good")
    simulate_pair(120, 90).save(tmp_path / "set" / "bad")
    (tmp_path / "set" / "bad" / "right.png").write_bytes(b"junk")
    done = salticid("eval", "refine", tmp_path, "--workers", "0", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert {row["name"] for row in report["scenes"]} == {"good"}
    assert report["failed"][0]["scene"] == "bad"
    best = {row["way"]: row["bad_2"] for row in report["means"] if row["group"] == "all"}
    assert best["network, int8"] < best["nothing; left-right mask"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nothing to do"),
        (["-o", "net.onnx"], r"use .npz"),
        (["-o", "net.npz", "--folds", "2", "--report", "no/such/folder/a.json"], "no/such/folder"),
    ],
)
def test_a_wrong_command_line_is_exit_2(salticid, data, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    done = salticid("train", "refine", data, *words)
    assert done.code == 2
    assert says in done.err


def test_a_network_that_is_none_is_refused_before_the_work(salticid, data, tmp_path):
    (tmp_path / "net.npz").write_bytes(b"PK\x03\x04 no network")
    done = salticid("eval", "refine", data, "--model", tmp_path / "net.npz")
    assert done.code == 2
    assert "is not a refinement network" in done.err
