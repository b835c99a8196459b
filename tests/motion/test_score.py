"""A clip beside a baseline: the verdict, the changes by side and phase, how surely, and what it warns of."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from motion_clips import RUN, WALK, changed_clip, measured_clips, reported

from salticid.errors import InputError
from salticid.motion.baseline import baseline_of
from salticid.motion.compare.description import cycles_of
from salticid.motion.compare.statistics import PRIOR_CLIPS
from salticid.motion.compare.thresholds import student_quantile
from salticid.motion.report.text import verdict
from salticid.motion.score import NOTABLE_LEVEL


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(reported(measured_clips()), name="anna", speed_kmh=5.0)


@pytest.fixture(scope="module")
def same(baseline):
    return baseline.score(measured_clips(clips=1, seed=5)[0])


@pytest.fixture(scope="module")
def stiff(baseline):
    return baseline.score(stiffer(changed_clip("stiff knee")))


def stiffer(clip):
    """Return a clip whose right knee bends by 25 degrees less still, in swing."""
    peak, curve = clip.measurements["knee_swing_peak.right"], clip.curves["knee_flexion.right"]
    less = np.zeros(101, np.float32)
    less[65:85] = 25
    return replace(
        clip,
        measurements={**clip.measurements, peak.key: replace(peak, values=peak.values - 25)},
        curves={**clip.curves, curve.key: replace(curve, strides=curve.strides - less)},
    )


def test_a_further_clip_of_the_person_is_inside_and_little_is_notable(same):
    assert same.inside
    assert same.score <= same.limit
    assert len(same.notable) <= 2


def test_a_stiff_right_knee_is_told_as_that(stiff):
    assert not stiff.inside
    first = stiff.notable[0]
    assert (first.name, first.side, first.phase) == ("knee_swing_peak", "right", "swing")
    assert (first.direction, first.notable) == ("less", True)
    assert first.z < -3
    assert first.beyond == pytest.approx(first.low - first.value)
    assert len(first.own) == 5
    assert (first.low, first.high) == (min(first.own), max(first.own))


def test_its_curve_leaves_the_band_in_swing_and_downwards(stiff):
    most = max(stiff.curves["knee_flexion.right"].excursions, key=lambda part: abs(part.most))
    assert most.most < -5
    assert most.end_percent > 60


def test_changes_are_ranked_and_each_feature_is_compared_or_has_a_reason(stiff):
    sizes = [abs(change.t) for change in stiff.changes]
    assert sizes == sorted(sizes, reverse=True)
    assert {change.key for change in stiff.changes} | set(stiff.not_compared) == set(stiff.measured.measurements)
    assert not {change.key for change in stiff.changes} & set(stiff.not_compared)
    assert all(stiff.not_compared.values())


def test_another_view_is_refused_with_both_names(baseline):
    with pytest.raises(InputError, match="seen from the rear and the baseline from the side"):
        baseline.score(measured_clips(clips=1, view="rear")[0])


def test_another_speed_is_warned_of_with_what_follows_it(baseline):
    [warning] = [
        text for text in baseline.score(measured_clips(replace(WALK, speed_kmh=6.0), 1)[0]).warnings if "km/h" in text
    ]
    assert "6.0 km/h" in warning
    assert "5.0" in warning
    assert "cadence" in warning


def test_the_same_speed_and_an_unknown_one_are_not(baseline, same):
    assert not [text for text in same.warnings if "follow speed" in text]
    clip = replace(measured_clips(clips=1, seed=5)[0], speed_kmh=math.nan, speed_source="unknown")
    assert not [text for text in baseline.score(clip).warnings if "follow speed" in text]


def test_another_movement_is_outside_and_said_to_be_one(baseline):
    score = baseline.score(measured_clips(RUN, 1)[0])
    assert not score.inside
    assert "the clip shows running, the baseline walking" in score.warnings


def test_another_frame_rate_and_direction_are_warned_of(baseline):
    clip = replace(measured_clips(clips=1, seed=5)[0], fps=30.0, direction="left")
    warnings = " ".join(baseline.score(clip).warnings)
    assert "30 frames per second, the baseline 60" in warnings
    assert "faces left here and right in the baseline" in warnings


def test_fewer_strides_and_a_near_miss_make_it_less_sure(baseline, same):
    clip = measured_clips(clips=1, seed=5)[0]
    still = baseline.score(replace(clip, strides=(), measurements={}, curves={}))
    assert still.confidence <= 0.5 < same.confidence
    assert any("no stride was found" in reason for reason in still.reasons)
    assert any("too few strides" in warning for warning in still.warnings)


def test_a_baseline_whose_clips_have_no_strides_is_not_sure():
    bare = [replace(clip, strides=(), measurements={}, curves={}) for clip in measured_clips()]
    score = baseline_of(reported(bare)).score(measured_clips(clips=1, seed=5)[0])
    assert set(score.parts) == {"windows"}
    assert score.confidence <= 0.5
    assert any("too few clips of the baseline show whole strides" in reason for reason in score.reasons)


def test_the_own_movement_and_not_the_clips_names_the_own_clips(baseline):
    assert verdict(baseline.score(measured_clips(RUN, 1)[0])).startswith("Outside your own five walks")


def test_a_direction_that_is_not_known_is_no_other_one(baseline):
    unknown = replace(measured_clips(clips=1, seed=5)[0], direction=None)
    assert not any("faces" in text for text in baseline.score(unknown).warnings)


def test_a_feature_that_fewer_clips_tell_must_change_more_to_be_notable():
    key, clips = "trunk_lean", [*measured_clips()]
    for number in (0, 1):
        clips[number] = replace(
            clips[number], measurements={name: one for name, one in clips[number].measurements.items() if name != key}
        )
    few = baseline_of(reported(clips))
    statistics = few.judge.statistics
    column = statistics.names.index(f"features/{key}")
    assert statistics.degrees_of_freedom[column] == PRIOR_CLIPS + 3 - 1
    new = measured_clips(clips=1, seed=5)[0]
    usual = new.measurements[key]
    reach = float(statistics.sd[column] * np.sqrt(1 + 1 / 3))
    for quantile, notable in ((PRIOR_CLIPS + 4, False), (PRIOR_CLIPS + 2, True)):  # of five clips, of three
        value = statistics.mean[column] + 1.001 * student_quantile(NOTABLE_LEVEL, quantile) * reach
        moved = replace(usual, values=np.full(100, value))
        [change] = [
            one
            for one in few.score(replace(new, measurements={**new.measurements, key: moved})).changes
            if one.key == key
        ]
        assert (change.notable, change.low <= value <= change.high) == (notable, False)


def test_confidence_is_the_least_of_what_speaks_against_it(baseline, same, stiff):
    for score in (same, stiff):
        margin = abs(baseline.judge(score.measured).margin)
        strides = cycles_of(score.measured)
        assert score.confidence == pytest.approx(min(1 - math.exp(-margin), 5 / 6, strides / (strides + 1)))
        assert score.reasons


def test_all_of_it_is_plain_json(stiff):
    told = json.loads(json.dumps(stiff.to_dict(), allow_nan=False))
    assert told["inside"] is False
    assert told["changes"][0]["key"] == "knee_swing_peak.right"
    assert told["changes"][0]["z"] == stiff.changes[0].z
    curve = told["curves"]["knee_flexion.right"]
    assert len(curve["mean"]) == len(curve["own_low"]) == 101
    np.testing.assert_allclose(curve["own_high"], stiff.curves["knee_flexion.right"].band.high)
