"""Every reader says the same clear word about a file that is not there, not readable or something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from salticid.core.files import looks_like, read_bytes, read_head
from salticid.errors import InputError

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def test_bytes_of_a_file_come_with_the_name_that_messages_use(tmp_path):
    path = tmp_path / "left.png"
    path.write_bytes(b"abc")
    assert read_bytes(path, max_bytes=3) == (b"abc", str(path))
    assert read_bytes(str(path), max_bytes=3) == (b"abc", str(path))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_may_be_given_in_place_of_a_path(kind):
    assert read_bytes(kind(b"abc"), max_bytes=3) == (b"abc", "the data given (3 bytes)")


@pytest.mark.parametrize("read", [lambda path: read_bytes(path, max_bytes=100), read_head])
class TestUnreadable:
    def test_a_missing_file_is_named(self, read, tmp_path):
        with pytest.raises(InputError, match=r"lost\.png.*does not exist"):
            read(tmp_path / "lost.png")

    def test_a_folder_is_not_a_file(self, read, tmp_path):
        with pytest.raises(InputError, match="is a folder"):
            read(tmp_path)

    def test_an_empty_file_is_named(self, read, tmp_path):
        (tmp_path / "a.png").touch()
        with pytest.raises(InputError, match=r"a\.png is empty"):
            read(tmp_path / "a.png")

    def test_a_pipe_is_refused_and_does_not_wait_for_a_writer(self, read, tmp_path):
        os.mkfifo(tmp_path / "a.png")
        with pytest.raises(InputError, match="not a regular file"):
            read(tmp_path / "a.png")

    def test_a_device_without_end_is_refused(self, read):
        with pytest.raises(InputError, match="not a regular file"):
            read("/dev/zero")

    def test_a_path_that_no_system_can_have_is_an_input_error(self, read):
        with pytest.raises(InputError, match="cannot read"):
            read("a\0b.png")
        with pytest.raises(InputError, match="cannot read"):
            read("a" * 5000 + ".png")

    def test_a_git_lfs_pointer_says_how_to_get_the_file(self, read, tmp_path):
        (tmp_path / "a.png").write_bytes(LFS_POINTER)
        with pytest.raises(InputError, match=r"a\.png is a pointer.*git lfs pull"):
            read(tmp_path / "a.png")

    def test_a_file_without_permission_is_named(self, read, tmp_path, monkeypatch):
        path = tmp_path / "secret.png"
        path.write_bytes(b"abc")

        def refuse(*_args, **_keywords):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match=r"secret\.png.*no permission"):
            read(path)


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse terabyte
    with pytest.raises(InputError, match=r"1,099,511,627,776 bytes, more than the 1,000"):
        read_bytes(path, max_bytes=1000)


def test_only_the_head_of_a_long_file_is_read(tmp_path):
    path = tmp_path / "long.mp4"
    path.write_bytes(b"x" * 100_000)
    assert read_head(path) == b"x" * 4096


@pytest.mark.parametrize(
    ("data", "noun"),
    [
        (b"\x89PNG\r\n\x1a\n....", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP image"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI video"),
        (b"\0\0\0\x20ftypisom", "an MP4 video"),
        (b"\0\0\0\x20ftypavif", "an AVIF image"),
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\n <!DOCTYPE html><html>", "an HTML page"),
        (b"<svg xmlns=", "an SVG drawing"),
        (b"PK\x03\x04", "a ZIP archive (or an office document)"),
        (b"just words, \xc3\xa4", "data of an unknown kind"),
        (b"just words", "text"),
        (b"\x01\x02\x03\xfe", "data of an unknown kind"),
        (b"", "text"),
    ],
)
def test_data_is_called_by_what_its_first_bytes_say(data, noun):
    assert looks_like(data) == noun
