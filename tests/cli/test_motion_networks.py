"""`salticid train motion` and `salticid eval motion`: a network, and what each model is worth on motion capture."""

from __future__ import annotations

import json

import pytest
from motion_recordings import write_recordings

from salticid.motion.simulate.persons import GaitStyle

QUICK = ("--models", "statistics,mahalanobis", "--splits", "1")
TRAIN = ("--persons", "2", "--epochs", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Seven clips of a person who walks as usual, two who walks slowly."""
    folder = tmp_path_factory.mktemp("mocap")
    write_recordings(folder, "normal", GaitStyle(speed_kmh=5.0), 7)
    write_recordings(folder, "slow", GaitStyle(speed_kmh=3.0), 2)
    return folder


def test_models_are_ranked_and_the_figures_are_written(salticid, data, tmp_path):
    done = salticid("eval", "motion", data, *QUICK, "-o", tmp_path / "figures.json", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told == json.loads((tmp_path / "figures.json").read_text())
    assert [(row["model"], row["against"], row["clips"]) for row in told["rows"]] == [
        ("statistics", "slow", 2),
        ("mahalanobis", "slow", 2),
    ]
    assert told["rows"][0]["auc"] == 1
    assert told["failed"] == []


def test_a_recording_that_cannot_be_read_is_named_and_the_others_count(salticid, data, tmp_path):
    for path in data.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "x_walk_slow_009.bvh.npz").write_bytes(b"PK\3\4 nothing")
    done = salticid("eval", "motion", tmp_path, *QUICK)
    assert done.code == 1
    assert "failed: x_walk_slow_009.bvh.npz" in done.err
    assert "clips outside of a person's own range" in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--models", "statistics,guess"], "there is no model 'guess'"),
        (["--normal", "merry"], "'merry'"),
        (["-o", "no/such/folder/a.json"], "no/such/folder"),
        (["--network", "no.npz"], "no.npz"),
    ],
)
def test_what_cannot_be_evaluated_is_exit_2_and_one_document(salticid, data, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    done = salticid("eval", "motion", data, *QUICK, *words, "--json")
    assert done.code == 2
    assert says in json.loads(done.out)["error"]


def test_the_help_names_every_model(salticid):
    from salticid.motion.compare.evaluate import MODELS

    told = " ".join(salticid("eval", "motion", "--help").out.split())
    assert [model for model in MODELS if model not in told] == []


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="training needs torch")


def test_a_network_is_trained_and_can_be_read(salticid, data, torch, tmp_path):
    done = salticid("train", "motion", data, "-o", tmp_path / "net.npz", "--without", "normal,slow", *TRAIN, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"persons": 2, "file": str(tmp_path / "net.npz")}
    words = ("eval", "motion", data, "--models", "statistics", "--splits", "1", "--network")
    assert salticid(*words, tmp_path / "net.npz").code == 0
    (tmp_path / "cut.npz").write_bytes((tmp_path / "net.npz").read_bytes()[:2000])
    assert "cut.npz is damaged" in salticid(*words, tmp_path / "cut.npz").err
    again = salticid("train", "motion", "-o", tmp_path / "net.npz", *TRAIN)
    assert again.code == 2
    assert "--overwrite" in again.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-o", "net.onnx"], "use .npz"),
        (["-o", "net.npz", "--without", "slow"], "DATA"),
        (["DATA", "-o", "net.npz", "--without", "slwo"], "no style 'slwo'"),
        (["nowhere", "-o", "net.npz"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_trained_is_said_before_the_work(salticid, data, torch, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("salticid.motion.compare.autoencoder_data.simulated_persons", None)
    done = salticid("train", "motion", *(data if word == "DATA" else word for word in words), *TRAIN)
    assert done.code == 2
    assert says in done.err
    assert list(tmp_path.iterdir()) == []
