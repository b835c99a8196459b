"""Sentences say side, phase, amount and direction as a person would."""

from __future__ import annotations

import math

import pytest

from salticid.motion.feature_table import ROWS
from salticid.motion.report_text import Difference, amount, comparison, phrase, short_amount, verdict, where_outside

KNEE = Difference(
    "knee_swing_peak", "right", "Most knee flexion in swing", "deg", "swing", 79.5, 94.0, 98.0, 96.0, -6.8
)


def difference(name, value, mean, side="left", unit="deg", title="A title"):
    return Difference(name, side, title, unit, "stance", value, mean - 1, mean + 1, mean, value - mean)


def test_the_verdict_names_the_largest_change_and_how_sure_it_is():
    said = verdict(False, "run", 5, KNEE, "high")
    assert said == "Outside your own five runs: the right knee bends 16.5° less in swing. How sure: high."
    assert verdict(False, "walk", 5, None, "") == "Outside your own five walks."


def test_inside_and_no_verdict_are_said_as_such():
    assert verdict(True, "walk", 6, KNEE, "medium").startswith("Inside your own six walks: this clip differs from them")
    assert verdict(None, "exercise", 12, None, "") == "No verdict: this clip cannot be compared with your own 12 clips."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (difference("cadence", 158.2, 164.0, None, "steps/min"), "the cadence is 5.8 steps/min lower"),
        (difference("contact_time", 0.262, 0.25, unit="s"), "the left foot stays on the ground 12 ms longer"),
        (difference("hip_least", -4.0, -9.0), "the left hip extends 5.0° less behind the body"),
        (difference("overstride", 18.0, 16.5, unit="% height"), "lands 1.5 % of body height further ahead of the body"),
        (difference("pelvic_drop", 9.0, 5.0, "right"), "the pelvis drops 4.0° more while the right foot stands"),
        (difference("depth", 9.0, 5.0, None, title="Depth of the squat"), "depth of the squat is 4.0° higher"),
        (
            difference("contact_time_asymmetry", 9.0, 2.0, None, "%", "Contact time: difference of left and right"),
            "left and right differ by 7.0 % more in contact time",
        ),
    ],
)
def test_a_change_is_said_with_side_amount_and_direction(change, words):
    assert words in phrase(change)


def test_every_feature_of_the_table_has_words_of_its_own():
    for row in ROWS:
        feature = row.feature
        side = "left" if feature.sided else None
        said = phrase(difference(feature.name, 2.0, 1.0, side, feature.unit, feature.title))
        assert not said.startswith(feature.title.lower()), feature.name
        assert ("left" in said) == feature.sided, feature.name


def test_the_numbers_behind_a_change_are_told():
    assert comparison(KNEE) == (
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
    said = where_outside("Hip flexion, thigh to trunk", "left", start, end, -7.04, "deg", toe_off)
    assert said == f"Left hip flexion: {start}–{end} % of the stride{phase}, up to 7.0° below the band"


def test_amounts_have_units_and_what_is_unknown_has_a_dash():
    assert [amount(1.234, unit) for unit in ("m", "km/h", "%")] == ["1.23 m", "1.2 km/h", "1.2 %"]
    assert amount(math.nan, "s") == short_amount(math.inf, "deg") == "–"
    assert [short_amount(0.25, "s"), short_amount(12.34, "deg"), short_amount(5.0, "% height")] == [
        "250",
        "12.3",
        "5.0",
    ]
