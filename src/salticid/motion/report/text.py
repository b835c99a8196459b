"""What a clip tells, in plain sentences: what changed, on which side, in which phase, how much and how surely."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from salticid.motion.compare.band import Excursion, ScoredCurve
    from salticid.motion.score import Change, MotionScore

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MOVEMENTS = {"run": "runs", "walk": "walks", "exercise": "clips", "other": "clips"}

_CONFIDENCE = ((0.7, "high"), (0.4, "medium"), (0.0, "low"))  # from which value on

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
    "repetition_time": ("a repetition takes {by} {word}", "longer", "shorter"),
    "time_down": ("the way down takes {by} {word}", "longer", "shorter"),
    "time_up": ("the way up takes {by} {word}", "longer", "shorter"),
    "depth": ("the pelvis goes down {by} {word}", "further", "less far"),
    "knee_peak": ("the {side} knee bends {by} {word}", "more", "less"),
    "hip_peak": ("the {side} hip flexes {by} {word}", "more", "less"),
    "ankle_peak": ("the {side} ankle dorsiflexes {by} {word}", "more", "less"),
    "trunk_lean_peak": ("the trunk leans {by} {word} forward at most", "more", "less"),
    "knee_peak_difference": ("the left and the right knee differ by {by} {word}", "more", "less"),
    "knee_valgus_peak": ("the {side} knee falls inwards {by} {word}", "more", "less"),
    "trunk_sway_reach": ("the trunk sways to the sides by {by} {word}", "more", "less"),
    "shoulder_tilt_reach": ("the shoulders tilt by {by} {word}", "more", "less"),
}


def verdict(score: MotionScore) -> str:
    """Return the one sentence that stands above everything else."""
    own = f"your own {count_word(len(score.own_scores))} {_MOVEMENTS[score.own_activity]}"
    inside = is_inside(score)
    if inside is None:
        return f"No verdict: this clip cannot be compared with {own}."
    largest = _largest(score)
    sure = f"How sure: {confidence_word(score.confidence)}."
    if not inside:
        told = phrase(largest) if largest else "no single feature stands out, the movement as a whole does"
        return f"Outside {own}: {told}. {sure}"
    alone = f", though {phrase(largest)}" if largest else ": it differs from them no more than another of them would"
    return f"Inside {own}{alone}. {sure}"


def is_inside(score: MotionScore) -> bool | None:
    """Return whether the clip is inside the person's own range; None where that cannot be told."""
    return score.inside if math.isfinite(score.score) and math.isfinite(score.limit) else None


def confidence_word(confidence: float) -> str:
    """Return a confidence of 0..1 as a word; an unknown one is low."""
    return next((word for least, word in _CONFIDENCE if confidence >= least), "low")


def phrase(change: Change) -> str:
    """Return a change as part of a sentence: "the right knee bends 17.0° less in swing"."""
    difference = change.value - change.mean
    by, side = amount(abs(difference), change.unit), change.side or ""
    if change.name in _PHRASES:
        text, more, less = _PHRASES[change.name]
        return text.format(side=side, by=by, word=more if difference > 0 else less)
    if is_comparison(change):
        what = change.title.partition(":")[0].lower()
        return f"left and right differ by {by} {'more' if difference > 0 else 'less'} in {what}"
    where = f" ({side})" if side else ""
    return f"{change.title.lower()}{where} is {by} {'higher' if difference > 0 else 'lower'}"


def comparison(change: Change) -> str:
    """Return the numbers behind a change: this clip, the own range, and how many own spreads that is."""
    value, mean, low, high = (amount(one, change.unit) for one in (change.value, change.mean, change.low, change.high))
    spreads = f"{abs(change.z):.1f} of your own spreads {'above' if change.z > 0 else 'below'}"
    beyond = "within" if change.low <= change.value <= change.high else "beyond"
    return f"{value} now; {mean} before, {beyond} your range of {low} to {high}; {spreads} your mean"


def is_comparison(change: Change) -> bool:
    """Return whether a change tells of left against right, and not of a side."""
    return change.name.endswith(("_asymmetry", "_difference"))


def where_outside(curve: ScoredCurve, part: Excursion, toe_off_percent: float, cycle: str) -> str:
    """Return where in the stride a curve leaves the own band, and by how much at most."""
    name = " ".join(filter(None, (curve.side, curve.title.partition(",")[0].lower())))  # without what says its sign
    start, end, way = part.start_percent, part.end_percent, "above" if part.most > 0 else "below"
    return (
        f"{name[0].upper()}{name[1:]}: {start}–{end} % of the {cycle}{_phase_of(start, end, toe_off_percent)}, "
        f"up to {amount(abs(part.most), curve.unit)} {way} the band"
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


def _largest(score: MotionScore) -> Change | None:
    """Return the largest notable change; one of a side goes before one between the sides, which it explains."""
    of_a_side = (change for change in score.notable if not is_comparison(change))
    return next(of_a_side, next(iter(score.notable), None))


def _phase_of(start: int, end: int, toe_off: float) -> str:
    if not math.isfinite(toe_off):
        return ""
    if end <= toe_off:
        return " (stance)"
    return " (swing)" if start >= toe_off else " (stance and swing)"
