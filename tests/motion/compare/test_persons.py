"""Several people are noticed by their limbs and by how far the clips lie apart; more is not claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from motion_clips import WALK, measured_clips

from salticid.motion.compare.judge import fit_judge
from salticid.motion.compare.persons import UNLIKE_CLIPS, limb_warning, spread_warning, unlike_limbs, unlike_spread


def scaled(clip, factor):
    """Return a clip of somebody with longer legs and shorter arms."""
    legs = ("thigh", "shank")
    lengths = {
        limb: length * (factor if limb.startswith(legs) else 1 / factor) for limb, length in clip.proportions.items()
    }
    return replace(clip, proportions=lengths)


def test_clips_of_one_person_have_the_same_limbs():
    assert unlike_limbs(measured_clips(clips=5)) == {}


def test_a_clip_of_somebody_with_other_limbs_is_named():
    clips = [*measured_clips(clips=5)]
    clips[3] = scaled(clips[3], 1.2)
    found = unlike_limbs(clips)
    assert list(found) == [3]
    assert "18 %" in limb_warning(found[3])


def test_few_limbs_tell_nothing():
    clips = [replace(clip, proportions={"thigh.left": 0.2 + 0.1 * n}) for n, clip in enumerate(measured_clips())]
    assert unlike_limbs(clips) == {}


def test_clips_of_one_person_differ_as_one_persons_do():
    statistics = fit_judge(measured_clips(clips=5), "statistics").statistics
    assert unlike_spread(statistics) < UNLIKE_CLIPS
    assert spread_warning(statistics) == ""


def test_five_people_differ_far_more():
    styles = [
        WALK,
        replace(WALK, trunk_lean_deg=20.0, arm_swing_deg=40.0),
        replace(WALK, cadence_spm=135.0, knee_swing_deg=80.0),
        replace(WALK, speed_kmh=3.0, trunk_lean_deg=-5.0, arm_swing_deg=5.0),
        replace(WALK, speed_kmh=6.8, knee_contact_deg=20.0, trunk_lean_deg=12.0),
    ]
    people = [measured_clips(style, 1, seed=number)[0] for number, style in enumerate(styles)]
    statistics = fit_judge(people, "statistics").statistics
    assert unlike_spread(statistics) > UNLIKE_CLIPS
    assert f"{unlike_spread(statistics):.1f} times" in spread_warning(statistics)


@pytest.mark.parametrize("share", [0.11, 0.3])
def test_the_warning_says_that_it_is_no_proof(share):
    assert "likely" in limb_warning(share)
