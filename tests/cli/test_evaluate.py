"""`salticid eval`: a table per set and mode; a broken scene is named, the others still count."""

from __future__ import annotations

import json

import pytest

from salticid.stereo.simulate import simulate_pair


@pytest.fixture
def data(tmp_path):
    for seed in range(2):
        simulate_pair(120, 90, seed=seed).save(tmp_path / "data" / "set" / f"scene{seed}")
    return tmp_path / "data"


def test_modes_are_compared_in_worker_processes(salticid, data, tmp_path):
    report = tmp_path / "report.json"
    done = salticid("eval", "stereo", data, "--modes", "3way,hh4", "--workers", "2", "-o", report)
    assert done.code == 0, done.err
    assert "3way" in done.out
    assert "hh4" in done.out
    written = json.loads(report.read_text())
    assert [row["mode"] for row in written["means"]] == ["3way", "hh4"]
    assert len(written["scenes"]) == 4
    assert "scenes: 4/4" in done.err


def test_a_second_run_with_the_same_journal_computes_nothing_again(salticid, data, tmp_path, monkeypatch):
    words = ("eval", "stereo", data, "--workers", "0", "--json", "--resume", tmp_path / "run.journal")
    first = salticid(*words)

    def fail(_):
        raise AssertionError("computed again")

    monkeypatch.setattr("salticid.stereo.evaluate.StereoMatcher.__call__", fail)
    assert json.loads(salticid(*words).out) == json.loads(first.out)


def test_a_scene_that_changed_since_is_computed_again_in_spite_of_the_journal(salticid, data, tmp_path):
    words = ("eval", "stereo", data, "--workers", "0", "--json", "--resume", tmp_path / "run.journal")
    first = json.loads(salticid(*words).out)["scenes"]
    simulate_pair(120, 90, seed=9).save(data / "set" / "scene1")
    second = json.loads(salticid(*words).out)["scenes"]
    assert second[0] == first[0]
    assert second[1] != first[1]
    rig = data / "set" / "scene0" / "calib.json"
    rig.write_text(rig.read_text().replace('"num_disparities": 16', '"num_disparities": 64'))
    third = json.loads(salticid(*words).out)["scenes"]
    assert third[0]["density"] != first[0]["density"]


@pytest.mark.parametrize("file", ["calib.json", "visible.png"])
def test_any_broken_file_of_a_scene_fails_that_scene_alone(salticid, data, file):
    (data / "set" / "scene0" / file).write_text("junk")
    done = salticid("eval", "stereo", data, "--workers", "0", "--json")
    assert done.code == 1
    assert [row["name"] for row in json.loads(done.out)["scenes"]] == ["scene1"]
    assert file in done.err


def test_a_row_per_scene_when_asked(salticid, data):
    done = salticid("eval", "stereo", data, "--by-scene", "--workers", "0")
    assert "scene0" in done.out
    assert "scene1" in done.out


def test_a_broken_scene_is_exit_1_and_named_and_the_others_count(salticid, data):
    (data / "set" / "scene1" / "right.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    done = salticid("eval", "stereo", data, "--workers", "0", "--json")
    report = json.loads(done.out)
    assert done.code == 1
    assert [row["name"] for row in report["scenes"]] == ["scene0"]
    assert "failed: scene1: InputError" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], "not a folder"),
        (["DATA", "--modes", "hh4", "--engine", "native"], "mode hh4 is one of engine opencv"),
        (["DATA", "--modes", "hh4", "--mode", "bm"], "say one of them"),
        (["DATA", "--modes", "sgm"], "one of sgm8, sgm4"),
    ],
)
def test_a_wrong_command_line_is_exit_2(salticid, data, words, message):
    done = salticid("eval", "stereo", *[{"DATA": data}.get(word, word) for word in words])
    assert done.code == 2
    assert message in done.err
