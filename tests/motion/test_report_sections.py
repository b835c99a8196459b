"""The page answers in order: verdict, changes, curves, sides, features, what is missing; and loads nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from motion_report import measured, report_data

from salticid.motion import report_sections as sections
from salticid.motion.report_curves import curves
from salticid.motion.report_page import page, table
from salticid.motion.report_text import Difference

VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Checks that every tag is closed in its turn, and keeps headings, pictures and addresses."""

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


def whole(data, stills=()):
    parts = (
        sections.head(data, "Anna <today>"),
        sections.changes(data),
        sections.stills(stills),
        curves(data),
        sections.sides(data),
        sections.features(data),
        sections.not_measured(data),
        sections.quality(data),
        sections.method(data, (("score.json", "for programs"),)),
    )
    return page("Anna <today>", parts, "Not a medical device.")


def test_the_page_goes_from_the_verdict_to_the_method_and_loads_nothing():
    html = whole(report_data(), [(np.full((40, 30, 3), 128, np.uint8), "right contact")])
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
        "Quality of the clip",
        "How it was computed",
        "Files of this report",
    ]
    assert len(found.addresses) == 1
    assert found.addresses[0].startswith("data:image/jpeg;base64,/9j/")
    assert not re.search(r"<script|@import|url\(|<link", html)
    assert html.count("Not a medical device") == 1
    assert re.search(r"\bnan\b", html) is None


@pytest.mark.parametrize(
    ("inside", "kind", "words"),
    [(False, "outside", "Outside your own five runs: the right knee bends 16.0° less in swing. How sure: high."),
     (True, "inside", "Inside your own five runs"),
     (None, "unknown", "No verdict: this clip cannot be compared with your own five runs.")],
)  # fmt: skip
def test_the_head_says_the_verdict_in_a_sentence_and_why_it_is_sure(inside, kind, words):
    said = sections.head(report_data(inside), "clip")
    assert f'<header class="{kind}">' in said
    assert words in said
    assert "3 strides a side were measured." in said
    assert "the speed is another than that of the own clips" in said


def test_a_change_between_the_sides_does_not_hide_the_side_that_changed():
    both = Difference(
        "knee_swing_peak_asymmetry", None, "Most knee flexion: left and right", "%", "swing", 18, 0, 2, 1, 9
    )
    data = report_data()
    assert "the right knee bends" in report_data(changes=(both, *data.changes)).verdict
    assert "left and right differ" in report_data(changes=(both,)).verdict


def test_a_change_is_told_with_its_numbers_its_bar_and_its_caution():
    said = sections.changes(report_data())
    assert "The right knee bends 16.0° less in swing" in said
    assert "80.0° now; 96.0° before, beyond your range of 94.0° to 98.0°" in said
    assert "Careful: coarse: a frame lasts 33 ms." in said
    assert 'class="bar"' in said
    assert "lies within your own range" in sections.changes(report_data(True))


def test_curves_of_both_sides_share_one_axis_and_say_where_they_leave_the_band():
    said = curves(report_data())
    left, right = re.findall(r'<svg class="curve".*?</svg>', said)
    numbers = [re.findall(r'text-anchor="end"[^>]*>([-\d.]+)<', svg) for svg in (left, right)]
    assert numbers[0] == numbers[1]
    assert 'class="left">Left</b>, 3 strides, outside for 0 % of the stride' in said
    assert re.search(
        r"Right knee flexion: \d+–\d+ % of the stride \(stance and swing\), up to 1\d\.\d° below the band", said
    )


def test_without_bands_strides_or_pairs_sections_are_left_out():
    data = report_data(bands={}, features={}, quality=(), cautions={})
    assert curves(data) == sections.sides(data) == sections.features(data) == sections.stills(()) == ""
    outline(whole(data))


def test_features_are_grouped_by_phase_and_those_outside_stand_out():
    said = sections.features(report_data())
    assert (
        said.index("Swing")
        < said.index("Most knee flexion in swing")
        < said.index("Throughout")
        < said.index("Cadence")
    )
    (row,) = re.findall(r'<tr class="out">.*?</tr>', said)
    assert "right" in row
    assert "94.0 – 98.0" in row
    assert "-6.4" in row


def test_what_was_not_measured_is_listed_once_per_reason():
    said = sections.not_measured(report_data())
    assert "Not to be seen from the side</td><td>Pelvic drop in stance</td>" in said
    assert "Coarse: a frame lasts 33 ms</td><td>Most knee flexion in swing (right)</td>" in said


def test_notes_of_the_measurement_are_told():
    assert measured().notes[0] in sections.quality(report_data())


def test_text_from_files_cannot_become_markup():
    html = whole(report_data(warnings=("<script>alert(1)</script>",), quality=(("<b>", "<i>"),)))
    assert "<script>" not in html
    assert "<i>" not in html
    assert "&lt;i&gt;" in table((("a", ""),), [("", ["<i>"])])
