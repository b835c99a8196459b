"""A report says of itself how good the clip is, what it was compared with, and how."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from keypoint_cases import walking
from motion_report import baseline_of_five, scored

from salticid.motion.pose.quality import track_quality
from salticid.motion.report.method import method, own_clips, quality

SCORE, BASELINE = scored(), baseline_of_five()


def test_quality_is_told_where_it_is_known_and_left_out_where_it_is_not():
    keypoints = walking(30)
    info = SimpleNamespace(width=1280, height=720)
    clip = SimpleNamespace(
        name="a.mp4", source="net 01", info=info, quality=track_quality(keypoints, people=2), warnings=()
    )
    said = quality(SimpleNamespace(clip=clip))
    assert "<dt>Person found in</dt><dd>100 % of the frames</dd>" in said
    assert "<dt>People in view</dt><dd>2</dd>" in said
    assert "1280 × 720" in said
    assert "Out of the picture" not in said  # the size of the picture is not known to the keypoints
    assert quality(SCORE) == ""


def test_every_own_clip_is_told_with_its_score_or_why_it_was_left_out():
    said = own_clips(BASELINE)
    assert all(f"{number}.mp4" in said for number in range(5))
    assert all(f"{score:.2f}" in said for score in BASELINE.own_scores)
    assert 'class="left-out"><td>dark.mp4</td>' in said
    assert "left out: no person was found in it" in said


def test_an_own_score_that_is_not_known_has_a_dash():
    scores = replace(SCORE, own_scores=(0.5, float("nan"), 0.75))
    assert "<dd>0.50, –, 0.75</dd>" in method(scores, BASELINE, [])


def test_of_an_exercise_in_three_dimensions_that_is_said():
    squats = replace(BASELINE, activity="exercise", view="room")
    assert '<th class="number">Repetitions</th>' in own_clips(squats)
    assert "Strides" not in own_clips(squats)
    assert "exercise seen in three dimensions, 10.0 km/h" in method(SCORE, squats, [])


def test_how_it_was_computed_names_method_limit_model_and_files():
    said = method(SCORE, BASELINE, [("score.json", "for programs")])
    assert "Anna: 5 clips, run seen from the side, 10.0 km/h, 60 fps" in said
    assert "leave one clip out" in said.lower()
    assert "blazepose-full 0123456789ab" in said
    assert f"{SCORE.limit:.2f}" in said
    assert "<dt>score.json</dt><dd>for programs</dd>" in said
    assert "Files of this report" not in method(SCORE, BASELINE, [])
