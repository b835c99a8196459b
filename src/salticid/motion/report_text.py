"""What a clip tells, in plain sentences: what changed, on which side, in which phase, how much and how surely."""

from __future__ import annotations

import math
from dataclasses import dataclass

from salticid.motion.keypoints import Side

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MOVEMENTS = {"run": "runs", "walk": "walks", "exercise": "clips", "other": "clips"}

# How a change of a feature is said: {side} and {by}, then the words for more and for less.
_PHRASES = {
    "cadence": ("the cadence is {by} {word}", "higher", "lower"),
    "stride_time": ("a stride takes {by} {word}", "longer", "shorter"),
    "step_time": ("the step onto the {side} foot takes {by} {word}", "longer", "shorter"),
    "vertical_oscillation": ("the body bounces {by} {word}", "more", "less"),
    "contact_time": ("the {side} foot stays on the ground {by} {word}", "longer", "shorter"),
    "swing_time": ("the {side} leg swings {by} {word}", "longer", "shorter"),
    "duty_factor": ("the {side} foot is on the ground for {by} {word} of the stride", "more", "less"),
    "double_support": ("both feet are on the ground for {by} {word} of the stride", "more", "less"),
    "flight_time": ("the flight after the {side} foot is {by} {word}", "longer", "shorter"),
    "stride_length": ("the stride is {by} {word}", "longer", "shorter"),
    "step_length": ("the step onto the {side} foot is {by} {word}", "longer", "shorter"),
    "speed": ("the speed is {by} {word}", "higher", "lower"),
    "trunk_lean": ("the trunk leans {by} {word} forward", "more", "less"),
    "trunk_lean_range": ("the trunk rocks back and forth by {by} {word}", "more", "less"),
    "trunk_sway_range": ("the trunk sways to the sides by {by} {word}", "more", "less"),
    "knee_at_contact": ("the {side} knee is bent {by} {word} at contact", "more", "less"),
    "knee_midstance": ("the {side} knee is bent {by} {word} at midstance", "more", "less"),
    "knee_loading_peak": ("the {side} knee bends {by} {word} under load", "more", "less"),
    "knee_swing_peak": ("the {side} knee bends {by} {word} in swing", "more", "less"),
    "knee_range": ("the {side} knee moves through {by} {word}", "more", "less"),
    "hip_at_contact": ("the {side} hip is flexed {by} {word} at contact", "more", "less"),
    "hip_midstance": ("the {side} hip is flexed {by} {word} at midstance", "more", "less"),
    "hip_least": ("the {side} hip extends {by} {word} behind the body", "less", "more"),
    "hip_swing_peak": ("the {side} hip flexes {by} {word} in swing", "more", "less"),
    "hip_range": ("the {side} hip moves through {by} {word}", "more", "less"),
    "ankle_at_contact": ("the {side} ankle is dorsiflexed {by} {word} at contact", "more", "less"),
    "ankle_midstance": ("the {side} ankle is dorsiflexed {by} {word} at midstance", "more", "less"),
    "ankle_stance_peak": ("the {side} ankle dorsiflexes {by} {word} in stance", "more", "less"),
    "ankle_range": ("the {side} ankle moves through {by} {word}", "more", "less"),
    "shank_at_contact": ("the {side} shank reaches {by} {word} forward at contact", "further", "less far"),
    "overstride": ("the {side} foot lands {by} {word} ahead of the body", "further", "less far"),
    "foot_at_contact": ("the {side} toes point {by} {word} at contact", "higher", "lower"),
    "arm_swing_range": ("the {side} arm swings {by} {word}", "more", "less"),
    "elbow_flexion": ("the {side} elbow is bent {by} {word}", "more", "less"),
    "pelvic_drop": ("the pelvis drops {by} {word} while the {side} foot stands", "more", "less"),
    "hip_adduction": ("the {side} hip adducts {by} {word} in stance", "more", "less"),
    "knee_valgus": ("the {side} knee falls inwards {by} {word} at midstance", "more", "less"),
    "crossover": ("the {side} foot crosses the middle {by} {word}", "further", "less far"),
    "step_width": ("the steps are {by} {word}", "wider", "narrower"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """How one number of a clip stands to the person's own."""

    name: str  # of the feature: "knee_swing_peak"
    side: Side | None
    title: str  # "Most knee flexion in swing"
    unit: str
    phase: str
    value: float
    low: float  # of the own clips
    high: float
    mean: float
    deviation: float  # from the mean, in own spreads

    @property
    def is_comparison(self) -> bool:
        """Whether it tells of left against right, and not of a side."""
        return self.name.endswith("_asymmetry")

    @property
    def by(self) -> float:
        """Value less mean, in its unit."""
        return self.value - self.mean


def verdict(inside: bool | None, activity: str, clips: int, first: Difference | None, confidence: str) -> str:
    """Return the one sentence that stands above everything else.

    Parameters
    ----------
    inside
        None where the clip cannot be judged.
    first
        The largest difference, if there is one.
    confidence
        "high", "medium", "low"; empty where it is not known.
    """
    own = f"your own {count_word(clips)} {_MOVEMENTS.get(activity, 'clips')}"
    if inside is None:
        return f"No verdict: this clip cannot be compared with {own}."
    sure = f" How sure: {confidence}." if confidence else ""
    if inside:
        return f"Inside {own}: this clip differs from them no more than they differ from one another.{sure}"
    told = f": {phrase(first)}" if first is not None else ""
    return f"Outside {own}{told}.{sure}"


def phrase(difference: Difference) -> str:
    """Return a difference as part of a sentence.

    >>> knee = Difference("knee_swing_peak", "right", "Most knee flexion", "deg", "swing", 79.0, 94.0, 98.0, 96.0, -6.8)
    >>> phrase(knee)
    'the right knee bends 17.0° less in swing'
    """
    by = amount(abs(difference.by), difference.unit)
    side = difference.side or ""
    if difference.name in _PHRASES:
        text, more, less = _PHRASES[difference.name]
        return text.format(side=side, by=by, word=more if difference.by > 0 else less)
    if difference.is_comparison:
        what = difference.title.partition(":")[0].lower()
        return f"left and right differ by {by} {'more' if difference.by > 0 else 'less'} in {what}"
    where = f" ({side})" if side else ""
    return f"{difference.title.lower()}{where} is {by} {'higher' if difference.by > 0 else 'lower'}"


def comparison(difference: Difference) -> str:
    """Return the numbers behind a difference: this clip, the own range, and how many own spreads that is."""
    value, mean, low, high = (
        amount(number, difference.unit)
        for number in (difference.value, difference.mean, difference.low, difference.high)
    )
    spreads = f"{abs(difference.deviation):.1f} of your own spreads {'above' if difference.deviation > 0 else 'below'}"
    beyond = "beyond" if not difference.low <= difference.value <= difference.high else "within"
    return f"{value} now; {mean} before, {beyond} your range of {low} to {high}; {spreads} your mean"


def where_outside(
    title: str, side: Side | None, start: int, end: int, most: float, unit: str, toe_off: float, cycle: str = "stride"
) -> str:
    """Return where in the stride a curve leaves the own band, and by how much at most."""
    name = " ".join(filter(None, (side, title.partition(",")[0].lower())))  # without what says its sign
    way = "above" if most > 0 else "below"
    return (
        f"{name[0].upper()}{name[1:]}: {start}–{end} % of the {cycle}{_phase_of(start, end, toe_off)}, "
        f"up to {amount(abs(most), unit)} {way} the band"
    )


def amount(value: float, unit: str) -> str:
    """Return a number with its unit, in digits that can be trusted.

    >>> amount(17.04, "deg"), amount(0.2531, "s"), amount(16.46, "% height"), amount(float("nan"), "deg")
    ('17.0°', '253 ms', '16.5 % of body height', '–')
    """
    if not math.isfinite(value):
        return "–"
    if unit == "s":
        return f"{1000 * value:.0f} ms"
    if unit == "deg":
        return f"{value:.1f}°"
    if unit == "% height":
        return f"{value:.1f} % of body height"
    digits = 2 if unit in ("m", "m/s") else 1
    return f"{value:.{digits}f} {unit}"


def short_amount(value: float, unit: str) -> str:
    """Return a number as in a table whose other column says the unit."""
    return amount(value, unit).split(" ")[0].removesuffix("°")


def unit_words(unit: str) -> str:
    """Return a unit as a table's column says it."""
    return {"s": "ms", "deg": "°", "% height": "% height"}.get(unit, unit)


def count_word(count: int) -> str:
    """Return a small number as a word."""
    return _COUNTS[count] if 0 <= count < len(_COUNTS) else str(count)


def _phase_of(start: int, end: int, toe_off: float) -> str:
    if not math.isfinite(toe_off):
        return ""
    if end <= toe_off:
        return " (stance)"
    return " (swing)" if start >= toe_off else " (stance and swing)"
