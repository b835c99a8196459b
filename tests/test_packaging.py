"""The package as it is built and installed: with a compiler, without one, and with code for several CPUs in it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest

from salticid.core import native

ROOT = Path(__file__).parents[1]
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
SUPERSETS = {"avx2": "-march=haswell", "avx512": "-march=icelake-server"}  # what the kernels of a suffix may use


def installed():
    try:
        return importlib.metadata.distribution("salticid") is not None
    except importlib.metadata.PackageNotFoundError:
        return False


def can_build():
    backend = all(importlib.util.find_spec(name) for name in ("scikit_build_core", "nanobind"))
    return backend and all(importlib.util.find_spec(name) or shutil.which(name) for name in ("cmake", "ninja"))


needs_backend = pytest.mark.skipif(
    not can_build(), reason="needs scikit-build-core, nanobind, cmake and ninja: pip install '.[dev]'"
)


@pytest.mark.skipif(not installed(), reason="salticid runs from its source folder and is not installed")
@pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler")
def test_where_there_is_a_compiler_an_install_has_the_kernels():
    assert native.load() is not None, native.reason()


@pytest.fixture(scope="module")
def wheel_without_compiler(tmp_path_factory):
    """Build the wheel where every compiler fails and none is on the PATH."""
    folder = tmp_path_factory.mktemp("wheel")
    tools = folder / "bin"
    tools.mkdir()
    for name in ("cmake", "ninja"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    compiler = tools / "no-compiler"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "-C", f"build-dir={folder / 'build'}", "-w", folder / "out", ROOT]
    environment = os.environ | {"PATH": str(tools), "CC": str(compiler), "CXX": str(compiler)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (folder / "out").iterdir()
    return wheel


@pytest.mark.slow
@needs_backend
def test_without_a_compiler_the_wheel_fits_every_machine_and_holds_no_compiled_file(wheel_without_compiler):
    names = zipfile.ZipFile(wheel_without_compiler).namelist()
    assert wheel_without_compiler.name.endswith("-py3-none-any.whl")
    assert "salticid/stereo/census.py" in names
    assert [name for name in names if name.endswith((".so", ".pyd", ".dylib"))] == []


@pytest.mark.slow
@needs_backend
def test_without_a_compiler_the_wheel_works_and_says_what_it_lacks(wheel_without_compiler):
    # -S: no site, and so no hook of an editable install that would find the source folder first.
    program = f"""
import sys
sys.path[:0] = [{str(wheel_without_compiler)!r}]
sys.path += [{str(Path(numpy.__file__).parents[1])!r}]
import numpy, salticid
from salticid.core import native
from salticid.stereo.census import census
assert ".whl" in salticid.__file__, salticid.__file__
assert native.load() is None
print(native.reason())
print(census(numpy.array([[1, 5, 3]], numpy.uint8), "5x5").tolist())
"""
    reason, codes = subprocess.check_output([sys.executable, "-S", "-c", program], text=True).splitlines()
    assert "install a C++ compiler" in reason
    assert codes == str([[0, 0b11011_11011_1111_11011_11011, 0b10000_10000_1000_10000_10000]])


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None or shutil.which("nm") is None, reason="needs a C++ compiler and nm")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the files are for x86-64")
@pytest.mark.parametrize("source", sorted(ROOT.glob("native/*_avx*.cpp")), ids=lambda source: source.name)
def test_no_function_built_for_one_cpu_can_replace_its_namesake_built_for_all(source, tmp_path):
    # The linker keeps one copy of an inline function; where that copy is the AVX-512 one, older machines crash.
    # Without optimization, each function that the file could ever emit is there.
    object_file = tmp_path / "kernel.o"
    flags = ["-std=c++17", "-O0", SUPERSETS[source.stem.rpartition("_")[2]]]
    subprocess.run([COMPILER, *flags, "-c", source, "-o", object_file], check=True, capture_output=True)
    listing = subprocess.check_output(["nm", "--defined-only", "--extern-only", "--demangle", object_file], text=True)
    symbols = [line.split(maxsplit=2)[1:] for line in listing.splitlines()]
    assert symbols, "the file defines nothing"
    assert [symbol for kind, symbol in symbols if kind in "uvwVW"] == []
    assert [symbol for _, symbol in symbols if symbol != f"salticid::{source.stem}"] == []
