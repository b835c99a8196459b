"""Export a network in whole numbers as one C99 file and one header, for microcontrollers.

    report = export_c(network, "firmware/", prefix="refine", verify="qemu")
    report.board.instructions, report.board.flash_bytes

The C gives the bits of `IntegerNetwork` and `PatchNetwork`. Nothing is written unless the check that was asked for
passed.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from salticid.core import atomic
from salticid.core.plain import strict
from salticid.engine import c_verify
from salticid.engine.c_check import check_text, selftest_text
from salticid.engine.c_header import header_text
from salticid.engine.c_layout import PackedLayer, WeightKind, packed
from salticid.engine.c_network import network_text
from salticid.engine.c_patch import patch_text
from salticid.engine.c_report import CReport, describe, inner_network
from salticid.engine.c_text import named
from salticid.engine.integer import IntegerNetwork
from salticid.engine.patches import PatchNetwork
from salticid.errors import InputError

Verification = Literal["host", "qemu"]

WORDS_OF_C = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    bool catch class delete explicit export false friend mutable namespace new operator private protected public
    template this throw true try typename using virtual
"""
MOST_PLANES = 255  # their numbers are bytes, and one is kept for "no center"
MEMBERS = {"width", "height", "stride"}  # of the structure that holds the maps


def export_c(
    network: IntegerNetwork | PatchNetwork,
    folder: str | os.PathLike[str],
    *,
    prefix: str = "refine",
    weights: WeightKind = "int8",
    verify: Verification | None = None,
    overwrite: bool = False,
) -> CReport:
    """Write `PREFIX.c`, `PREFIX.h` and, for programs, `PREFIX.json` into `folder`, which is made where it is missing.

    Parameters
    ----------
    network
        What to export.
    folder
        Where to; the files appear whole or not at all.
    prefix
        The first part of all names in the C: lower case letters, digits and underscores.
    weights
        `int8`: 8 bits for a weight; `int16`: the same numbers 16 bits wide, which takes more flash and less time.
    verify
        Build the C and compare it with `network`, bit by bit, before anything is written: on this machine, or on an
        emulated Cortex-M4F, whose figures then stand in the header and the report.
    overwrite
        Replace files that exist.

    Raises
    ------
    InputError
        The prefix or a map's name is no name in C, or a file exists.
    MissingError
        A tool that `verify` needs is not installed.
    IntegrityError
        The check found a bit that is different.
    """
    _check_choice("weights", weights, get_args(WeightKind))
    _check_choice("verify", verify, (None, *get_args(Verification)))
    _check_names(network, prefix)
    layers = [packed(layer, weights) for layer in inner_network(network).layers]
    report = describe(network, layers, prefix, weights)
    source = _source_text(network, layers, prefix, weights)
    targets = [Path(folder) / f"{prefix}.{suffix}" for suffix in ("c", "h", "json")]
    if Path(folder).is_dir():
        for target in targets:
            atomic.check_target(target, overwrite=overwrite)
    report = replace(_verified(network, report, source, verify), files=tuple(targets))
    atomic.make_folder(folder)
    texts = [source, named(header_text(report), prefix), json.dumps(strict(report.plain()), indent=1) + "\n"]
    with ExitStack() as stack:
        parts = [stack.enter_context(atomic.replacing(target, overwrite=overwrite)) for target in targets]
        for part, text in zip(parts, texts, strict=True):
            part.write_text(text, encoding="utf-8")
    return report


def _check_choice(name: str, value: str | None, choices: tuple[str | None, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def _check_names(network: IntegerNetwork | PatchNetwork, prefix: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prefix) or prefix in WORDS_OF_C.split():
        raise InputError(f"prefix must be lower case letters, digits and underscores, and no word of C, not {prefix!r}")
    if not isinstance(network, PatchNetwork):
        return
    reserved = {*WORDS_OF_C.split(), *MEMBERS}
    for name in network.planes:
        if not re.fullmatch(r"(?!(?i:net)_)[A-Za-z]\w*", name, re.ASCII) or name in reserved:
            raise InputError(f"the map {name!r} cannot have that name in C: rename it")
    if len(set(network.planes)) < len(network.planes):
        raise InputError(f"maps must have different names in C, not {', '.join(network.planes)}")
    if len(network.planes) > MOST_PLANES:
        raise InputError(f"at most {MOST_PLANES} maps can be exported, not {len(network.planes)}")


def _source_text(
    network: IntegerNetwork | PatchNetwork, layers: list[PackedLayer], prefix: str, weights: WeightKind
) -> str:
    body = (
        patch_text(network, layers, fast=weights == "int16")
        if isinstance(network, PatchNetwork)
        else network_text(network, layers)
    )
    return named("\n".join([f'#include "{prefix}.h"\n', body, selftest_text(network)]), prefix)


def _verified(
    network: IntegerNetwork | PatchNetwork, report: CReport, source: str, verify: Verification | None
) -> CReport:
    """Return the report with what was measured."""
    if verify is None:
        return report
    if verify == "qemu":
        c_verify.require_board_tools()
    with tempfile.TemporaryDirectory(prefix="salticid-export-") as name:
        folder = Path(name)
        (folder / f"{report.prefix}.c").write_text(source, encoding="utf-8")
        (folder / f"{report.prefix}.h").write_text(named(header_text(report), report.prefix), encoding="utf-8")
        check = check_text(network)
        if verify == "host":
            return replace(report, host=c_verify.verify_on_host(folder, report.prefix, check))
        return replace(report, board=c_verify.verify_on_board(folder, report.prefix, check))
