"""JSON says what the page says, in standard JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from motion_report import measured, report_data

from salticid.core.plain import strict
from salticid.motion.report_json import report_json


def said(**changes):
    return json.loads(json.dumps(strict(report_json(report_data(**changes), "clip.mp4")), allow_nan=False))


def test_verdict_changes_and_features_are_there_with_units():
    found = said()
    assert found["verdict"].startswith("Outside your own five runs: the right knee bends")
    assert (found["inside"], found["score"], found["limit"], found["own_clips"]) == (False, 3.2, 1.4, 5)
    (change,) = found["changes"]
    assert change["says"] == "the right knee bends 16.0° less in swing"
    assert (change["feature"], change["side"], change["unit"], change["deviation"]) == (
        "knee_swing_peak",
        "right",
        "deg",
        -6.4,
    )
    knee = found["features"]["knee_swing_peak.right"]
    assert (knee["value"], knee["own_low"], knee["strides"]) == (80.0, 94.0, 3)
    assert knee["own_values"] == [94.0, 95.0, 96.0, 97.0, 98.0]


def test_what_is_unknown_is_null_with_its_reason():
    found = said(limit=float("nan"), inside=None)
    assert found["limit"] is None
    drop = found["features"]["pelvic_drop.left"]
    assert (drop["value"], drop["reason"]) == (None, "not to be seen from the side")
    assert "own_mean" not in drop


def test_curves_have_their_median_and_the_own_band():
    curve = said()["curves"]["knee_flexion.left"]
    assert {len(curve[key]) for key in ("median", "own_mean", "own_low", "own_high")} == {101}
    assert curve["median"] == pytest.approx(np.median(measured().curves["knee_flexion.left"].strides, axis=0))
