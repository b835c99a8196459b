"""Builds an export and compares it, bit by bit, with the readable definition: here, and on an emulated Cortex-M4F."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from salticid.engine.c_report import BoardCheck, HostCheck
from salticid.engine.c_text import named, template
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
CORTEX_M4F = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
BOARD_FLAGS = (*CORTEX_M4F, "-O2")
# The check itself starts a processor and speaks to the emulator, which is beyond C99.
BOARD_PROGRAM_FLAGS = (*CORTEX_M4F, "-O1", "-std=gnu99", "-ffreestanding")
ARM = "arm-none-eabi-"
BUILD_SECONDS, RUN_SECONDS = 120, 300

PACKAGES = {
    f"{ARM}gcc": "gcc-arm-none-eabi",
    f"{ARM}size": "binutils-arm-none-eabi",
    f"{ARM}nm": "binutils-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}
QEMU = (
    *("qemu-system-arm", "-M", "netduinoplus2", "-nographic", "-monitor", "none", "-serial", "none"),
    *("-semihosting-config", "enable=on,target=native", "-icount", "shift=0"),
)


def verify_on_host(folder: Path, prefix: str, check: str) -> HostCheck:
    """Build the export in `folder` with the compiler of this machine, and run the program `check` against it.

    Raises
    ------
    MissingError
        There is no C compiler.
    IntegrityError
        The compiler complains, or a bit is different.
    """
    compiler = _host_compiler()
    _write(folder, prefix, check, "check_host.c")
    sources = [f"{prefix}.c", "check.c", "check_host.c"]
    _tool([compiler, *STRICT, "-O2", *sources, "-o", "check"], folder)
    _check_header(folder, prefix)
    said = _run([str(folder / "check")], folder)
    sanitized = _can_sanitize(compiler, folder)
    if sanitized:
        _tool([compiler, *STRICT, *SANITIZE, *sources, "-o", "check_sanitized"], folder)
        _run([str(folder / "check_sanitized")], folder)
    return HostCheck(_version(compiler, folder), said["checked"], sanitized)


def verify_on_board(folder: Path, prefix: str, check: str) -> BoardCheck:
    """Build the export in `folder` for a Cortex-M4F, run the program `check` against it in QEMU, and measure.

    Raises
    ------
    MissingError
        A compiler for ARM or QEMU is not installed; the message names the packages.
    IntegrityError
        The compiler complains, or a bit is different.
    """
    require_board_tools()
    _write(folder, prefix, check, "check_board.c", "check_board.ld")
    compiler = f"{ARM}gcc"
    measured, tested = f"{prefix}_measured.o", f"{prefix}.o"
    own = [compiler, *BOARD_FLAGS, *STRICT, "-c", f"{prefix}.c"]
    _tool([*own, f"-D{prefix.upper()}_NO_SELFTEST", "-o", measured], folder)
    flash_bytes = _flash_bytes(folder, measured)
    _tool([*own, "-o", tested], folder)
    link = ["-nostdlib", "-T", "check_board.ld", "check.c", "check_board.c", tested, "-lgcc", "-o", "check.elf"]
    _tool([compiler, *BOARD_PROGRAM_FLAGS, *link], folder)
    said = _run([*QEMU, "-kernel", "check.elf"], folder)
    return BoardCheck(
        compiler=_version(compiler, folder),
        flags=" ".join(BOARD_FLAGS),
        checked=said["checked"],
        instructions=said["instructions"],
        most_instructions=said["most"],
        flash_bytes=flash_bytes,
        stack_bytes=said["stack"],
    )


def require_board_tools() -> None:
    """Raise `MissingError` with the line that installs them unless the tools for the board are here."""
    missing = [tool for tool in PACKAGES if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[tool] for tool in missing}))
        raise MissingError(
            f"{' and '.join(missing)} not found: on Debian and Ubuntu, apt-get install {packages}; "
            "or verify with the compiler of this machine, --verify host (verify='host')"
        )


def _host_compiler() -> str:
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return name
    raise MissingError("there is no C compiler (cc, gcc or clang): on Debian and Ubuntu, apt-get install gcc")


def _write(folder: Path, prefix: str, check: str, *templates: str) -> None:
    """Put the program beside the export."""
    (folder / "check.c").write_text(named(check.replace('"net.h"', f'"{prefix}.h"'), prefix), encoding="utf-8")
    for name in ("check.h", *templates):
        (folder / name).write_text(template(name), encoding="utf-8")


def _check_header(folder: Path, prefix: str) -> None:
    """Build the header alone as C++, where there is a compiler for that."""
    compiler = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    if compiler is None:
        return
    (folder / "header.cpp").write_text(f'#include "{prefix}.h"\n', encoding="utf-8")
    _tool([compiler, "-std=c++98", *STRICT[1:], "-fsyntax-only", "header.cpp"], folder)


def _can_sanitize(compiler: str, folder: Path) -> bool:
    """Say whether the compiler has the sanitizers, and programs built with them run here."""
    (folder / "empty.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    built = _call([compiler, *SANITIZE, "empty.c", "-o", "empty"], folder, BUILD_SECONDS)
    return built.returncode == 0 and _call([str(folder / "empty")], folder, RUN_SECONDS).returncode == 0


def _tool(command: Sequence[str], folder: Path) -> str:
    """Return what a compiler or one of its tools says."""
    done = _call(command, folder, BUILD_SECONDS)
    if "will not fit in region" in done.stderr:
        raise InputError(
            "the network and its check do not fit an STM32F405 (1 MB of flash, 112 KB of RAM): verify here"
        )
    if done.returncode != 0:
        raise IntegrityError(f"{' '.join(command)} failed: {done.stderr.strip()[:2000]}")
    return done.stdout


def _run(command: Sequence[str], folder: Path) -> dict[str, int]:
    """Return the numbers that the check says; raise `IntegrityError` unless all was right."""
    done = _call(command, folder, RUN_SECONDS)
    said = done.stdout + done.stderr  # semihosting writes to standard error
    values = {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", said, re.MULTILINE)}
    if done.returncode != 0 or values.get("wrong") != 0:
        raise IntegrityError(f"the exported C is wrong on {command[0]}: {said.strip()[:2000]}")
    return values


def _call(command: Sequence[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as problem:
        raise ResourceError(f"{command[0]} took more than {seconds:g} s") from problem
    except OSError as problem:
        raise MissingError(f"{command[0]} cannot be run: {problem.strerror or problem}") from problem


def _version(compiler: str, folder: Path) -> str:
    return _tool([compiler, "--version"], folder).splitlines()[0]


def _flash_bytes(folder: Path, name: str) -> int:
    """Return the bytes of code and constants; beside the stack it takes no memory, and it needs no library."""
    code, data, zeros = (int(word) for word in _tool([f"{ARM}size", name], folder).splitlines()[1].split()[:3])
    if data or zeros:
        raise IntegrityError(f"the exported C takes {data + zeros} bytes of static memory")
    missing = _tool([f"{ARM}nm", "--undefined-only", name], folder).split()
    if missing:
        raise IntegrityError(f"the exported C needs a library: {' '.join(missing)}")
    return code
