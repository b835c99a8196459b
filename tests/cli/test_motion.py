"""`salticid motion`: clips to a baseline, a clip to what changed, and what happens on the bad day."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
import shlex
import sys

import pytest

CHANGED = "knee_swing_peak.right"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of `salticid motion simulate`: clip1..5.npz, today.npz with a stiff right knee, truth.json."""
    from typer.testing import CliRunner

    from salticid.cli.app import app

    folder = tmp_path_factory.mktemp("simulated")
    done = CliRunner().invoke(app, ["motion", "simulate", "-o", str(folder / "run"), "--seconds", "6", "--seed", "3"])
    assert done.exit_code == 0, done.output
    return folder / "run"


@pytest.fixture
def five(clips):
    return [clips / f"clip{number}.npz" for number in range(1, 6)]


@pytest.fixture
def anna(salticid, five, tmp_path):
    """The folder of a baseline."""
    done = salticid("motion", "baseline", *five, "--speed", 10, "--height-m", 1.75, "-o", tmp_path / "anna", "-q")
    assert done.code == 0, done.err
    return tmp_path / "anna"


def test_a_simulation_says_what_is_true_of_it_and_what_to_type_next(salticid, tmp_path):
    done = salticid("motion", "simulate", "-o", tmp_path, "--clips", 3, "--activity", "walk", "--seconds", 4)
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["clip1.npz", "clip2.npz", "clip3.npz", "today.npz"]
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["change"] == "stiff knee"
    usual, today = (truth["clips"][name]["least_and_most_deg"]["knee_flexion_deg.right"] for name in ("clip1", "today"))
    assert today[1] < usual[1] - 5
    assert "salticid motion baseline" in done.out
    assert "salticid motion score" in done.out


def test_the_commands_that_a_simulation_names_work_as_printed(salticid, tmp_path):
    printed = salticid("motion", "simulate", "-o", tmp_path / "sim", "--seconds", 5).out
    for line in re.findall(r"(?:next|then): salticid (.*)", printed):
        done = salticid(*line.split())
        assert done.code == 0, done.err
    assert (tmp_path / "sim" / "report" / "report.html").stat().st_size > 50_000


def test_five_clips_become_a_baseline_with_an_answer_for_each(salticid, five, tmp_path):
    done = salticid("motion", "baseline", *five, "--speed", 10, "-o", tmp_path / "ben", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["name"] == "ben"
    assert [clip["name"] for clip in told["clips"]] == [path.name for path in five]
    assert all(clip["used"] and clip["strides"] > 8 for clip in told["clips"])
    assert told["limit"] > max(told["own_scores"]) * 0.5
    assert (tmp_path / "ben" / "calibration.json").is_file()


def test_a_changed_clip_is_outside_and_the_change_is_named(salticid, anna, clips, tmp_path):
    words = ("motion", "score", clips / "today.npz", "-b", anna, "--speed", 10, "-o", tmp_path / "report")
    done = salticid(*words)
    assert done.code == 0, done.err
    assert "Outside your own five runs: the right knee bends" in done.out
    told = json.loads(salticid(*words, "--json", "--overwrite").out)["clips"][0]
    assert told["inside"] is False
    assert CHANGED in [change["key"] for change in told["changes"] if change["notable"]]
    assert "report.html" in [name.split("/")[-1] for name in told["files"]]
    assert (tmp_path / "report" / "keypoints.trc").is_file()


def test_a_report_that_is_there_is_kept_unless_it_may_be_replaced(salticid, anna, clips, tmp_path):
    words = ("motion", "score", clips / "today.npz", "-b", anna, "-o", tmp_path / "report")
    assert salticid(*words).code == 0
    page = (tmp_path / "report" / "report.html").read_bytes()
    again = salticid(*words)
    assert again.code == 2
    assert "--overwrite" in again.err
    assert (tmp_path / "report" / "report.html").read_bytes() == page


def test_several_clips_get_a_folder_each_and_a_broken_one_is_named(salticid, anna, five, clips, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(five[0].read_bytes()[:5000])
    done = salticid("motion", "score", five[0], broken, clips / "today.npz", "-b", anna, "-o", tmp_path / "all")
    assert done.code == 1
    assert "broken.npz" in done.err
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["clip1", "today"]


def test_two_clips_of_one_name_are_refused_before_the_work(salticid, anna, five, tmp_path):
    done = salticid("motion", "score", five[0], five[0], "-b", anna, "-o", tmp_path / "all")
    assert done.code == 2
    assert "same name" in done.err


def test_a_broken_clip_among_five_is_left_out_and_named(salticid, five, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\3\4 nothing")
    done = salticid("motion", "baseline", *five[:4], broken, "-o", tmp_path / "anna")
    assert done.code == 1
    assert "left out: broken.npz" in done.err
    assert "made of 4 clips" in done.err
    assert (tmp_path / "anna" / "calibration.json").is_file()


def test_too_few_clips_are_refused_with_an_answer_for_each(salticid, five, tmp_path):
    done = salticid("motion", "baseline", *five[:2], tmp_path / "absent.npz", "-o", tmp_path / "anna", "--json")
    assert done.code == 2
    told = json.loads(done.out)
    assert told["kind"] == "RefusedBaselineError"
    assert [clip["used"] for clip in told["clips"]] == [True, True, False]
    assert "absent.npz" in told["clips"][2]["reason"]
    assert not (tmp_path / "anna" / "calibration.json").exists()


def test_clips_of_two_views_are_refused_by_name(salticid, five, tmp_path):
    salticid("motion", "simulate", "-o", tmp_path / "rear", "--view", "rear", "--seconds", 4, "--clips", 1)
    done = salticid("motion", "baseline", *five[:4], tmp_path / "rear" / "clip1.npz", "-o", tmp_path / "anna")
    assert done.code == 2
    assert "different views" in done.err
    assert "rear: clip1.npz" in done.err


def test_a_clip_of_another_view_is_refused(salticid, anna, tmp_path):
    salticid("motion", "simulate", "-o", tmp_path / "rear", "--view", "rear", "--seconds", 4, "--clips", 1)
    done = salticid("motion", "score", tmp_path / "rear" / "clip1.npz", "-b", anna, "-o", tmp_path / "report")
    assert done.code == 2
    assert "seen from the rear" in done.err
    assert not (tmp_path / "report").exists()


def test_another_speed_is_warned_about(salticid, anna, five, tmp_path):
    done = salticid("motion", "score", five[0], "-b", anna, "--speed", 14, "-o", tmp_path / "report")
    assert done.code == 0
    assert "that of the baseline 10.0" in done.err


def test_a_video_without_the_network_says_what_to_fetch(salticid, tmp_path):
    videos = [tmp_path / f"{number}.mp4" for number in range(5)]
    for path in videos:
        path.write_bytes(b"")
    done = salticid("motion", "baseline", *videos, "-o", tmp_path / "anna")
    assert done.code == 2
    assert "salticid models get blazepose" in done.err


def test_a_folder_without_a_baseline_says_how_to_make_one(salticid, clips, tmp_path):
    done = salticid("motion", "score", clips / "today.npz", "-b", tmp_path, "-o", tmp_path / "report")
    assert done.code == 2
    assert "salticid motion baseline" in done.err


def test_a_video_without_an_extra_says_what_to_install(salticid, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "openvino" else find(name))
    videos = [tmp_path / f"{number}.mp4" for number in range(5)]
    for path in videos:
        path.write_bytes(b"")
    done = salticid("motion", "baseline", *videos, "-o", tmp_path / "anna", "--json")
    assert done.code == 2
    assert json.loads(done.out)["kind"] == "MissingError"
    assert "salticid[openvino]" in done.err


def test_quiet_says_nothing_but_errors(salticid, anna, five, tmp_path):
    words = ("motion", "score", five[0], "-b", anna, "--speed", 14, "-o", tmp_path / "report", "-q")
    done = salticid(*words)
    assert (done.code, done.out, done.err) == (0, "", "")
    again = salticid(*words)
    assert again.code == 2
    assert "--overwrite" in again.err


def test_a_report_that_is_there_is_found_before_the_work(salticid, anna, clips, tmp_path, monkeypatch):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.html").write_text("mine")
    monkeypatch.setattr("salticid.motion.baseline.Baseline.score", None)
    done = salticid("motion", "score", clips / "today.npz", "-b", anna, "-o", tmp_path / "report", "--json")
    assert done.code == 2
    assert "report.html exists" in json.loads(done.out)["error"]


def test_the_overlay_of_another_clip_does_not_stay_beside_a_new_report(salticid, anna, five, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "overlay.mp4").write_bytes(b"of another clip")
    done = salticid("motion", "score", five[0], "-b", anna, "-o", tmp_path / "report", "--overwrite")
    assert done.code == 0, done.err
    assert not (tmp_path / "report" / "overlay.mp4").exists()
    assert (tmp_path / "report" / "report.html").is_file()


def test_a_simulation_into_a_folder_with_a_blank_prints_commands_that_work(salticid, tmp_path):
    printed = salticid("motion", "simulate", "-o", tmp_path / "my runs", "--seconds", 5, "--change", "none").out
    assert "with a change" not in printed
    [line] = re.findall(r"next: salticid (.*)", printed)
    assert salticid(*shlex.split(line)).code == 0


@pytest.mark.parametrize("words", [["--speed", 0], ["--speed", "nan"], ["--noise-cm", "nan"], ["--activity", "fly"]])
def test_a_figure_that_cannot_be_is_refused_before_anything_is_written(salticid, tmp_path, words):
    assert salticid("motion", "simulate", "-o", tmp_path / "sim", *words).code == 2
    assert not list(tmp_path.glob("sim/*.npz"))


def test_a_report_that_cannot_be_finished_leaves_no_page_and_names_the_file(salticid, anna, five, clips, tmp_path):
    from salticid.core import atomic

    words = ("motion", "score", "-b", anna, "--speed", 10, "-o", tmp_path / "report")
    assert salticid(*words, five[0]).code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "_flush_to_disk", full_for("curves.csv"))
        done = salticid(*words, clips / "today.npz", "--overwrite", "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert told["kind"] == "ResourceError"
    assert "curves.csv: the disk is full" in told["error"]
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert "report.html" not in names  # the old one would stand beside figures of the new clip
    assert not [name for name in names if ".part" in name]


def full_for(name):
    """Return what finds the disk full when a file of that name is written."""

    def flush(path):
        if path.name.startswith(f".{name.partition('.')[0]}."):
            raise OSError(errno.ENOSPC, "No space left on device")

    return flush


def test_parquet_without_its_package_is_said_before_the_work(salticid, anna, clips, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("salticid.motion.baseline.Baseline.score", None)
    done = salticid("motion", "score", clips / "today.npz", "-b", anna, "-o", tmp_path / "report", "--parquet")
    assert done.code == 2
    assert "salticid[parquet]" in done.err
    assert not (tmp_path / "report").exists()
