"""Take in a file that was given: its bytes, or a clear word on why not and what it is instead.

Every reader (images, maps, videos) starts here, so that a folder, an empty file or a PDF named `.png`
gets the same sentence from all of them.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from salticid.errors import InputError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview

# (offset, bytes, noun); the first match wins, so the particular stands before the general.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF87a", "a GIF image"),
    (0, b"GIF89a", "a GIF image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"II+\0", "a BigTIFF image"),
    (0, b"MM\0+", "a BigTIFF image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypavis", "an AVIF image"),
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftypqt", "a QuickTime video"),
    (4, b"ftyp", "an MP4 video"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC sound file"),
    (0, b"ID3", "an MP3 sound file"),
    (0, b"FLV\x01", "an FLV video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive (or an office document)"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"\x93NUMPY", "a numpy array (.npy)"),
    (0, b"ply\n", "a PLY point cloud"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance HDR image"),
    (0, b"\0\0\x01\0", "an icon (.ico)"),
    (0, b"BM", "a BMP image"),
    (0, b"PF\n", "a color PFM map"),
    (0, b"Pf\n", "a PFM map"),
    (0, b"P7\n", "a PAM image"),
)
_RIFF = {b"WEBP": "a WebP image", b"AVI ": "an AVI video", b"WAVE": "a WAV sound file"}
_POINTERS = {b"version https://git-lfs": "git lfs pull", b"/annex/objects/": "git annex get"}
_MARKUP = (
    (b"<svg", "an SVG drawing"),
    (b"<html", "an HTML page"),
    (b"<!doctype html", "an HTML page"),
    (b"<?xml", "XML"),
)
_HEAD_BYTES = 4096
_TEXT = bytes({7, 8, 9, 10, 12, 13, 27, *range(0x20, 0x7F)})


def read_bytes(source: Source, *, max_bytes: int) -> tuple[bytes, str]:
    """Return the bytes of `source` and the name by which messages call it.

    Raises
    ------
    InputError
        The file is missing, a folder, not a regular file, not readable, empty, or larger than `max_bytes`;
        or it is a Git LFS or git-annex pointer in place of the file.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        view = memoryview(source)
        name = f"the data given ({view.nbytes} bytes)"
        _check_size(view.nbytes, name, max_bytes)
        data = bytes(source)
    else:
        name = os.fspath(source)
        _check_size(_regular_file_size(source), name, max_bytes)
        data = _read(Path(source), -1)
    _refuse_pointer(data, name)
    return data, name


def read_head(path: str | os.PathLike[str]) -> bytes:
    """Return the first bytes of a file that is not read as a whole; errors are those of `read_bytes`."""
    name = os.fspath(path)
    _check_size(_regular_file_size(path), name, max_bytes=sys.maxsize)
    head = _read(Path(path), _HEAD_BYTES)
    _refuse_pointer(head, name)
    return head


def looks_like(data: bytes) -> str:
    """Name what `data` seems to be by its first bytes.

    >>> looks_like(b"%PDF-1.7 ...")
    'a PDF document'
    >>> looks_like(b"left,right")
    'text'
    """
    if data.startswith(b"RIFF") and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    for offset, signature, noun in _SIGNATURES:
        if data.startswith(signature, offset):
            return noun
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, noun in _MARKUP:
        if head.startswith(mark):
            return noun
    return "text" if not head.translate(None, _TEXT) else "data of an unknown kind"


def _regular_file_size(path: str | os.PathLike[str]) -> int:
    """Return the size of the file at `path` in bytes; anything but a regular file is an `InputError`."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {os.fspath(path)!r}: {_reason(error)}") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"cannot read {os.fspath(path)}: it is a folder; give a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"cannot read {os.fspath(path)}: it is not a regular file (a device, pipe or socket)")
    return status.st_size


def _refuse_pointer(data: bytes, name: str) -> None:
    """Raise `InputError` when `data` only says where the real file is kept."""
    for mark, command in _POINTERS.items():
        if data[:1024].startswith(mark):
            raise InputError(f"{name} is a pointer to the file, not the file itself: run '{command}' first")


def _check_size(size: int, name: str, max_bytes: int) -> None:
    if size == 0:
        raise InputError(f"{name} is empty (zero bytes): its copy or download did not finish")
    if size > max_bytes:
        raise InputError(f"{name} has {size:,} bytes, more than the {max_bytes:,} that are read: raise max_pixels")


def _read(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(f"cannot read {path}: {_reason(error)}") from error


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "no permission; check the rights of the file and its folder"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
