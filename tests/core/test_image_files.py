"""Which images a name stands for: by suffix or content, in a folder, by a pattern."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.core.image import write_image
from salticid.core.image_files import find_images
from salticid.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three images of which one is broken, and other files."""
    for name in ("b.png", "a.jpg"):
        write_image(tmp_path / name, np.zeros((4, 5, 3), np.uint8))
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "sub.png").mkdir()
    return tmp_path


def test_an_image_is_known_by_its_name_or_by_its_content(folder):
    (folder / "b.png").rename(folder / "picture")
    assert find_images(folder / "picture") == [folder / "picture"]
    assert find_images(folder / "c.png") == [folder / "c.png"]
    assert find_images(folder / "notes.txt") is None


@pytest.mark.parametrize("given", ["", "?.[jp]*"])
def test_a_folder_or_a_pattern_gives_its_images_by_name_and_no_folders(folder, given):
    assert find_images(folder / given) == [folder / name for name in ("a.jpg", "b.png", "c.png")]


def test_a_file_that_is_named_like_a_pattern_is_that_file(folder):
    (folder / "a[1].jpg").write_bytes((folder / "a.jpg").read_bytes())
    assert find_images(folder / "a[1].jpg") == [folder / "a[1].jpg"]


@pytest.mark.parametrize(
    ("given", "words"),
    [("gone.mp4", "it does not exist"), ("sub.png", "holds no images"), ("*.gone", "no file is named like")],
)
def test_what_is_not_there_is_an_input_error(folder, given, words):
    with pytest.raises(InputError, match=words):
        find_images(folder / given)


def test_an_empty_name_is_not_the_current_folder():
    with pytest.raises(InputError, match="is empty"):
        find_images("")
