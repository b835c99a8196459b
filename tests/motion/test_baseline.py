"""A baseline: what it is made of, what it refuses and why, and that a folder gives it back exactly."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from motion_clips import RUN, WALK, measured_clips, reported

from salticid.engine.cards import card
from salticid.errors import InputError, IntegrityError, RefusedBaselineError
from salticid.motion.baseline import Baseline, baseline_of, create_baseline
from salticid.motion.compare import baseline_file
from salticid.motion.compare.baseline_file import FILE
from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.files.npz_file import write_npz
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import observe, simulate_baseline


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(reported(measured_clips()), name="anna", speed_kmh=5.0)


@pytest.fixture(scope="module")
def folder(baseline, tmp_path_factory):
    place = tmp_path_factory.mktemp("baseline") / "anna"
    baseline.save(place)
    return place


@pytest.fixture(scope="module")
def clip_files(tmp_path_factory):
    """Five clips of one person as files of keypoints."""
    place = tmp_path_factory.mktemp("clips")
    motions = simulate_baseline(WALK, 6, seconds=5, fps=60)
    for number, motion in enumerate(motions, 1):
        write_npz(place / f"{number}.npz", observe(motion, "side", seed=number))
    return [place / f"{number}.npz" for number in range(1, 7)]


def copied(folder, tmp_path):
    place = tmp_path / "copy"
    place.mkdir()
    for file in folder.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def test_it_says_what_it_is_of(baseline):
    assert (baseline.view, baseline.activity, baseline.name, baseline.speed_kmh) == ("side", "walk", "anna", 5.0)
    assert [clip.name for clip in baseline.used] == ["1.mp4", "2.mp4", "3.mp4", "4.mp4", "5.mp4"]
    assert [clip.own_score for clip in baseline.used] == list(baseline.own_scores)
    assert baseline.limit.value > np.median(baseline.own_scores)
    assert baseline.doubts == ()


def test_a_folder_gives_it_back_exactly(baseline, folder):
    again = Baseline.load(folder)
    for name in ("name", "options", "view", "activity", "direction", "fps", "speed_kmh", "source", "doubts", "limit"):
        assert getattr(again, name) == getattr(baseline, name)
    assert [repr(asdict(clip)) for clip in again.clips] == [repr(asdict(clip)) for clip in baseline.clips]
    assert math.isnan(again.height_m)
    assert again.judge.statistics.names == baseline.judge.statistics.names
    for name in ("mean", "sd", "least_sd", "low", "high", "clips", "stride_variance", "strides", "values", "kept"):
        np.testing.assert_array_equal(getattr(again.judge.statistics, name), getattr(baseline.judge.statistics, name))
    np.testing.assert_array_equal(again.judge.own_parts, baseline.judge.own_parts)
    new = measured_clips(clips=1, seed=5)[0]
    assert again.score(new).score == baseline.score(new).score


def test_calibration_json_is_for_people(baseline, folder):
    told = json.loads((folder / FILE).read_text())
    knee = told["features"]["own"]["knee_at_contact.left"]
    assert knee["unit"] == "deg"
    assert knee["low"] <= knee["mean"] <= knee["high"]
    assert len(knee["clips"]) == 5
    assert told["threshold"]["leave_one_clip_out_scores"] == list(baseline.own_scores)
    assert "leave one clip out" in told["threshold"]["method"]
    assert (told["fps"], told["speed_kmh"], told["view"]) == (pytest.approx(60), 5.0, "side")


def test_all_of_it_is_plain_json_for_a_program(baseline):
    told = json.loads(json.dumps(baseline.to_dict(), allow_nan=False))
    assert told["limit"] == baseline.limit.value
    assert told["own_scores"] == list(baseline.own_scores)
    assert [clip["name"] for clip in told["clips"]] == [clip.name for clip in baseline.clips]


def test_a_baseline_is_not_written_over_unless_asked_and_then_nothing_old_is_left(baseline, tmp_path):
    baseline.save(tmp_path)
    with pytest.raises(InputError, match="exists"):
        baseline.save(tmp_path)
    other = baseline_of(reported(measured_clips(seed=3)), name="anna again")
    other.save(tmp_path, overwrite=True)
    assert Baseline.load(tmp_path).name == "anna again"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_of_somebody_else_stays_where_it_is(baseline, tmp_path):
    (tmp_path / "statistics-20260101.npz").write_text("mine")
    baseline.save(tmp_path)
    baseline_of(reported(measured_clips(seed=3))).save(tmp_path, overwrite=True)
    assert (tmp_path / "statistics-20260101.npz").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_writing_that_is_cut_off_leaves_the_old_baseline(baseline, tmp_path, monkeypatch):
    baseline.save(tmp_path)
    write = baseline_file.write_bytes

    def cut_off(path, data):
        if path.name == FILE:
            raise KeyboardInterrupt
        write(path, data)

    monkeypatch.setattr(baseline_file, "write_bytes", cut_off)
    other = baseline_of(reported(measured_clips(seed=3)), name="anna again")
    with pytest.raises(KeyboardInterrupt):
        other.save(tmp_path, overwrite=True)
    assert Baseline.load(tmp_path).name == "anna"
    monkeypatch.undo()
    other.save(tmp_path, overwrite=True)
    assert Baseline.load(tmp_path).name == "anna again"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_network_is_named_only_where_it_found_the_joints(baseline, tmp_path):
    baseline.save(tmp_path / "file")
    assert json.loads((tmp_path / "file" / FILE).read_text())["model_sha256"] is None
    sha256 = card("blazepose-full").sha256
    replace(baseline, source=f"blazepose-full {sha256[:8]}").save(tmp_path / "network")
    assert json.loads((tmp_path / "network" / FILE).read_text())["model_sha256"] == sha256


@pytest.mark.parametrize(
    "change", ["an edited number", "a cut file", "other arrays", "absent arrays", "no JSON", "endless nesting"]
)
def test_a_changed_folder_is_damage(folder, tmp_path, change):
    place = copied(folder, tmp_path)
    arrays = next(place.glob("statistics-*.npz"))
    text = (place / FILE).read_text()
    if change == "an edited number":
        (place / FILE).write_text(text.replace('"view": "side"', '"view": "rear"', 1))
    if change == "no JSON":
        (place / FILE).write_text(text[: len(text) // 2])
    if change == "endless nesting":
        (place / FILE).write_text("[" * 100_000)
    if change == "a cut file":
        arrays.write_bytes(arrays.read_bytes()[:-10])
    if change == "other arrays":
        arrays.write_bytes(arrays.read_bytes()[::-1])
    if change == "absent arrays":
        arrays.unlink()
    with pytest.raises(IntegrityError):
        Baseline.load(place)


def test_a_newer_version_another_file_and_no_file_are_told_apart(folder, tmp_path):
    place = copied(folder, tmp_path)
    told = json.loads((place / FILE).read_text())
    (place / FILE).write_text(json.dumps({**told, "format_version": 2}))
    with pytest.raises(InputError, match="newer version"):
        Baseline.load(place)
    (place / FILE).write_text("{}")
    with pytest.raises(InputError, match="no baseline of motion"):
        Baseline.load(place)
    with pytest.raises(InputError, match="holds no baseline"):
        Baseline.load(tmp_path)


def test_two_clips_are_too_few_and_three_are_said_to_be_few():
    clips = measured_clips()
    with pytest.raises(RefusedBaselineError, match="needs 3 at least"):
        baseline_of(reported(clips[:2]))
    three = baseline_of(reported(clips[:3]))
    assert "made of 3 clips" in three.warnings[0]
    assert baseline_of(reported(clips)).warnings == ()


def test_copies_of_one_clip_have_no_range_and_are_refused():
    with pytest.raises(RefusedBaselineError, match="copies of one clip"):
        baseline_of(reported(measured_clips()[:1] * 5))


def test_clips_that_tell_the_network_nothing_make_no_baseline_for_it():
    for package in ("torch", "onnx"):
        pytest.importorskip(package, reason="the network is tuned with torch and written with onnx")
    mute = [
        replace(clip, signals=replace(clip.signals, values=np.full_like(clip.signals.values, np.nan)))
        for clip in measured_clips()
    ]
    with pytest.raises(RefusedBaselineError, match="tell too little in common"):
        baseline_of(reported(mute), options=MotionOptions(method="ensemble"))


def test_a_clip_without_strides_among_five_is_said_to_have_no_part_in_the_limit():
    clips = [*measured_clips()]
    clips[1] = replace(clips[1], strides=(), measurements={}, curves={})
    made = baseline_of(reported(clips))
    assert [math.isnan(score) for score in made.own_scores] == [False, True, False, False, False]
    assert made.limit.scores == 4
    assert ["the limit is drawn without it" in " ".join(clip.warnings) for clip in made.clips] == [
        False, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("speed_kmh", [0, -5.0, math.nan])
def test_a_speed_that_is_none_is_refused(baseline, speed_kmh):
    with pytest.raises(InputError, match="speed_kmh must be above 0"):
        create_baseline(["1.mp4"] * 3, speed_kmh=speed_kmh)
    with pytest.raises(InputError, match="speed_kmh must be above 0"):
        baseline.score("today.mp4", speed_kmh=speed_kmh)


def test_clips_of_several_views_are_refused_by_name():
    given = [*measured_clips()[:4], measured_clips(clips=1, view="rear")[0]]
    with pytest.raises(RefusedBaselineError, match=r"different views.*rear: 5\.mp4"):
        baseline_of(reported(given))


def test_clips_of_several_movements_are_refused_by_name():
    with pytest.raises(RefusedBaselineError, match=r"different movements.*run: 4\.mp4, 5\.mp4") as refused:
        baseline_of(reported([*measured_clips()[:3], *measured_clips(RUN, 2)]))
    assert [clip.activity for clip in refused.value.clips] == ["walk"] * 3 + ["run"] * 2


def test_a_clip_of_another_person_is_named_and_makes_the_baseline_doubtful():
    clips = list(measured_clips())
    clips[2] = replace(clips[2], proportions={limb: 1.3 * length for limb, length in clips[2].proportions.items()})
    doubtful = baseline_of(reported(clips))
    assert "another person" in doubtful.clips[2].warnings[-1]
    assert "3.mp4" in doubtful.doubts[0]
    assert doubtful.score(measured_clips(clips=1, seed=5)[0]).confidence <= 0.4


def test_a_clip_that_could_not_be_measured_is_left_out_with_its_reason():
    given = [*reported(measured_clips()[:4]), (None, ClipReport("5.mp4").left_out("no person was found"))]
    made = baseline_of(given)
    assert [clip.used for clip in made.clips] == [True] * 4 + [False]
    assert made.clips[4].reason == "no person was found"
    with pytest.raises(RefusedBaselineError, match=r"5\.mp4: no person was found"):
        baseline_of(given[2:])


def test_a_tuned_network_travels_as_onnx(tmp_path):
    for package in ("torch", "onnx"):
        pytest.importorskip(package, reason="the network is tuned with torch and written with onnx")
    made = baseline_of(reported(measured_clips()), options=MotionOptions(method="ensemble"))
    made.save(tmp_path)
    again = Baseline.load(tmp_path)
    assert again.judge.autoencoder.model == made.judge.autoencoder.model
    score, network = again.score(measured_clips(clips=1, seed=5)[0]), again.judge.autoencoder
    assert (score.method, score.inside) == ("ensemble", True)
    assert score.parts["autoencoder"] == network.score(measured_clips(clips=1, seed=5)[0].signals)
    network_file = next(tmp_path.glob("autoencoder-*.onnx"))
    network_file.write_bytes(network_file.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError):
        Baseline.load(tmp_path)


def test_joints_found_by_other_means_are_warned_of(clip_files, tmp_path):
    made = create_baseline(clip_files[:5], workers=0, cache_root=tmp_path / "cache")
    assert made.source == "keypoints of a file"
    other = replace(made, source="blazepose-full 01234567")
    told = [" ".join(one.score(clip_files[5], cache_root=tmp_path / "cache").warnings) for one in (other, made)]
    assert ["found by other means" in text for text in told] == [True, False]


def test_files_become_a_baseline_and_a_further_file_a_score(clip_files, tmp_path):
    made = create_baseline(clip_files[:5], speed_kmh=5, height_m=1.75, workers=0, cache_root=tmp_path / "cache")
    assert all(clip.used and len(clip.digest) == 64 and clip.frames == 300 for clip in made.clips)
    assert made.height_m == 1.75
    score = made.score(clip_files[5], speed_kmh=5, cache_root=tmp_path / "cache")
    assert score.inside
    assert score.name == "6.npz"
    assert set(score.latency_ms) == {"pose", "measure", "score"}
    assert score.clip.quality.found_share == 1


def test_a_broken_file_among_five_is_answered_for_by_itself(clip_files, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 nothing")
    made = create_baseline([*clip_files[:4], broken], workers=0, cache_root=tmp_path / "cache")
    assert [clip.used for clip in made.clips] == [True] * 4 + [False]
    assert made.clips[4].reason
    with pytest.raises(RefusedBaselineError) as refused:
        create_baseline([*clip_files[:2], broken, tmp_path / "absent.npz"], workers=0, cache_root=tmp_path / "cache")
    assert [bool(clip.reason) for clip in refused.value.clips] == [False, False, True, True]


def test_a_file_that_is_given_twice_counts_once(clip_files, tmp_path):
    again = tmp_path / "again.npz"
    again.write_bytes(clip_files[1].read_bytes())
    made = create_baseline([*clip_files[:4], again], workers=0, cache_root=tmp_path / "cache")
    assert [clip.used for clip in made.clips] == [True] * 4 + [False]
    assert "the same file as 2.npz" in made.clips[4].reason


def test_options_are_taken_whole_or_as_a_profile_with_fields(clip_files, tmp_path):
    with pytest.raises(InputError, match="needs 3 at least"):
        create_baseline(clip_files[:1])
    with pytest.raises(InputError, match="no option"):
        create_baseline(clip_files[:3], hight_m=2)
    made = create_baseline(
        clip_files[:3], options=MotionOptions(view="side"), height_m=1.8, workers=0, cache_root=tmp_path / "cache"
    )
    assert (made.options.view, made.options.height_m) == ("side", 1.8)
