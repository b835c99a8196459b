"""Our own file of keypoints keeps every bit, and a damaged one is an input error, never a crash or a trap."""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keypoint_cases import any_keypoints, assert_same, walking

from salticid.errors import InputError
from salticid.motion.files.read import read_keypoints, write_npz


def archive(**changes):
    """Return a file whose members are changed, or left out where they are None."""
    members = {
        "salticid_keypoints": np.array(1),
        "times_s": np.arange(3.0),
        "positions": np.zeros((3, 1, 2), np.float32),
        "scores": np.ones((3, 1), np.float32),
        "names": np.array(["nose"]),
    } | changes
    file = io.BytesIO()
    np.savez(file, **{name: value for name, value in members.items() if value is not None})
    return file.getvalue()


@settings(deadline=None)
@given(any_keypoints())
def test_every_bit_comes_back(tmp_path_factory, keypoints):
    path = tmp_path_factory.mktemp("npz") / "clip.npz"
    write_npz(path, keypoints)
    assert_same(read_keypoints(path), keypoints)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_file_is_an_input_error_or_still_holds_keypoints(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "clip.npz"
    write_npz(path, walking(4, joints=3))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with suppress(InputError):
        assert len(read_keypoints(path)) > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scores": None}, "scores is missing"),
        ({"salticid_keypoints": None}, "holds no keypoints"),
        ({"salticid_keypoints": np.array(2)}, r"version \[2\].*reads version 1"),
        ({"scores": np.ones((3, 2), np.float32)}, "scores are"),
        ({"times_s": np.array([0.0, 2.0, 1.0])}, "rise"),
        ({"names": np.array(["nose", "nose"]), "positions": np.zeros((3, 2, 2)), "scores": np.ones((3, 2))}, "twice"),
        ({"size_px": np.array([0, 5])}, "a width and a height"),
        ({"size_px": np.array([1.5, 5])}, "a width and a height"),
        ({"size_px": np.array([1 << 40, 1 << 40])}, "a width and a height"),
        ({"times_s": np.arange(3.0)[:, None]}, "one time per frame"),
        ({"positions": np.full((3, 1, 2), np.inf, np.float32)}, "a position is infinite"),
        ({"positions": np.array([["a", "b"]])}, "could not convert"),
    ],
)
def test_what_is_not_right_is_named(tmp_path, changes, words):
    path = tmp_path / "clip.npz"
    path.write_bytes(archive(**changes))
    with pytest.raises(InputError, match=words):
        read_keypoints(path)


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "clip.npz"
    with zipfile.ZipFile(path, "w") as file:
        member = io.BytesIO()
        np.lib.format.write_array(member, np.array([{}], object), allow_pickle=True)
        file.writestr("names.npy", member.getvalue())
    with pytest.raises(InputError, match="damaged"):
        read_keypoints(path)


def test_a_head_that_promises_more_than_there_is_asks_for_no_memory(tmp_path):
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 33, 2)})
    path = tmp_path / "clip.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("positions.npy", member.getvalue() + b"few")
    with pytest.raises(InputError, match="does not fit its bytes"):
        read_keypoints(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "clip.npz"
    write_npz(path, walking(50))
    monkeypatch.setattr("salticid.motion.files.npz_file.MAX_NUMBERS_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to more than 1,000 bytes"):
        read_keypoints(path)


def test_another_zip_is_said_to_hold_no_keypoints(tmp_path):
    path = tmp_path / "mocap.npz"
    np.savez(path, P=np.zeros((3, 22, 3)))
    with pytest.raises(InputError, match="holds no keypoints of salticid"):
        read_keypoints(path)


def test_an_existing_file_is_kept_on_request(tmp_path):
    path = tmp_path / "clip.npz"
    write_npz(path, walking())
    with pytest.raises(InputError, match="exists"):
        write_npz(path, walking(), overwrite=False)


@pytest.mark.parametrize(
    "head",
    [
        "{'descr': '<f4', 'shape': (3,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -6)}",
        "{'descr': '|V0', 'fortran_order': False, 'shape': (6,)}",
        "[]",
        "(" * 5000,
    ],
)
def test_an_array_whose_head_is_nonsense_is_damage(tmp_path, head):
    path = tmp_path / "clip.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("positions.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + bytes(24))
    with pytest.raises(InputError, match=r"clip\.npz is damaged"):
        read_keypoints(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_told_whatever_the_archive_is_packed_with(tmp_path, packing):
    path = tmp_path / "clip.npz"
    with zipfile.ZipFile(path, "w", packing) as file:
        file.writestr("positions.npy", bytes(range(256)) * 20)
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"clip\.npz is damaged"):
        read_keypoints(path)
