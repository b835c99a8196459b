"""What the numbers of label files mean, and that every problem is told before anything is learned."""

from __future__ import annotations

import json

import numpy as np
import pytest

from salticid.core.image import write_image
from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.segment.batches import MOST_MEMORY, PROBED, load
from salticid.segment.data import CITYSCAPES, VOID, check_names, find_dataset, refuse

NAMES = ("sky", "road", "car")


def write_pair(root, stem, labels, size=None, split="train"):
    for folder in (split, f"{split}annot"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shape = size or labels.shape
    write_image(root / split / f"{stem}.png", np.full((*shape, 3), 90, np.uint8))
    write_image(root / f"{split}annot" / f"{stem}.png", labels)


def labels(*numbers):
    return np.array(numbers * 4, np.uint8).reshape(4, -1)


def test_numbers_become_classes_and_the_stated_void_becomes_255(tmp_path):
    write_pair(tmp_path, "a", labels(0, 1, 2, 11))
    dataset = find_dataset(tmp_path, NAMES, void=11)
    image, classes = dataset.read(dataset.pairs["train"][0])
    assert image.shape == (4, 4, 3)
    assert classes[0].tolist() == [0, 1, 2, VOID]


def test_names_and_void_come_from_meta_json_where_they_are_not_given(tmp_path):
    write_pair(tmp_path, "a", labels(0, 2, 7, 255))
    (tmp_path / "meta.json").write_text(json.dumps({"classes": NAMES, "void": 7}))
    dataset = find_dataset(tmp_path)
    assert dataset.classes == NAMES
    assert dataset.read(dataset.pairs["train"][0])[1][0].tolist() == [0, 2, VOID, VOID]


def test_cityscapes_ids_become_its_19_classes(tmp_path):
    stem = "aachen_000001_000019"
    write_pair(tmp_path, "unused", labels(0))
    image = tmp_path / "leftImg8bit" / "train" / "aachen"
    truth = tmp_path / "gtFine" / "train" / "aachen"
    image.mkdir(parents=True)
    truth.mkdir(parents=True)
    write_image(image / f"{stem}_leftImg8bit.png", np.zeros((4, 5, 3), np.uint8))
    write_image(truth / f"{stem}_gtFine_labelIds.png", labels(7, 11, 26, 4, 33))
    dataset = find_dataset(tmp_path)
    assert dataset.classes == CITYSCAPES
    assert dataset.read(dataset.pairs["train"][0])[1][0].tolist() == [0, 2, 13, VOID, 18]


def test_without_names_the_error_says_how_to_give_them(tmp_path):
    write_pair(tmp_path, "a", labels(0))
    with pytest.raises(InputError, match="--classes"):
        find_dataset(tmp_path)


def test_every_problem_is_told_with_its_file_before_anything_is_learned(tmp_path):
    write_pair(tmp_path, "good", labels(0, 1))
    write_pair(tmp_path, "small", labels(0, 1), size=(8, 8))
    write_pair(tmp_path, "unknown", labels(0, 9))
    write_pair(tmp_path, "broken", labels(0, 1))
    broken = tmp_path / "trainannot" / "broken.png"
    broken.write_bytes(broken.read_bytes()[:40])
    write_pair(tmp_path, "missing", labels(0, 1))
    (tmp_path / "trainannot" / "missing.png").unlink()
    dataset = find_dataset(tmp_path, NAMES)
    with pytest.raises(InputError, match="4 pairs cannot be learned from") as told:
        load(dataset, dataset.pairs["train"])
    found = str(told.value).splitlines()[1:]
    assert len(found) == 4
    for stem in ("small", "unknown", "broken", "missing"):
        assert sum(stem in line for line in found) == 1


def test_larger_pairs_are_reduced_with_the_classes_of_the_nearest_pixels(tmp_path):
    write_pair(tmp_path, "a", np.repeat(np.arange(2, dtype=np.uint8), 20)[None].repeat(20, 0))
    dataset = find_dataset(tmp_path, NAMES)
    pixels = load(dataset, dataset.pairs["train"], long_side_px=10)
    assert pixels.images[0].shape == (3, 5, 10)
    assert pixels.truths[0].tolist() == [[0] * 5 + [1] * 5] * 5


def test_pairs_that_will_not_fit_the_memory_are_refused_after_the_first_ones(tmp_path, monkeypatch):
    for number in range(PROBED + 5):
        write_pair(tmp_path, str(number), labels(0, 1))
    dataset = find_dataset(tmp_path, NAMES)
    pairs = dataset.pairs["train"]
    needed = 4 * labels(0, 1).size * len(pairs)
    monkeypatch.setattr(hardware, "available_memory", lambda: needed / MOST_MEMORY - 1)
    read = []

    def progress(items, total, what):
        for item in items:
            read.append(item)
            yield item

    with pytest.raises(ResourceError, match="--long-side-px 1024"):
        load(dataset, pairs, progress=progress)
    assert len(read) == PROBED
    monkeypatch.setattr(hardware, "available_memory", lambda: needed / MOST_MEMORY + 1)
    assert len(load(dataset, pairs)) == len(pairs)


def test_a_long_list_of_problems_is_cut_and_says_so():
    with pytest.raises(InputError, match="and 15 more"):
        refuse([f"problem {number}" for number in range(25)])
    refuse([])


@pytest.mark.parametrize("names", [("a",), ("a", "a"), ("a", ""), ("a", 3), tuple(map(str, range(255)))])
def test_names_that_are_none_are_refused(names):
    with pytest.raises(InputError, match="classes"):
        check_names(names)


@pytest.mark.parametrize("classes", ["sky", 3, {"sky": 0, "road": 1}])
def test_classes_that_are_no_list_are_refused(tmp_path, classes):
    write_pair(tmp_path, "a", labels(0))
    (tmp_path / "meta.json").write_text(json.dumps({"classes": classes}))
    with pytest.raises(InputError, match="a list of names"):
        find_dataset(tmp_path)


def test_cityscapes_has_its_own_number_of_classes(tmp_path):
    image = tmp_path / "leftImg8bit" / "train" / "aachen"
    image.mkdir(parents=True)
    write_image(image / "a_leftImg8bit.png", np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(InputError, match="19 classes, not 3"):
        find_dataset(tmp_path, NAMES)


def test_void_is_a_number(tmp_path):
    write_pair(tmp_path, "a", labels(0))
    (tmp_path / "meta.json").write_text(json.dumps({"classes": NAMES, "void": True}))
    with pytest.raises(InputError, match="void must be 0 to 255, not True"):
        find_dataset(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_meta_file_that_says_nothing_is_no_crash(tmp_path, text):
    write_pair(tmp_path, "a", labels(0))
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(InputError, match=r"meta\.json (cannot be read|must hold)"):
        find_dataset(tmp_path)
