"""Name a result by what it was made from: the bytes of the input, the parameters and the version of the code.

Every value becomes one node of a hash tree, `blake3(tag, payload)`: the tag names the type, and the payload of a
container is the digests of its parts, all 32 bytes long. So `1`, `1.0`, `True`, `"1"`, `[1]` and `(1,)` have six
different keys, and so have arrays that differ in shape or dtype alone.
"""

from __future__ import annotations

import dataclasses
import enum
import io
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3

from salticid.core.types import Array
from salticid.errors import InputError

Content = Path | bytes | Array | Sequence[Path | bytes | Array]

_CHUNK_BYTES = 1 << 20
_NUMBER_KINDS = "biufc"  # bool, int, uint, float, complex


def cache_key(
    *,
    content: Content,
    parameters: Mapping[str, Any],
    version: str,
    digest_file: Callable[[Path], bytes] | None = None,
) -> str:
    """Return the key of the result that `version` of a step makes from `content` with `parameters`.

    Parameters
    ----------
    content
        What the step reads: a file (its bytes count, its name does not), bytes, an array of
        numbers, or a sequence of these.
    parameters
        None, bool, int, float, complex, str, bytes, arrays of numbers, enum members, and lists,
        tuples, sets, mappings and dataclasses of these.
    version
        Changes whenever the step would answer differently: name and version of the step.
    digest_file
        How to digest a file; `file_digest` by default, `ArrayCache.file_digest` remembers.

    Returns
    -------
    str
        64 lower-case hexadecimal digits. Equal input has an equal key on every machine.

    Raises
    ------
    InputError
        A value has a type that has no canonical form, or a file cannot be read.
    """
    if not isinstance(parameters, Mapping):
        raise InputError(f"parameters must be a mapping, not {type(parameters).__name__}: give {{name: value}}")
    root = _node(
        "key",
        _content_digest(content, digest_file or file_digest),
        _mapping(parameters, "parameters"),
        _digest(version, "version"),
    )
    return root.hex()


def file_digest(path: Path) -> bytes:
    """Return the blake3 digest (32 bytes) of the bytes of a regular file.

    Raises
    ------
    InputError
        The file cannot be read, or is a folder, a pipe or a device.
    """
    try:
        if not path.is_file():
            raise OSError("it is no regular file, or there is none")
        with path.open("rb", buffering=0) as file:
            return _stream_digest(file)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {str(path)!r} ({error}): give a file that is readable") from error


def _stream_digest(file: io.FileIO) -> bytes:
    hasher, buffer = blake3(), memoryview(bytearray(_CHUNK_BYTES))
    while count := file.readinto(buffer):
        hasher.update(buffer[:count])
    return hasher.digest()


def _content_digest(content: Content, digest_file: Callable[[Path], bytes]) -> bytes:
    if isinstance(content, Path):
        return _node("file", digest_file(content))
    if isinstance(content, bytes | np.ndarray):
        return _digest(content, "content")
    if isinstance(content, list | tuple):
        return _node("contents", *(_content_digest(part, digest_file) for part in content))
    raise InputError(f"content must be a Path, bytes, an array or a list of these, not {type(content).__name__}")


def _digest(value: Any, where: str) -> bytes:
    """Return the digest of `value`; `where` is its place, for the message when it has no canonical form."""
    for kinds, encode in _ENCODERS:
        if isinstance(value, kinds):
            return encode(value, where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value, where)
    raise InputError(
        f"{where} is a {type(value).__name__}, which has no canonical form for a cache key: "
        f"give numbers, text, bytes, arrays, or containers of these (a file belongs in content)"
    )


def _node(tag: str, *payload: bytes | memoryview) -> bytes:
    """Return the digest of one node; a tag holds no NUL, so that it cannot run into its payload."""
    hasher = blake3(tag.encode() + b"\0")
    for part in payload:
        hasher.update(part)
    return hasher.digest()


def _enum(value: enum.Enum, where: str) -> bytes:
    return _node("enum", _class(value), _digest(value.name, where))


def _float(value: float, where: str) -> bytes:
    return _node("float", struct.pack("<d", value if value == value else float("nan")))


def _complex(value: complex, where: str) -> bytes:
    return _node("complex", _float(value.real, where), _float(value.imag, where))


def _array(value: Any, where: str) -> bytes:
    array = np.asarray(value)
    if array.dtype.kind not in _NUMBER_KINDS or hasattr(value, "mask"):
        raise InputError(f"{where} is an array of {array.dtype} ({type(value).__name__}): give plain numbers")
    tag = "scalar" if isinstance(value, np.generic) else "array"
    shape = ",".join(map(str, array.shape))
    flat = np.asarray(array, order="C").reshape(-1).view(np.uint8)
    return _node(f"{tag} {array.dtype.str} {shape}", flat.data)


def _sequence(value: Sequence[Any], where: str) -> bytes:
    parts = (_digest(part, f"{where}[{index}]") for index, part in enumerate(value))
    return _node("tuple" if isinstance(value, tuple) else "list", *parts)


def _set(value: frozenset[Any], where: str) -> bytes:
    return _node("set", *sorted(_digest(part, f"{where}{{}}") for part in value))


def _mapping(value: Mapping[Any, Any], where: str) -> bytes:
    pairs = [(_digest(key, f"{where} key"), _digest(item, f"{where}[{key!r}]")) for key, item in value.items()]
    return _node("mapping", *(digest for pair in sorted(pairs) for digest in pair))


def _dataclass(value: Any, where: str) -> bytes:
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return _node("dataclass", _class(value), _mapping(fields, where))


def _class(value: Any) -> bytes:
    return _node("class", f"{type(value).__module__}.{type(value).__qualname__}".encode())


_Encoder = Callable[[Any, str], bytes]

# The first row that fits is taken: bool is an int, an enum member may be an int or text, np.float64 is a float.
_ENCODERS: tuple[tuple[type | tuple[type, ...], _Encoder], ...] = (
    (enum.Enum, _enum),
    ((np.ndarray, np.generic), _array),
    (type(None), lambda value, where: _node("none")),
    (bool, lambda value, where: _node("bool", bytes([value]))),
    (int, lambda value, where: _node("int", f"{value:x}".encode())),
    (float, _float),
    (complex, _complex),
    (str, lambda value, where: _node("text", value.encode("utf-8", "surrogatepass"))),
    ((bytes, bytearray), lambda value, where: _node("bytes", bytes(value))),
    ((list, tuple), _sequence),
    ((set, frozenset), _set),
    (Mapping, _mapping),
)
