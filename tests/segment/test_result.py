"""A segmentation answers: how much, where, merged, painted, saved, and as others write it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salticid.core.image_labels import read_labels
from salticid.core.palette import class_palette
from salticid.errors import InputError, MissingError
from salticid.segment.result import Segmentation

NAMES = ("Road", "Car", "Truck", "Sky")
LABELS = np.array([[0, 0, 1, 1], [0, 2, 2, 3]], np.uint8)
RESULT = Segmentation(LABELS, NAMES, "onnxruntime", "cpu", "fp32", {"network": 1.5})


def test_areas_and_shares_are_told_of_every_class():
    absent = Segmentation(LABELS[:1], NAMES)
    assert RESULT.area_px == {"Road": 3, "Car": 2, "Truck": 2, "Sky": 1}
    assert RESULT.share == {"Road": 0.375, "Car": 0.25, "Truck": 0.25, "Sky": 0.125}
    assert absent.area_px == {"Road": 2, "Car": 2, "Truck": 0, "Sky": 0}


def test_the_mask_of_a_class_is_where_it_is():
    assert RESULT.mask("Truck").tolist() == [[False] * 4, [False, True, True, False]]
    with pytest.raises(InputError, match="no class 'Trukc': did you mean 'Truck'"):
        RESULT.mask("Trukc")


def test_classes_are_merged_where_the_first_of_them_stood_and_all_else_is_kept():
    merged = RESULT.merged({"vehicle": ["Truck", "Car"]})
    assert merged.names == ("Road", "vehicle", "Sky")
    assert merged.labels.tolist() == [[0, 0, 1, 1], [0, 1, 1, 2]]
    assert (merged.engine, merged.latency_ms) == (RESULT.engine, RESULT.latency_ms)
    assert RESULT.merged({"Car": ["Car", "Truck"], "other": ["Road", "Sky"]}).names == ("other", "Car")
    assert RESULT.merged({}) is RESULT


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"vehicle": ["Car", "Bus"]}, "no class 'Bus'"),
        ({"a": ["Car"], "b": ["Car"]}, "'Car' is in two groups, 'a' and 'b'"),
        ({"vehicle": []}, "not empty"),
        ({"vehicle": "Car"}, "must be a list"),
        ({"Sky": ["Car", "Truck"]}, "'Sky' is a class that its group leaves out"),
    ],
)
def test_groups_that_make_no_sense_are_input_errors(groups, words):
    with pytest.raises(InputError, match=words):
        RESULT.merged(groups)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.sets(st.sampled_from(NAMES), min_size=1))
def test_the_area_of_a_group_is_the_sum_of_its_classes(numbers, members):
    result = Segmentation(np.array([numbers], np.uint8), NAMES)
    merged = result.merged({"group": sorted(members)})
    assert merged.area_px["group"] == sum(result.area_px[name] for name in members)
    assert sum(merged.area_px.values()) == len(numbers)
    assert np.array_equal(merged.mask("group"), np.logical_or.reduce([result.mask(name) for name in members]))


def test_an_overlay_paints_each_class_in_its_color():
    image = np.full((2, 4, 3), 100, np.uint8)
    np.testing.assert_array_equal(RESULT.overlay(image, 1.0), class_palette(4)[LABELS])
    np.testing.assert_array_equal(RESULT.overlay(image, 0.0), image)
    assert np.abs(RESULT.overlay(image).astype(int) - (class_palette(4)[LABELS].astype(int) + 100) / 2).max() <= 1
    with pytest.raises(InputError, match="one per pixel"):
        RESULT.overlay(image[:1])


@pytest.mark.parametrize("name", ["labels.png", "labels.npy", "LABELS.NPY", "labels.PNG"])
def test_saved_labels_come_back_exactly(tmp_path, name):
    RESULT.save(tmp_path / name)
    read = np.load if name.lower().endswith("npy") else read_labels
    np.testing.assert_array_equal(read(tmp_path / name), LABELS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with pytest.raises(InputError, match="exists"):
        RESULT.save(tmp_path / name, overwrite=False)


def test_labels_are_saved_as_numbers_alone(tmp_path):
    with pytest.raises(InputError, match=r"labels as .*labels\.jpg: use \.png or \.npy"):
        RESULT.save(tmp_path / "labels.jpg")


def test_the_list_is_the_one_of_hugging_face_pipelines():
    entries = RESULT.merged({"vehicle": ["Car", "Truck"]}).to_list()
    assert [set(entry) for entry in entries] == [{"score", "label", "mask"}] * 3
    assert [(entry["label"], entry["score"]) for entry in entries] == [("Road", None), ("vehicle", None), ("Sky", None)]
    mask = entries[1]["mask"]
    assert (mask.dtype, mask.tolist()) == (np.uint8, [[0, 0, 255, 255], [0, 255, 255, 0]])
    assert len(Segmentation(LABELS[:1], NAMES).to_list()) == 2


def test_supervision_gets_its_detections_in_its_own_shapes(monkeypatch):
    """Shapes and types are those that `supervision.Detections` validates (0.26)."""
    monkeypatch.setitem(sys.modules, "supervision", _supervision())
    found = RESULT.to_supervision()
    assert found.xyxy.tolist() == [[0, 0, 1, 1], [2, 0, 3, 0], [1, 1, 2, 1], [3, 1, 3, 1]]
    assert (found.xyxy.dtype, found.mask.dtype, found.mask.shape) == (np.float32, np.bool_, (4, 2, 4))
    assert found.class_id.tolist() == [0, 1, 2, 3]
    assert found.data["class_name"].tolist() == list(NAMES)
    np.testing.assert_array_equal(found.mask[2], LABELS == 2)


def test_an_absent_supervision_is_a_missing_error(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="pip install supervision"):
        RESULT.to_supervision()


def _supervision():
    module = ModuleType("supervision")
    module.__spec__ = SimpleNamespace(name="supervision")

    def detections(xyxy, mask=None, confidence=None, class_id=None, tracker_id=None, data=None):
        count = len(xyxy)
        assert xyxy.shape == (count, 4)
        assert mask.shape[0] == count
        assert class_id.shape == (count,)
        assert class_id.dtype.kind == "i"
        assert confidence is None
        assert all(len(values) == count for values in data.values())
        return SimpleNamespace(xyxy=xyxy, mask=mask, class_id=class_id, data=data)

    module.Detections = detections
    return module
