"""Options are checked when they are built, and every front end is made from the same declaration."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salticid.core.options import Options, option
from salticid.errors import InputError
from salticid.stereo.options import StereoOptions


@dataclass(frozen=True, kw_only=True)
class BlurOptions(Options):
    radius_px: int = option(2, help="radius of the window", minimum=0, maximum=9)
    step_px: int = option(16, help="step", multiple_of=16)
    strength: float = option(0.5, help="how much", minimum=0, maximum=1)
    border: Literal["reflect", "zero"] = option("reflect", help="what lies outside the image")
    title: str | None = option(None, help="a name")
    mode: Literal["fast", "good"] | None = option(None, help="how")
    window_px: int = option(5, help="width", odd=True)
    fast: bool = option(False, help="hurry")

    PROFILES: ClassVar[Any] = {"speed": {"radius_px": 1, "fast": True}, "quality": {"radius_px": 5}, "memory": {}}


def test_a_profile_is_a_row_of_the_table():
    assert BlurOptions.profile("speed") == BlurOptions(radius_px=1, fast=True)
    assert BlurOptions.profile("memory") == BlurOptions()


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(InputError, match="one of speed, quality, memory, not 'fastest'"):
        BlurOptions.profile("fastest")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radius_px": -1}, "radius_px must be at least 0, not -1"),
        ({"radius_px": 10}, "radius_px must be at most 9, not 10"),
        ({"radius_px": 1.5}, "radius_px must be a whole number, not 1.5"),
        ({"radius_px": True}, "radius_px must be a whole number, not True"),
        ({"radius_px": None}, "radius_px must not be None"),
        ({"step_px": 24}, "step_px must be a multiple of 16, not 24"),
        ({"strength": float("nan")}, "strength must be at least 0, not nan"),
        ({"strength": "much"}, "strength must be a number, not 'much'"),
        ({"border": "wrap"}, "border must be one of reflect, zero, not 'wrap'"),
        ({"mode": "best"}, "mode must be one of fast, good, not 'best'"),
        ({"window_px": 4}, "window_px must be odd, not 4"),
        ({"fast": 1}, "fast must be true or false, not 1"),
        ({"radius": 1}, "no option 'radius': did you mean radius_px?"),
        ({"zzz": 1}, "no option 'zzz': options are radius_px, step_px"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(changes, message):
    with pytest.raises(InputError, match=message.replace("?", r"\?").replace(".", r"\.")):
        BlurOptions().replace(**changes)


def test_an_optional_value_may_be_none_and_an_integer_is_a_number():
    assert BlurOptions(title=None, strength=1).strength == 1


def test_options_are_frozen():
    with pytest.raises(FrozenInstanceError):
        BlurOptions().radius_px = 3


def test_the_schema_says_what_the_checks_check():
    schema = BlurOptions.json_schema()["properties"]
    radius = schema["radius_px"]
    assert (radius["type"], radius["minimum"], radius["maximum"], radius["default"]) == ("integer", 0, 9, 2)
    assert radius["description"] == "radius of the window"
    assert schema["border"]["enum"] == ["reflect", "zero"]
    assert schema["title"]["type"] == ["string", "null"]
    assert schema["step_px"]["multipleOf"] == 16


@given(st.integers(-100, 100))
def test_a_value_is_accepted_exactly_when_the_schema_allows_it(value):
    allowed = 0 <= value <= 9
    try:
        BlurOptions(radius_px=value)
        accepted = True
    except InputError:
        accepted = False
    assert accepted == allowed


def test_every_profile_of_stereo_can_be_built():
    for name in StereoOptions.PROFILES:
        assert StereoOptions.profile(name).replace(num_disparities=64).num_disparities == 64
