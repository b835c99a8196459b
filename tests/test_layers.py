"""No arrow between layers points the wrong way: cli, server -> systems -> engine -> runtime -> core -> errors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import salticid

PACKAGE = Path(salticid.__file__).parent
SYSTEMS = ("stereo", "motion", "segment", "upscale")
RANK = {"errors": 0, "core": 1, "runtime": 2, "engine": 3, **dict.fromkeys(SYSTEMS, 4), "server": 5, "cli": 6}
OWNERS = {"fastapi": "server", "typer": "cli", "rich": "cli"}
NOT_IN_CORE = {"torch", "onnxruntime", "openvino"}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem == "errors")


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def wrong_arrows(own, names):
    for name in names:
        package, _, rest = name.partition(".")
        target = rest.split(".")[0]
        if package == "salticid" and target in RANK:
            sideways = target in SYSTEMS and own in SYSTEMS and target != own
            if RANK[target] > RANK[own] or sideways:
                yield name
        if OWNERS.get(package, own) != own or (own == "core" and package in NOT_IN_CORE):
            yield name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_its_own_folder_and_the_layers_below(path):
    assert layer(path) in RANK, f"{path.name} lies in a folder that is no layer"
    assert list(wrong_arrows(layer(path), imports(ast.parse(path.read_text())))) == []


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("core", "salticid.runtime.pool"),
        ("stereo", "salticid.segment"),
        ("engine", "typer"),
        ("core", "torch.nn"),
        ("runtime", "salticid.cli"),
    ],
)
def test_the_check_itself_sees_a_wrong_arrow(own, name):
    assert list(wrong_arrows(own, [name])) == [name]


ENGINES = {"onnxruntime", "openvino"}
GUARD = "engine/packages.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_engines_that_phone_home_when_imported_are_imported_through_the_guard_alone(path):
    roots = {name.partition(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert str(path.relative_to(PACKAGE)) == GUARD or not roots & ENGINES
