"""Sentences say side, phase, amount and direction as a person would."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from motion_report import scored

from salticid.motion.compare.band import Excursion
from salticid.motion.measure.exercise_table import REPETITION_ROWS
from salticid.motion.measure.feature_table import ROWS
from salticid.motion.report.text import (
    amount,
    comparison,
    confidence_word,
    phrase,
    short_amount,
    verdict,
    where_outside,
)

SCORE = scored()
KNEE = SCORE.changes[0]


def change(name, value, mean, side="left", unit="deg", title="A title"):
    return replace(KNEE, name=name, value=value, mean=mean, side=side, unit=unit, title=title)


def test_the_verdict_names_the_largest_change_and_how_sure_it_is():
    assert (KNEE.key, KNEE.notable) == ("knee_swing_peak.right", True)
    less = f"{KNEE.mean - KNEE.value:.1f}°"
    assert verdict(replace(SCORE, confidence=0.8)) == (
        f"Outside your own five runs: the right knee bends {less} less in swing. How sure: high."
    )


def test_inside_outside_without_a_feature_and_no_verdict_are_said_as_such():
    calm = replace(SCORE, inside=True, changes=())
    assert verdict(calm).startswith(
        "Inside your own five runs: it differs from them no more than another of them would."
    )
    assert ", though the right knee bends" in verdict(replace(SCORE, inside=True))
    assert "no single feature stands out" in verdict(replace(SCORE, changes=()))
    assert (
        verdict(replace(SCORE, limit=math.nan)) == "No verdict: this clip cannot be compared with your own five runs."
    )


def test_a_change_between_the_sides_does_not_hide_the_side_that_changed():
    between = replace(KNEE, name="knee_swing_peak_asymmetry", side=None, title="Most knee flexion: difference", t=99.0)
    assert "the right knee bends" in verdict(replace(SCORE, changes=(between, KNEE)))
    assert "left and right differ" in verdict(replace(SCORE, changes=(between,)))


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (change("cadence", 158.2, 164.0, None, "steps/min"), "the cadence is 5.8 steps/min lower"),
        (change("contact_time", 0.262, 0.25, unit="s"), "the left foot stays on the ground 12 ms longer"),
        (change("hip_least", -4.0, -9.0), "the left hip extends 5.0° less behind the body"),
        (change("overstride", 18.0, 16.5, unit="% height"), "lands 1.5 % of body height further ahead of the body"),
        (change("pelvic_drop", 9.0, 5.0, "right"), "the pelvis drops 4.0° more while the right foot stands"),
        (change("reach", 9.0, 5.0, None, title="Reach of the arms"), "reach of the arms is 4.0° higher"),
        (
            change("contact_time_asymmetry", 9.0, 2.0, None, "%", "Contact time: difference of left and right"),
            "left and right differ by 7.0 % more in contact time",
        ),
    ],
)
def test_a_change_is_said_with_side_amount_and_direction(one, words):
    assert words in phrase(one)


def test_every_feature_of_the_table_has_words_of_its_own():
    for feature in [row.feature for row in (*ROWS, *REPETITION_ROWS)]:
        said = phrase(change(feature.name, 2.0, 1.0, "left" if feature.sided else None, feature.unit, feature.title))
        assert not said.startswith(feature.title.lower()), feature.name
        assert ("the left " in said) == (feature.sided or feature.name == "knee_peak_difference"), feature.name


def test_the_numbers_behind_a_change_are_told():
    knee = replace(KNEE, value=79.5, mean=96.0, low=94.0, high=98.0, sd=16.5 / 6.84)
    assert comparison(knee) == (
        "79.5° now; 96.0° before, beyond your range of 94.0° to 98.0°; 6.8 of your own spreads below your mean"
    )


@pytest.mark.parametrize(
    ("start", "end", "toe_off", "phase"),
    [
        (5, 30, 38.0, " (stance)"),
        (40, 60, 38.0, " (swing)"),
        (30, 60, 38.0, " (stance and swing)"),
        (5, 9, math.nan, ""),
    ],
)
def test_where_a_curve_leaves_the_band_is_told_with_its_phase(start, end, toe_off, phase):
    curve = SimpleNamespace(title="Hip flexion, thigh to trunk", side="left", unit="deg")
    said = where_outside(curve, Excursion(start, end, -7.04), toe_off, "stride")
    assert said == f"Left hip flexion: {start}–{end} % of the stride{phase}, up to 7.0° below the band"


def test_amounts_have_units_and_what_is_unknown_has_a_dash():
    assert [amount(1.234, unit) for unit in ("m", "km/h", "%")] == ["1.23 m", "1.2 km/h", "1.2 %"]
    assert amount(math.nan, "s") == short_amount(math.inf, "deg") == "–"
    assert [short_amount(0.25, "s"), short_amount(12.34, "deg"), short_amount(5.0, "% height")] == [
        "250",
        "12.3",
        "5.0",
    ]


def test_the_own_clips_are_called_by_their_own_movement():
    squats = replace(SCORE, own_activity="exercise")
    assert verdict(squats).startswith("Outside your own five clips: ")


def test_an_unknown_confidence_is_not_a_high_one():
    assert confidence_word(math.nan) == "low"


def test_confidence_has_three_words():
    assert [confidence_word(value) for value in (1.0, 0.7, 0.69, 0.4, 0.39, 0.0)] == [
        "high", "high", "medium", "medium", "low", "low",
    ]  # fmt: skip
