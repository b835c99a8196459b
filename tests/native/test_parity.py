"""The kernels of every instruction set give the same bits: here under the sanitizers, elsewhere emulated.

ARM is emulated by QEMU, and AVX-512, which QEMU does not know, by SIMDe in place of the intrinsics.

`parity.cpp` does the comparing; it is built from the files, and with the flags, that the package is built with.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from salticid.core import native

ROOT = Path(__file__).parents[2]
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
SIMDE = Path("/usr/include/simde/x86/avx512.h")
ARM_COMPILER, ARM_EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64-static"
RUN_SECONDS = 300  # of threads that wait for each other

# Memory that is new holds no zeros, so that reading it before it is written is not without effect.
SANITIZERS = {"ASAN_OPTIONS": f"max_malloc_fill_size={1 << 30}", "UBSAN_OPTIONS": "print_stacktrace=1"}


def require(*tools):
    missing = [tool for tool in tools if shutil.which(tool, path=TOOLS) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")


def build(folder, *definitions):
    """Build the program in `folder`."""
    require("cmake", "ninja")
    cmake = shutil.which("cmake", path=TOOLS)
    configure = [cmake, "-G", "Ninja", "-S", ROOT / "native", "-B", folder, "-DSKBUILD_PROJECT_NAME=salticid"]
    configure += ["-DSALTICID_PARITY=ON", *(f"-D{definition}" for definition in definitions)]
    for command in (configure, [cmake, "--build", folder]):
        done = subprocess.run(command, env=os.environ | {"PATH": TOOLS}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "parity"


def run(*command):
    """Run the program and return what it says that it compared."""
    done = subprocess.run(
        command, env=os.environ | SANITIZERS, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def program_here(tmp_path_factory):
    if not any(shutil.which(compiler, path=TOOLS) for compiler in ("c++", "g++", "clang++")):
        pytest.skip("there is no C++ compiler")
    return build(tmp_path_factory.mktemp("here"), "SALTICID_SANITIZE=ON", "CMAKE_CXX_FLAGS=-Og")


@pytest.fixture(scope="module")
def compared_here(program_here):
    return run(program_here)


@pytest.fixture(scope="module")
def compared_by_simde(tmp_path_factory):
    if platform.machine() not in ("x86_64", "AMD64") or not SIMDE.is_file():
        pytest.skip("needs SIMDe (libsimde-dev), on x86-64")
    definitions = ("SALTICID_EMULATE_AVX512=ON", "CMAKE_BUILD_TYPE=Release")
    return run(build(tmp_path_factory.mktemp("simde"), *definitions))


@pytest.fixture(scope="module")
def compared_on_arm(tmp_path_factory):
    require(ARM_COMPILER, ARM_EMULATOR)
    target = ("CMAKE_SYSTEM_NAME=Linux", "CMAKE_SYSTEM_PROCESSOR=aarch64", f"CMAKE_CXX_COMPILER={ARM_COMPILER}")
    program = build(
        tmp_path_factory.mktemp("arm"), *target, "CMAKE_EXE_LINKER_FLAGS=-static", "CMAKE_BUILD_TYPE=Release"
    )
    return run(ARM_EMULATOR, program)


@pytest.mark.slow
def test_the_program_is_built_with_the_sanitizers(program_here):
    symbols = program_here.read_bytes()
    assert b"__asan_report" in symbols
    assert b"__ubsan_handle" in symbols


@pytest.mark.slow
def test_every_instruction_set_of_this_cpu_gives_the_same_bits_and_no_sanitizer_minds(compared_here):
    sets = compared_here["instruction_sets"].split()
    assert tuple(sets) == native.instruction_sets()
    assert int(compared_here["images"]) >= 100 * len(sets)
    assert int(compared_here["maps"]) >= 100 * len(sets)
    assert int(compared_here["patches"]) >= 90 * len(sets)
    assert int(compared_here["refinements"]) >= 90 * len(sets)
    assert int(compared_here["label_maps"]) >= 150 * len(sets)
    assert int(compared_here["enlarged"]) >= 100 * len(sets)
    assert int(compared_here["matches"]) >= 500 * len(sets)


@pytest.mark.slow
def test_avx512_gives_the_same_bits_also_where_the_cpu_lacks_it(compared_by_simde, compared_here):
    assert "avx512" in compared_by_simde["instruction_sets"].split()
    assert compared_by_simde["digest"] == compared_here["digest"]


@pytest.mark.slow
def test_neon_gives_the_same_bits(compared_on_arm):
    assert compared_on_arm["instruction_sets"] == "neon scalar"
    assert int(compared_on_arm["matches"]) >= 500 * 2


@pytest.mark.slow
def test_results_are_the_same_on_arm_and_here(compared_here, compared_on_arm):
    assert compared_on_arm["digest"] == compared_here["digest"]
