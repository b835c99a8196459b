"""A reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import pytest

from salticid.core.atomic import make_folder, replacing, write_bytes
from salticid.errors import InputError, ResourceError


def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half():
        with replacing(target) as part:
            part.write_text("half")
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError, match="power"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_new_content_appears_at_the_end_only(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as part:
        part.write_text("new")
        assert part.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_gets_the_permissions_that_any_new_file_gets(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("x")
    write_bytes(tmp_path / "ours", b"x")
    assert (tmp_path / "ours").stat().st_mode == plain.stat().st_mode


def test_what_cannot_be_written_is_an_input_error_that_says_why(tmp_path):
    (tmp_path / "there").write_text("x")
    with pytest.raises(InputError, match="does not exist; make it first"):
        write_bytes(tmp_path / "no" / "a", b"")
    with pytest.raises(InputError, match="it is a folder"):
        write_bytes(tmp_path, b"")
    with pytest.raises(InputError, match="say --overwrite"):
        write_bytes(tmp_path / "there", b"", overwrite=False)
    assert (tmp_path / "there").read_text() == "x"


def test_a_full_disk_is_a_resource_error_and_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("salticid.core.atomic.os.fsync", full)
    with pytest.raises(ResourceError, match="the disk is full"):
        write_bytes(target, b"new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_where_nothing_can_be_made_is_an_input_error():
    with pytest.raises(InputError, match="cannot write"):
        write_bytes("/proc/salticid.txt", b"")
    with pytest.raises(InputError, match="cannot write"):
        make_folder("/proc/salticid/x")


def test_a_link_to_nowhere_counts_as_a_file_that_exists(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="exists"):
        write_bytes(tmp_path / "link", b"", overwrite=False)
