"""Pieces of C text: templates with the names of a network in them, and tables of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from salticid.core.types import Array

TEMPLATES = Path(__file__).parent / "c"
LINE = 120


def template(name: str) -> str:
    """Return the text of a template, in which every name starts with `net_` or `NET_`."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def named(text: str, prefix: str) -> str:
    """Return `text` with the names of the network that is called `prefix`."""
    return re.sub(r"\bNET_", f"{prefix.upper()}_", re.sub(r"\bnet_", f"{prefix}_", text))


def table(kind: str, name: str, values: Array) -> str:
    """Return a constant array of numbers."""
    return f"static const {kind} {name}[{values.size}] = {{\n{_lines(_literals(values))}\n}};\n"


def structs(kind: str, name: str, rows: Iterable[str]) -> str:
    """Return a constant array of structures, each given by the text between its braces."""
    texts = [f"{{{row}}}" for row in rows]
    return f"static const {kind} {name}[{len(texts)}] = {{\n{_lines(texts)}\n}};\n"


def constants(values: dict[str, int]) -> str:
    """Return names for whole numbers."""
    return "".join(f"#define NET_{name} {value}\n" for name, value in values.items())


def _literals(values: Array) -> list[str]:
    if values.dtype == np.uint32:
        return [f"0x{value:08x}u" for value in values.ravel().tolist()]
    return [str(value) for value in values.ravel().tolist()]


def _lines(texts: list[str]) -> str:
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > LINE:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([*lines, line])
