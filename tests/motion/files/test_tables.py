"""Tables of a clip: a row per stride with its reason where there is none, and the same in CSV and Parquet."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest
from motion_report import measured

from salticid.errors import InputError, MissingError
from salticid.motion.files.tables import curves_table, features_table, signals_table, write_table


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_stride_of_a_feature_is_a_row_and_what_was_not_measured_says_why(tmp_path):
    write_table(tmp_path / "features.csv", features_table(measured()))
    found = rows(tmp_path / "features.csv")
    knee = [row for row in found if row["feature"] == "knee_swing_peak" and row["side"] == "right"]
    assert [float(row["value"]) for row in knee] == [80.0, 79.0, 81.0]
    assert [row["stride"] for row in knee] == ["1", "2", "3"]
    assert [float(row["start_s"]) for row in knee] == pytest.approx([0.35, 1.05, 1.75])
    drop = [row for row in found if row["feature"] == "pelvic_drop"]
    assert [(row["value"], row["stride"], row["reason"]) for row in drop] == [
        ("", "", "not to be seen from the side")
    ] * 2


def test_a_stride_that_could_not_be_measured_is_an_empty_cell(tmp_path):
    clip = measured()
    clip.measurements["knee_swing_peak.right"].values[1] = np.nan
    write_table(tmp_path / "features.csv", features_table(clip))
    knee = [row for row in rows(tmp_path / "features.csv") if row["feature"] == "knee_swing_peak"]
    assert [row["value"] for row in knee if row["side"] == "right"] == ["80.0", "", "81.0"]


def test_curves_have_a_column_per_percent(tmp_path):
    clip = measured()
    write_table(tmp_path / "curves.csv", curves_table(clip))
    found = rows(tmp_path / "curves.csv")
    assert len(found) == sum(len(curve.strides) for curve in clip.curves.values())
    first = clip.curves["knee_flexion.left"].strides[0]
    assert float(found[0]["p0"]) == first[0]
    assert float(found[0]["p100"]) == first[100]
    assert "p101" not in found[0]


def test_signals_have_a_row_per_frame_and_their_units_in_the_heading():
    table = signals_table(measured())
    assert list(table)[:2] == ["time_s", "knee_flexion.left (deg)"]
    assert {len(column) for column in table.values()} == {len(measured().signals.times_s)}


def test_parquet_says_the_same_as_csv(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    table = features_table(measured())
    write_table(tmp_path / "features.parquet", table)
    found = parquet.read_table(tmp_path / "features.parquet").to_pydict()
    assert list(found) == list(table)
    assert found["value"] == [None if value is None or np.isnan(value) else value for value in table["value"]]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[parquet\]'"):
        write_table(tmp_path / "features.parquet", features_table(measured()))
    assert not list(tmp_path.iterdir())


def test_another_ending_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"end in \.csv or \.parquet, not '\.xlsx'"):
        write_table(tmp_path / "features.xlsx", {"a": [1]})
