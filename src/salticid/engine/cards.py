"""The card of a model: what it is for, where its file comes from, what it was trained on, how good it is.

One TOML file per model in `salticid/cards/`. Reading is strict: a key that is unknown, missing or of the wrong type is
an error that names file and key, so that no card is quietly incomplete.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
import re
import tomllib
import typing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from salticid.errors import InputError

CARDS = Path(__file__).parent.parent / "cards"

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
TASKS = ("stereo", "motion", "segment", "upscale")


@dataclass(frozen=True, slots=True)
class Training:
    """What the weights were learned from."""

    data: str
    license: str  # of the data


@dataclass(frozen=True, slots=True)
class Contract:
    """What goes in and what comes out: names, shapes, types, ranges and layout, in words."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One number and the command that measures it again."""

    name: str  # with its unit and the conditions
    value: float
    command: str


@dataclass(frozen=True, slots=True)
class PackageFile:
    """The file lies beside its card in the installed package."""

    KIND: ClassVar[str] = "package"


@dataclass(frozen=True, slots=True)
class WheelMember:
    """The file is a member of a wheel that is published for pip."""

    KIND: ClassVar[str] = "wheel"
    wheel: str  # file name of the wheel; it says name, version and platform
    member: str


@dataclass(frozen=True, slots=True)
class NpmMember:
    """The file is a member of an npm package."""

    KIND: ClassVar[str] = "npm"
    package: str  # name@version
    member: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """The file lies in a repository of the Hugging Face hub."""

    KIND: ClassVar[str] = "hub"
    repository: str
    revision: str  # 40 digits: a branch can move
    member: str


Source = PackageFile | WheelMember | NpmMember | HubFile
SOURCES = {kind.KIND: kind for kind in typing.get_args(Source)}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """All that is known about one model file."""

    name: str
    task: str
    file: str
    sha256: str
    bytes: int
    license: str  # of the weights
    training: Training
    contract: Contract
    metric: Metric
    source: Source

    def __post_init__(self) -> None:
        for key, valid in {
            "name": NAME.fullmatch(self.name),
            "task": self.task in TASKS,
            "file": _is_plain(self.file) and "/" not in self.file,
            "sha256": SHA256.fullmatch(self.sha256),
            "bytes": self.bytes > 0,
        }.items():
            if not valid:
                raise InputError(f"{key} = {getattr(self, key)!r} is not valid")
        member = getattr(self.source, "member", "file")
        if not _is_plain(member):
            raise InputError(f"source.member = {member!r} is not a plain relative path")


def cards(folder: Path = CARDS) -> dict[str, ModelCard]:
    """Return every card in `folder` by name, in alphabetical order."""
    return {path.stem: read_card(path) for path in sorted(folder.glob("*.toml"))}


def card(name: str) -> ModelCard:
    """Return the card called `name`; an unknown name raises `InputError` and names the nearest ones."""
    path = CARDS / f"{name}.toml"
    if NAME.fullmatch(name) and path.is_file():
        return read_card(path)
    known = [path.stem for path in sorted(CARDS.glob("*.toml"))]
    near = difflib.get_close_matches(name, known, n=3) or known
    raise InputError(f"there is no model {name!r}: did you mean {', '.join(near)}?")


def family(name: str) -> list[ModelCard]:
    """Return the card called `name`, or all whose names begin with it: `blazepose` means `blazepose-detector`, ..."""
    members = [one for one in cards().values() if one.name.startswith(f"{name}-")]
    return members if members and not (CARDS / f"{name}.toml").is_file() else [card(name)]


def read_card(path: str | os.PathLike[str]) -> ModelCard:
    """Read one TOML card.

    Raises
    ------
    InputError
        The file is no TOML, or a key is unknown, missing or not valid; the message names file and key.
    """
    file = Path(path)
    try:
        written = file.stat()
        return _read(file, (written.st_mtime_ns, written.st_size))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, InputError) as error:
        raise InputError(f"{file}: {error}") from error


@functools.lru_cache(maxsize=256)  # a network is looked up several times for every image
def _read(file: Path, _state: tuple[int, int]) -> ModelCard:
    """Read a card; once more where the file is another by time or size."""
    found: ModelCard = _build(ModelCard, tomllib.loads(file.read_text(encoding="utf-8")), "")
    if found.name != file.stem:
        raise InputError(f"name = {found.name!r} must be the name of the file, {file.stem!r}")
    return found


def _build(kind: Any, table: Any, where: str) -> Any:
    """Make a `kind` from a TOML table whose keys are exactly its fields."""
    if not isinstance(table, dict):
        raise InputError(f"{where.rstrip('.')} must be a table")
    hints = _hints(kind)
    wanted = [field.name for field in dataclasses.fields(kind)]
    for key in table:
        if key not in wanted:
            raise InputError(f"unknown key {where}{key}; known are {', '.join(wanted)}")
    for key in wanted:
        if key not in table:
            raise InputError(f"the key {where}{key} is missing")
    return kind(**{key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, value: Any, where: str) -> Any:
    if hint == Source:
        return _build_source(value, where)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, f"{where}.")
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint or value == "":
        raise InputError(f"{where} = {value!r} must be of type {hint.__name__} and not empty")
    return value


def _build_source(table: Any, where: str) -> Source:
    kind = table.get("kind") if isinstance(table, dict) else None
    if kind not in SOURCES:
        raise InputError(f"{where}.kind must be one of {', '.join(SOURCES)}, not {kind!r}")
    found: Source = _build(SOURCES[kind], {key: value for key, value in table.items() if key != "kind"}, f"{where}.")
    if isinstance(found, HubFile) and not COMMIT.fullmatch(found.revision):
        raise InputError(f"{where}.revision = {found.revision!r} must be a commit of 40 digits: a branch can move")
    return found


def _is_plain(path: str) -> bool:
    """Say whether `path` stays in the folder that it is joined to."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and not set(path) & set('\\\0:*?"<>|')
