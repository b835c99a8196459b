"""The page answers in order: verdict, changes, curves, sides, features, what is missing; and loads nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from motion_report import baseline_of_five, measured, scored

from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.report import sections
from salticid.motion.report.curves import curves
from salticid.motion.report.page import table
from salticid.motion.report.write import report_html

SCORE, BASELINE = scored(), baseline_of_five()
VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Checks that every tag is closed in its turn, and keeps headings and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.headings, self.addresses = [], [], []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)


def outline(html):
    found = Outline()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


def test_the_page_goes_from_the_verdict_to_the_method_and_loads_nothing():
    still = np.full((40, 30, 3), 128, np.uint8)
    html = report_html(SCORE, BASELINE, "Anna <today>", [(still, "right contact")], [("score.json", "for programs")])
    found = outline(html)
    assert found.headings == [
        "Anna <today>",
        "What changed",
        "In the video",
        "Over the stride",
        "Knee flexion",
        "Left and right",
        "All features",
        "Not measured, or coarse",
        "Compared with",
        "How it was computed",
        "Files of this report",
    ]
    assert len(found.addresses) == 1
    assert found.addresses[0].startswith("data:image/jpeg;base64,/9j/")
    assert not re.search(r"<script|@import|url\(|<link", html)
    assert html.count("Not a medical device") == 1
    assert re.search(r"\bnan\b", html) is None


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, "outside", "Outside your own five runs: the right knee bends"),
        ({"inside": True}, "inside", "Inside your own five runs"),
        ({"limit": float("nan")}, "unknown", "No verdict"),
    ],
)
def test_the_head_says_the_verdict_why_it_is_not_surer_and_what_to_know(changes, kind, words):
    said = sections.head(replace(SCORE, **changes), "clip")
    assert f'<header class="{kind}">' in said
    assert words in said
    assert f"Not surer because {SCORE.reasons[0]}" in said.replace("&#x27;", "'")
    assert "1 of 7 strides is unlike the others and left out." in said
    assert "Speed <b>10.0 km/h, given</b>" in said


def test_a_change_is_told_with_its_numbers_its_bar_and_its_caution():
    coarse = replace(SCORE.changes[0], caution="coarse: a frame lasts 33 ms")
    said = sections.changes(replace(SCORE, changes=(coarse,)), BASELINE)
    assert re.search(r"<strong>The right knee bends \d+\.\d° less in swing</strong>", said)
    assert "80.0° now" in said
    assert "Careful: coarse: a frame lasts 33 ms." in said
    assert 'class="bar"' in said
    assert "No feature stands out" in sections.changes(replace(SCORE, changes=()), BASELINE)


def test_at_another_speed_what_follows_speed_is_taken_with_care():
    faster = replace(SCORE, measured=measured(speed_kmh=12.0))
    assert "it follows speed in everybody" in sections.changes(faster, BASELINE)
    assert "it follows speed in everybody" not in sections.changes(SCORE, BASELINE)
    unknown = replace(SCORE, measured=measured(speed_kmh=float("nan")))
    assert "it follows speed in everybody" not in sections.changes(unknown, BASELINE)


def test_more_changes_than_a_reader_takes_in_are_counted():
    said = sections.changes(replace(SCORE, changes=(SCORE.changes[0],) * 11), BASELINE)
    assert said.count("<strong>") == 8
    assert "3 smaller changes" in said


def test_curves_of_both_sides_share_one_axis_and_say_where_they_leave_the_band():
    said = curves(SCORE)
    left, right = re.findall(r'<svg class="curve".*?</svg>', said)
    numbers = [re.findall(r'text-anchor="end"[^>]*>([-\d.]+)<', svg) for svg in (left, right)]
    assert numbers[0] == numbers[1]
    assert 'class="left">Left</b>, 3 strides, outside for 0 % of the stride' in said
    assert re.search(
        r"Right knee flexion: \d+–\d+ % of the stride \(stance and swing\), up to 1\d\.\d° below the band", said
    )


def test_of_an_exercise_repetitions_are_spoken_of():
    said = curves(replace(SCORE, measured=replace(SCORE.measured, activity="exercise")))
    assert "Over the repetition" in said
    assert "3 repetitions" in said
    assert "stride" not in said


def test_without_curves_changes_or_pairs_sections_are_left_out():
    bare = replace(SCORE, curves={}, changes=(), not_compared={})
    assert curves(bare) == sections.sides(bare) == sections.features(bare) == sections.not_measured(bare) == ""
    assert sections.stills(()) == ""
    outline(report_html(bare, BASELINE))


def test_features_are_grouped_by_phase_and_those_that_stand_out_do_so():
    said = sections.features(SCORE)
    places = [
        said.index(words) for words in ("Stance", "Contact time", "Swing", "Most knee flexion", "Throughout", "Cadence")
    ]
    assert places == sorted(places)
    (row,) = re.findall(r'<tr class="out">.*?</tr>', said)
    assert 'class="right"' in row
    assert f"{SCORE.changes[0].z:+.1f}" in row
    assert said.count("Contact time, ") == said.count(" *</td>") == 2


def test_what_was_not_measured_is_listed_once_per_reason():
    said = sections.not_measured(SCORE)
    assert "Not to be seen from the side</td><td>Pelvic drop in stance</td>" in said
    assert "Coarse: a frame lasts 33 ms</td><td>Contact time</td>" in said


def test_text_from_files_cannot_become_markup():
    evil = "<script>alert(1)</script>"
    score = replace(SCORE, warnings=(evil,), reasons=(evil,), name="<i>", baseline=evil, not_compared={"cadence": evil})
    own = replace(BASELINE, name=evil, source=evil, clips=(ClipReport(evil).left_out(evil),))
    html = report_html(score, own, files=[(evil, evil)], stills=[(np.zeros((8, 8, 3), np.uint8), '"><script>')])
    assert "<script>" not in html
    assert "<i>" not in html
    assert "&lt;i&gt;" in table((("a", ""),), [("", ["<i>"])])
