"""Charts are valid SVG on their own, and show what lies outside where it lies."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.report.chart import (
    CurvePanel,
    curve_chart,
    dumbbell,
    gauge,
    range_bar,
    shared_range,
    stretches,
    ticks,
)


def panel(middle, low=0.0, high=1.0, **changes):
    strides = np.broadcast_to(middle, (3, 101)).astype(float)
    band = {"low": np.full(101, low), "high": np.full(101, high), "mean": np.full(101, (low + high) / 2)}
    shown = {"title": "left", "unit": "°", "color": "#000", "strides": strides, "center": strides[0]}
    return CurvePanel(**(shown | band | changes))


def drawn(svg):
    """Return all elements of a chart; it must be XML, and load nothing."""
    assert "href" not in svg
    assert not re.search(r"nan|inf", svg.replace("infer", ""))
    return list(ElementTree.fromstring(svg).iter())


def of(elements, kind):
    return [element for element in elements if element.tag.endswith(kind)]


def test_what_leaves_the_band_is_filled_and_marked_on_the_axis():
    course = np.full(101, 0.5)
    course[40:61] = 2.0
    shown = panel(course)
    assert stretches(shown.outside) == [(40, 60)]
    elements = drawn(curve_chart(shown, shared_range([shown])))
    (strip,) = [one for one in of(elements, "rect") if one.get("height") == "5"]
    assert float(strip.get("width")) == pytest.approx(21 / 100 * 380, abs=0.1)
    assert len(of(elements, "polygon")) == 2  # the band, and what is beyond it


def test_inside_the_band_nothing_is_marked():
    shown = panel(0.5)
    elements = drawn(curve_chart(shown, shared_range([shown])))
    assert len(of(elements, "polygon")) == 1
    assert not [one for one in of(elements, "rect") if one.get("height") == "5"]


def test_holes_stay_holes_and_a_clip_without_strides_shows_the_band():
    course = np.full(101, 0.5)
    course[30:40] = np.nan
    (path,) = [
        one for one in of(drawn(curve_chart(panel(course), (-1, 2))), "path") if one.get("stroke-width") == "2.8"
    ]
    assert path.get("d").count("M") == 2
    empty = panel(0.5, strides=np.empty((0, 101)), center=np.full(101, np.nan))
    assert not empty.outside.any()
    assert len(of(drawn(curve_chart(empty, shared_range([empty]))), "polygon")) == 1


def test_an_unknown_band_is_not_drawn_and_nothing_is_outside_of_it():
    shown = panel(5.0, low=np.nan, high=np.nan)
    assert not shown.outside.any()
    assert not of(drawn(curve_chart(shown, shared_range([shown]))), "polygon")


def test_stance_and_swing_are_named_where_toe_off_is_known():
    known, unknown = panel(0.5, toe_off_percent=38.0), panel(0.5)
    assert {"stance", "swing"} <= {one.text for one in drawn(curve_chart(known, (0, 1)))}
    assert "stance" not in {one.text for one in drawn(curve_chart(unknown, (0, 1)))}


def test_a_bar_shows_a_circle_inside_a_diamond_outside_and_an_arrow_beyond():
    def marks(value):
        elements = drawn(range_bar(value, -1, 1, 0, 1, own=(-1, 0, 1), outside=abs(value) > 1))
        return len(of(elements, "circle")), [one.get("points") for one in of(elements, "polygon")]

    assert marks(0.5) == (1, [])
    circles, (diamond,) = marks(2.0)
    assert (circles, len(diamond.split())) == (0, 4)
    _, (arrow,) = marks(-90.0)
    assert len(arrow.split()) == 3
    assert float(arrow.split(",")[0]) < 150
    assert len(of(drawn(range_bar(0.5, -1, 1, 0, 1, own=(-1, 0, 1))), "line")) == 4


def test_without_a_spread_or_a_limit_there_is_no_chart():
    assert range_bar(1, 0, 2, 1, 0) == ""
    assert range_bar(1, np.nan, 2, 1, 1) == ""
    assert gauge(1, np.nan, ()) == ""


def test_the_gauge_tells_this_clip_from_the_own_ones():
    elements = drawn(gauge(3.0, 1.4, (0.8, 1.0, float("nan"))))
    assert len(of(elements, "circle")) == 2
    assert len(of(elements, "polygon")) == 1
    assert {"limit 1.40", "this clip 3.00"} <= {one.text for one in elements}


@settings(deadline=None, max_examples=60)
@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_left_and_right_stay_on_the_picture(left, right):
    elements = drawn(dumbbell([("Knee", "°", left, right)]))
    (circle,) = of(elements, "circle")
    assert 0 <= float(circle.get("cx")) <= 420
    assert {f"{left:.3g}", f"{right:.3g}"} <= {one.text for one in elements}


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_within(low, width):
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 12
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in found)


def test_titles_cannot_break_the_page():
    assert "<b>" not in dumbbell([("<b>", "&", 1.0, 2.0)])
