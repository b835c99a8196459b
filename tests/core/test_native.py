"""Whether the kernels are here, what runs them, and that they refuse what could hurt."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from salticid.core import native
from salticid.errors import InputError, MissingError

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())

CPU_FLAGS = Path("/proc/cpuinfo")


@pytest.fixture
def importing(monkeypatch):
    """Let the import of the kernels raise an error of choice, once what was found before is forgotten."""

    def fail_with(error):
        def import_module(name):
            raise error

        monkeypatch.setattr(importlib, "import_module", import_module)
        native._attempt.cache_clear()

    yield fail_with
    native._attempt.cache_clear()


def test_asking_imports_neither_numpy_nor_opencv():
    program = (
        "import sys; from salticid.core import native; native.reason(), native.instruction_sets();"
        "print(sorted({'numpy', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_there_is_a_reason_exactly_when_there_are_no_kernels():
    assert (native.reason() == "") == (native.load() is not None) == bool(native.instruction_sets())


@needs_kernels
def test_instruction_sets_come_best_first_and_end_with_scalar():
    usable = native.instruction_sets()
    assert usable == tuple(name for name in native.INSTRUCTION_SETS if name in usable)
    assert usable[-1] == "scalar"
    assert native.choose() == usable[0]
    assert [native.choose(name) for name in usable] == list(usable)


@needs_kernels
@pytest.mark.skipif(not CPU_FLAGS.exists(), reason="needs Linux: reads /proc/cpuinfo")
def test_instruction_sets_are_those_that_the_operating_system_reports():
    flags = set(CPU_FLAGS.read_text().split())
    ice_lake = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vbmi", "avx512_bitalg"}
    needed = {"avx512": ice_lake, "avx2": {"avx2"}, "neon": {"asimd"}, "scalar": set()}
    assert native.instruction_sets() == tuple(name for name in native.INSTRUCTION_SETS if needed[name] <= flags)


@pytest.mark.parametrize("name", ["sse2", "AVX2", "", 2])
def test_an_instruction_set_that_no_kernel_is_written_for_is_refused(name):
    with pytest.raises(InputError, match="avx512, avx2, neon, scalar"):
        native.choose(name)


def test_an_instruction_set_that_this_cpu_lacks_is_missing_and_the_others_are_named(monkeypatch):
    module = SimpleNamespace(instruction_sets=lambda: ("avx2", "scalar"))
    monkeypatch.setattr(native, "_attempt", lambda: (module, ""))
    assert native.choose() == "avx2"
    with pytest.raises(MissingError, match="'avx512' cannot be used: this CPU runs avx2, scalar"):
        native.choose("avx512")


def test_a_build_without_kernels_says_to_install_a_compiler(importing):
    importing(ModuleNotFoundError("No module named 'salticid._native'"))
    assert native.load() is None
    assert native.instruction_sets() == ()
    assert native.choose() is None
    assert "install a C++ compiler" in native.reason()
    with pytest.raises(MissingError, match=r"install a C\+\+ compiler"):
        native.choose("scalar")


def test_kernels_that_do_not_load_say_why(importing):
    importing(ImportError("undefined symbol: _Zfoo"))
    assert native.load() is None
    assert "undefined symbol: _Zfoo" in native.reason()


@needs_kernels
def test_the_stub_names_what_the_module_has():
    stub = ast.parse((Path(native.__file__).parents[1] / "_native.pyi").read_text())
    described = {node.name for node in stub.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert described == {name for name in dir(native.load()) if not name.startswith("_")}


GRAY = np.arange(24, dtype=np.uint8).reshape(4, 6)
CODES = np.zeros((4, 6), np.uint64)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@needs_kernels
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((GRAY[:0], CODES[:0], "9x7", 1, "scalar"), ValueError),
        ((GRAY[:, ::2], CODES[:, :3].copy(), "9x7", 1, "scalar"), ValueError),
        ((GRAY, CODES[:3], "9x7", 1, "scalar"), ValueError),
        ((GRAY, CODES, "7x7", 1, "scalar"), ValueError),
        ((GRAY, CODES, "9x7", 1, "mmx"), ValueError),
        ((GRAY, CODES, "9x7", -1, "scalar"), TypeError),
        ((GRAY.astype(np.int16), CODES, "9x7", 1, "scalar"), TypeError),
        ((GRAY[0], CODES, "9x7", 1, "scalar"), TypeError),
        ((GRAY, CODES.astype(np.int64), "9x7", 1, "scalar"), TypeError),
        ((GRAY, CODES[:, ::-1], "9x7", 1, "scalar"), TypeError),
        ((GRAY, read_only(CODES), "9x7", 1, "scalar"), TypeError),
        ((None, CODES, "9x7", 1, "scalar"), TypeError),
    ],
)
def test_the_kernel_itself_refuses_arguments_that_do_not_fit(arguments, error):
    with pytest.raises(error):
        native.load().census(*arguments)
    assert not CODES.any()
