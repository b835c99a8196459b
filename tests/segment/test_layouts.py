"""Three layouts are found by themselves, and what is none of them is said to be none."""

from __future__ import annotations

import pytest

from salticid.errors import InputError
from salticid.segment.layouts import EVERY, find_pairs


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def stems(pairs):
    return [pair.image.stem for pair in pairs]


def test_camvid_pairs_by_name_in_both_splits(tmp_path):
    touch(tmp_path, "train/b.png", "train/a.jpg", "trainannot/a.png", "trainannot/b.png", "val/c.png", "valannot/c.png")
    layout, pairs = find_pairs(tmp_path)
    assert layout == "camvid"
    assert (stems(pairs["train"]), stems(pairs["val"])) == (["a", "b"], ["c"])
    assert pairs["train"][0].labels == tmp_path / "trainannot" / "a.png"


def test_cityscapes_pairs_across_cities(tmp_path):
    for split, city in (("train", "aachen"), ("train", "bochum"), ("val", "lindau")):
        stem = f"{city}_000001_000019"
        touch(tmp_path, f"leftImg8bit/{split}/{city}/{stem}_leftImg8bit.png")
    layout, pairs = find_pairs(tmp_path)
    assert layout == "cityscapes"
    assert len(pairs["train"]) == 2
    expected = tmp_path / "gtFine" / "val" / "lindau" / "lindau_000001_000019_gtFine_labelIds.png"
    assert pairs["val"][0].labels == expected


def test_a_folder_without_a_split_keeps_every_fifth_pair_for_validation(tmp_path):
    touch(tmp_path, *(f"images/{n:02}.jpg" for n in range(20)), *(f"labels/{n:02}.png" for n in range(20)))
    layout, pairs = find_pairs(tmp_path)
    assert layout == "folder"
    assert stems(pairs["val"]) == [f"{n:02}" for n in range(0, 20, EVERY)]
    assert set(stems(pairs["train"])).isdisjoint(stems(pairs["val"]))
    assert len(pairs["train"]) + len(pairs["val"]) == 20


def test_a_folder_with_a_split_of_its_own_keeps_it(tmp_path):
    touch(tmp_path, "train/images/a.png", "train/labels/a.png", "val/images/b.png", "val/labels/b.png")
    layout, pairs = find_pairs(tmp_path)
    assert (layout, stems(pairs["train"]), stems(pairs["val"])) == ("folder", ["a"], ["b"])


def test_an_image_without_labels_is_paired_with_the_file_that_is_missing(tmp_path):
    touch(tmp_path, "train/a.jpg", "trainannot/other.png")
    _, pairs = find_pairs(tmp_path)
    assert pairs["train"][0].labels == tmp_path / "trainannot" / "a.png"


def test_one_pair_alone_is_to_judge_by_and_never_learned_from_as_well(tmp_path):
    touch(tmp_path, "images/a.png", "labels/a.png")
    _, pairs = find_pairs(tmp_path)
    assert stems(pairs["train"]) == []
    assert stems(pairs["val"]) == ["a"]


@pytest.mark.parametrize("names", [(), ("photos/a.png",), ("images/readme.txt", "labels/a.png")])
def test_what_has_no_layout_or_no_images_is_refused(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(InputError, match=r"laid out|no images"):
        find_pairs(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        find_pairs(tmp_path / "nowhere")
