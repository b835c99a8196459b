"""What legs do in walking and in running, as numbers: one row of a table for each.

The numbers were set so that hip, knee and ankle follow the curves of Winter 1991 (walking) and Novacheck 1998
(running).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """Parts of stance and of swing are from 0 to 1; angles in degrees."""

    over: float  # part of stance at which the hip is above the ankle
    flat: float  # part at which the whole sole is down
    loaded: float  # part at which a walker's knee gives way most
    upright: float  # part at which the body is highest above a walker's leg
    upright_knee_deg: float
    rising: tuple[tuple[float, float], ...]  # part of stance, knee flexion that the heel rises to keep
    rising_slope_deg: float  # of that flexion at toe-off, per stance
    rounding: float  # share of body height: so near to that flexion the heel begins to rise
    faster: tuple[float, float]  # m/s, and by how much the knee at toe-off changes per m/s beyond them
    push_deg: tuple[float, float]  # pitch of a runner's sole at toe-off, and its change per m/s likewise
    landing_deg: tuple[float, float]  # by which thigh and knee turn per meter of way as the foot comes down
    thigh_peak: tuple[float, float]  # part of swing, thigh to the vertical
    knee_peak: float  # part of swing
    knee_straight: tuple[float, float]  # part of swing, how much less flexed than at contact
    ankle: tuple[tuple[float, float], ...]  # part of swing, dorsiflexion
    sway_m: float  # of the pelvis, to the foot that stands
    turn_deg: float  # of the pelvis about the upright axis, forward with the leg that lands
    speed_change_ms: float  # within a step, to each side
    shoulder_turn_deg: float  # against the pelvis
    arm_deg: float  # mean of the upper arm, forward from straight down
    elbow_deg: tuple[float, float]  # mean flexion, and more when the arm is in front


MANNERS: Mapping[str, Manner] = {
    "walk": Manner(
        over=0.365, flat=0.15, loaded=0.21, upright=0.42, upright_knee_deg=7,
        rising=((0.4, 6), (0.6, 6.5), (0.8, 10.5), (0.9, 18.5), (1, 37)), rising_slope_deg=220, rounding=0.005,
        faster=(1.39, -7), push_deg=(0, 0), landing_deg=(-15, 36), thigh_peak=(0.68, 28),
        knee_peak=0.3, knee_straight=(0.92, 1), ankle=((0.42, 3), (0.8, 2)),
        sway_m=0.018, turn_deg=4, speed_change_ms=0.09, shoulder_turn_deg=4, arm_deg=-4, elbow_deg=(20, 8),
    ),
    "run": Manner(
        over=0.32, flat=0.22, loaded=0.4, upright=0.6, upright_knee_deg=40,
        rising=((0.3, 40), (0.55, 37), (0.8, 26), (1, 21)), rising_slope_deg=0, rounding=0.015,
        faster=(2.78, -4), push_deg=(-50, -5), landing_deg=(-15, 40), thigh_peak=(0.7, 42),
        knee_peak=0.42, knee_straight=(0.93, 3), ankle=((0.5, -4), (0.8, 3)),
        sway_m=0.007, turn_deg=3, speed_change_ms=0.07, shoulder_turn_deg=8, arm_deg=-18, elbow_deg=(90, 10),
    ),
}  # fmt: skip
