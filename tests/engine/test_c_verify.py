"""Exports that are built and run: here, and on an emulated microcontroller. No bit is different, or it is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from small_networks import dense_network, image_network, plain_patch_network, refinement_network

from salticid.engine import c_export, c_verify
from salticid.engine.c_check import check_text
from salticid.engine.c_export import export_c
from salticid.engine.integer import IntegerNetwork
from salticid.engine.patches import PatchNetwork, Tap
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

NO_COMPILER = not any(shutil.which(name) for name in ("cc", "gcc", "clang"))
NO_BOARD = [tool for tool in c_verify.PACKAGES if shutil.which(tool) is None]
needs_compiler = pytest.mark.skipif(NO_COMPILER, reason="there is no C compiler")
needs_board = pytest.mark.skipif(bool(NO_BOARD), reason=f"not installed: {', '.join(NO_BOARD)}")


def scattered_network():
    """Return a network of patches whose taps lie on one side, far away, and share few groups."""
    taps = [Tap(k % 2, 9 - k, 3 * k, k % 3 - 1 if k % 3 else None, k) for k in range(7)]
    return PatchNetwork(("left", "right"), tuple(taps), dense_network([7, 5, 9, 3]))


def single_layer():
    return dense_network([13, 5])


def convolutions_alone():
    return image_network(ends_with_dense=False)


ALL = [refinement_network, plain_patch_network, scattered_network, single_layer, image_network, convolutions_alone]


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("weights", ["int8", "int16"])
@pytest.mark.parametrize("network", ALL)
def test_an_export_built_here_gives_the_same_bits(tmp_path, network, weights):
    report = export_c(network(), tmp_path, weights=weights, verify="host")
    assert report.host.checked >= 2_000
    assert report.board is None


@needs_board
@pytest.mark.slow
@pytest.mark.parametrize("weights", ["int8", "int16"])
@pytest.mark.parametrize("network", [network for network in ALL if network is not refinement_network])
def test_an_export_on_a_cortex_m4_gives_the_same_bits(tmp_path, network, weights):
    report = export_c(network(), tmp_path, weights=weights, verify="qemu")
    board = report.board
    assert board.checked >= 2_000
    assert report.number_bytes < board.flash_bytes
    assert 0 < board.instructions <= board.most_instructions
    assert str(board.instructions) in (tmp_path / "refine.h").read_text()


@needs_board
@pytest.mark.slow
@pytest.mark.parametrize(("weights", "most_flash", "most_instructions"), [("int8", 4096, 5000), ("int16", 8192, 4000)])
def test_the_refinement_network_fits_four_kilobytes_and_five_thousand_instructions(
    tmp_path, weights, most_flash, most_instructions
):
    board = export_c(refinement_network(), tmp_path, weights=weights, verify="qemu").board
    assert board.checked >= 2_000
    assert board.flash_bytes <= most_flash
    assert board.most_instructions <= most_instructions  # at the border too
    assert 0 < board.stack_bytes <= 512


@needs_board
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"])
@pytest.mark.parametrize("optimize", ["-O0", "-Os", "-O3"])
def test_an_export_builds_for_every_core_and_calls_no_library(tmp_path, core, optimize):
    for network in (refinement_network, image_network):
        export_c(network(), tmp_path, overwrite=True)
        command = ["arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", optimize, *c_verify.STRICT, "-c", "refine.c"]
        subprocess.run([*command, "-o", "refine.o"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
        missing = ["arm-none-eabi-nm", "--undefined-only", "refine.o"]
        assert subprocess.check_output(missing, cwd=tmp_path, text=True, timeout=60) == ""


def tampered(folder, network, old, new):
    """Export into `folder`, change the source, and return the program that checks it."""
    export_c(network, folder)
    source = folder / "refine.c"
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new, 1))
    return check_text(network)


WRONG = [
    ("value > 127 ? 127 : value", "value > 126 ? 126 : value", "image: picture"),  # only the portable arithmetic
    ("net_within(x + tap->dx", "net_within(x - tap->dx", "image: picture"),
    ("mask == 0 || *mask++", "mask == 0 || !*mask++", "masked: picture"),
    ("inputs[k] = (uint8_t)even[k]", "inputs[k] = (uint8_t)(even[k] / 2)", "inputs and run: picture"),
    ("net_walk(planes, 0, x, y,", "net_walk(planes, 0, x, y + 1,", "roi: picture"),
]


@needs_compiler
@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_any_mistake_in_the_source_is_found_here(tmp_path, old, new, words):
    old, new = (text.replace("net_", "refine_") for text in (old, new))
    check = tampered(tmp_path, plain_patch_network(), old, new)
    with pytest.raises(IntegrityError, match=f"(?s)the exported C is wrong .*FAIL {words} [0-9]+, output [0-9]+: "):
        c_verify.verify_on_host(tmp_path, "refine", check)


@needs_board
def test_a_mistake_in_the_source_is_found_on_the_board(tmp_path):
    check = tampered(tmp_path, plain_patch_network(), "__usat(value, 7)", "__usat(value, 6)")
    with pytest.raises(IntegrityError, match=r"(?s)wrong on qemu-system-arm: .*FAIL image: picture"):
        c_verify.verify_on_board(tmp_path, "refine", check)


@needs_compiler
@pytest.mark.parametrize("network", [plain_patch_network, single_layer])
def test_the_self_test_returns_the_number_of_the_first_vector_that_fails(tmp_path, network):
    check = tampered(tmp_path, network(), "refine_test_outputs[vector", "(vector == 2) + refine_test_outputs[vector")
    with pytest.raises(IntegrityError, match="FAIL selftest: vector 3\n"):
        c_verify.verify_on_host(tmp_path, "refine", check)


@needs_compiler
def test_a_source_that_does_not_compile_without_a_warning_is_an_integrity_error(tmp_path):
    check = tampered(tmp_path, single_layer(), "void refine_run(", "int refine_unused;\nvoid refine_run(")
    (tmp_path / "refine.c").write_text((tmp_path / "refine.c").read_text() + "static int never_used;\n")
    with pytest.raises(IntegrityError, match="never_used"):
        c_verify.verify_on_host(tmp_path, "refine", check)


@needs_board
def test_static_memory_and_libraries_are_an_integrity_error(tmp_path):
    check = tampered(tmp_path, single_layer(), "void refine_run(", "int refine_counter;\nvoid refine_run(")
    with pytest.raises(IntegrityError, match="takes 4 bytes of static memory"):
        c_verify.verify_on_board(tmp_path, "refine", check)
    check = tampered(tmp_path / "2", single_layer(), "void refine_run(", "void f(void);\nvoid refine_run(")
    source = tmp_path / "2" / "refine.c"
    source.write_text(source.read_text().replace("*const even = scratch;", "*const even = scratch;\n    f();", 1))
    with pytest.raises(IntegrityError, match="needs a library: U f"):
        c_verify.verify_on_board(tmp_path / "2", "refine", check)


def test_nothing_is_written_when_the_check_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise IntegrityError("a bit is different")

    monkeypatch.setattr(c_verify, "verify_on_host", fail)
    with pytest.raises(IntegrityError, match="a bit is different"):
        export_c(single_layer(), tmp_path / "new", verify="host")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        ("host", "there is no C compiler .* apt-get install gcc"),
        ("qemu", "apt-get install binutils.* qemu-system-arm;"),
    ],
)
def test_missing_tools_are_named_with_the_packages_that_bring_them(tmp_path, monkeypatch, verify, words):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingError, match=words):
        export_c(single_layer(), tmp_path, verify=verify)
    assert list(tmp_path.iterdir()) == []


@needs_board
def test_a_network_that_is_too_large_for_the_board_is_said_to_be(tmp_path, monkeypatch):
    network = single_layer()
    large = replace(network, layers=(replace(network.layers[0]),))
    monkeypatch.setattr(c_export, "check_text", lambda network: check_text(network) + "char large[200000];\n")
    with pytest.raises(InputError, match="do not fit an STM32F405"):
        export_c(IntegerNetwork(large.layers, (13,), 1.0, 0), tmp_path, verify="qemu")


def test_a_program_that_never_ends_is_stopped(tmp_path):
    with pytest.raises(ResourceError, match=r"took more than 0\.2 s"):
        c_verify._call([sys.executable, "-c", "while True: pass"], tmp_path, 0.2)
