"""How a simulated person walks or runs: what can be chosen, what is typical, and what a change does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from salticid.errors import InputError

Change = Literal["tired", "limping", "stiff knee", "pelvic drop", "overstriding", "higher cadence"]

SPEED_KMH = {"walk": (2.0, 7.5), "run": (6.5, 20.0)}
RANGES = {
    "cadence_spm": (60.0, 270.0),
    "duty_factor": (0.2, 0.75),
    "height_m": (0.9, 2.3),
    "trunk_lean_deg": (-10.0, 35.0),
    "pelvic_drop_deg": (0.0, 15.0),
    "step_width_m": (-0.05, 0.3),
    "arm_swing_deg": (0.0, 60.0),
    "knee_contact_deg": (1.0, 40.0),
    "knee_swing_deg": (45.0, 135.0),
    "foot_contact_deg": (-20.0, 35.0),
    "heading_deg": (-360.0, 360.0),
    "variability": (0.0, 5.0),
}
LEAST_FLIGHT = 0.08  # of a step
LEAST_DOUBLE_SUPPORT = 0.05  # of a step
TYPICAL_HEIGHT_M = 1.75


@dataclass(frozen=True, kw_only=True)
class Asymmetry:
    """What the right side does otherwise than the left."""

    contact_time: float = 0.0  # share by which the right foot stays longer on the ground
    step_time: float = 0.0  # share by which the step onto the right foot takes longer
    knee_swing_deg: float = 0.0  # added to the right knee's peak in swing
    knee_contact_deg: float = 0.0  # added to the right knee at contact
    pelvic_drop_deg: float = 0.0  # added to the drop while the right foot stands

    def __post_init__(self) -> None:
        for name, most in (("contact_time", 0.3), ("step_time", 0.3)):
            check_range(name, getattr(self, name), -most, most)
        for name in ("knee_swing_deg", "knee_contact_deg", "pelvic_drop_deg"):
            check_range(name, getattr(self, name), -40.0, 40.0)


@dataclass(frozen=True, kw_only=True)
class GaitStyle:
    """How a person walks or runs; None is what is typical at that speed.

    Raises
    ------
    InputError
        A value is outside of what people do, or the duty factor belongs to the other activity.
    """

    activity: Literal["walk", "run"] = "walk"
    speed_kmh: float = 5.0
    cadence_spm: float | None = None  # steps per minute, both feet
    duty_factor: float | None = None  # share of its stride that a foot is on the ground
    height_m: float = TYPICAL_HEIGHT_M
    trunk_lean_deg: float | None = None
    pelvic_drop_deg: float | None = None  # of the swinging side, shortly after contact
    step_width_m: float | None = None  # between the ankles' tracks
    arm_swing_deg: float | None = None  # of the upper arm to each side of its mean
    knee_contact_deg: float | None = None
    knee_swing_deg: float | None = None  # the peak
    foot_contact_deg: float | None = None  # of the sole to the ground, toe up is positive
    strike: Literal["heel", "forefoot"] = "heel"
    treadmill: bool = False
    heading_deg: float = 0.0  # 0 walks along +z, 90 along +x
    variability: float = 1.0  # from stride to stride; 1 is typical, 0 a machine
    asymmetry: Asymmetry = field(default_factory=Asymmetry)

    def __post_init__(self) -> None:
        if self.activity not in SPEED_KMH:
            raise InputError(f"activity is {self.activity!r}: choose 'walk' or 'run'")
        if self.strike not in ("heel", "forefoot"):
            raise InputError(f"strike is {self.strike!r}: choose 'heel' or 'forefoot'")
        for name, limits in RANGES.items():
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), *limits)
        alike = np.sqrt(self.height_m / TYPICAL_HEIGHT_M)
        least, most = (round(float(limit * alike), 1) for limit in SPEED_KMH[self.activity])
        check_range(f"speed_kmh of a {self.activity} at {self.height_m:g} m", self.speed_kmh, least, most)
        if self.duty_factor is not None and (self.duty_factor > 0.5) != (self.activity == "walk"):
            raise InputError(
                f"duty_factor {self.duty_factor} is not a {self.activity}: above 0.5 is, by definition, a walk"
            )

    @property
    def speed_ms(self) -> float:
        """Meters per second."""
        return self.speed_kmh / 3.6

    @property
    def pace_ms(self) -> float:
        """The speed at which a person of 1.75 m would move alike (same Froude number, Alexander 1989)."""
        return float(self.speed_ms * np.sqrt(TYPICAL_HEIGHT_M / self.height_m))

    def filled(self) -> GaitStyle:
        """Return the style with every None replaced by what is typical at its speed and height."""
        typical: dict[str, Any] = dict(_typical_walk(self) if self.activity == "walk" else _typical_run(self))
        return replace(self, **{name: value for name, value in typical.items() if getattr(self, name) is None})


def changed(style: GaitStyle, what: Change) -> GaitStyle:
    """Return the style with a change that a coach or physiotherapist would want to be told of.

    Raises
    ------
    InputError
        There is no such change.
    """
    now = style.filled()
    changes: dict[str, dict[str, Any]] = {
        "tired": {
            "cadence_spm": given(now.cadence_spm) * 0.96,
            "trunk_lean_deg": given(now.trunk_lean_deg) + 5,
            "duty_factor": given(now.duty_factor) * 1.03,
            "knee_swing_deg": given(now.knee_swing_deg) - 6,
            "variability": now.variability * 1.5,
        },
        "limping": {"asymmetry": Asymmetry(contact_time=-0.1, step_time=0.06, knee_swing_deg=-8)},
        "stiff knee": {"asymmetry": Asymmetry(knee_swing_deg=-20)},
        "pelvic drop": {"pelvic_drop_deg": given(now.pelvic_drop_deg) + 4},
        "overstriding": {"cadence_spm": given(now.cadence_spm) * 0.93},
        "higher cadence": {"cadence_spm": given(now.cadence_spm) * 1.07},
    }
    if what not in changes:
        raise InputError(f"change is {what!r}: choose one of {', '.join(changes)}")
    return replace(style, **changes[what])


def _typical_walk(style: GaitStyle) -> dict[str, float]:
    """Return what is typical of walking: Winter 1991, Perry and Burnfield 2010."""
    pace, slower = style.pace_ms, np.sqrt(style.height_m / TYPICAL_HEIGHT_M)
    return {
        "cadence_spm": 115 * np.sqrt(pace / 1.39) / slower,
        "duty_factor": 0.70 - 0.06 * pace,
        "trunk_lean_deg": 2.0,
        "pelvic_drop_deg": 4.5,
        "step_width_m": 0.055 * style.height_m,
        "arm_swing_deg": 6 + 9 * pace,
        "knee_contact_deg": 5.0,
        "knee_swing_deg": 59 + 2.5 * pace,
        "foot_contact_deg": 14 + 5 * pace,
    }


def _typical_run(style: GaitStyle) -> dict[str, float]:
    """Return what is typical of running: Novacheck 1998; the faster, the shorter is contact."""
    pace, slower = style.pace_ms, np.sqrt(style.height_m / TYPICAL_HEIGHT_M)
    cadence, contact_s = 145 + 7.2 * pace, 0.26 * (2.78 / pace) ** 0.6
    return {
        "cadence_spm": cadence / slower,
        "duty_factor": contact_s * cadence / 120,
        "trunk_lean_deg": 7.0,
        "pelvic_drop_deg": 5.0,
        "step_width_m": 0.02 * style.height_m,
        "arm_swing_deg": 25 + 2 * pace,
        "knee_contact_deg": 15.0,
        "knee_swing_deg": 62 + 12 * pace,
        "foot_contact_deg": 12.0 if style.strike == "heel" else -9.0,
    }


def given(value: float | None) -> float:
    """Return a number of a filled style."""
    assert value is not None
    return value


def check_range(name: str, value: float, least: float, most: float) -> None:
    """Raise where a value is not one that people have."""
    if not least <= value <= most:
        raise InputError(f"{name} is {value}: give a number from {least:g} to {most:g}")
