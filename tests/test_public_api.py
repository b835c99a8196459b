"""What the package exports is what it says it exports, and importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import salticid

HEAVY = ("numpy", "cv2", "onnxruntime", "openvino", "torch", "av", "psutil", "rich", "safetensors", "blake3")


def modules_after(code):
    code = f"import sys\n{code}\nprint(' '.join(sys.modules), file=sys.__stdout__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_all_is_sorted_and_names_exactly_the_public_names():
    assert salticid.__all__ == sorted(salticid.__all__)
    assert set(salticid.__all__) == {*salticid._HOMES, "__version__"}


@pytest.mark.parametrize("name", salticid.__all__)
def test_every_public_name_loads_and_lives_where_the_table_says(name):
    value = getattr(salticid, name)
    if name in salticid._HOMES:
        assert value.__module__ == f"salticid.{salticid._HOMES[name]}"
        assert value.__doc__


def test_type_checkers_see_the_names_that_are_loaded_late():
    import ast
    from pathlib import Path

    tree = ast.parse(Path(salticid.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {alias.name: node.module for node in block.body for alias in node.names}
    assert imported == {name: f"salticid.{home}" for name, home in salticid._HOMES.items()}


def test_an_unknown_name_is_an_attribute_error_as_in_any_module():
    with pytest.raises(AttributeError, match="no attribute 'StereoMatcherr'"):
        _ = salticid.StereoMatcherr


def test_dir_lists_the_names_before_they_are_loaded():
    assert set(salticid.__all__) <= set(dir(salticid))


def test_importing_the_package_imports_nothing_heavy():
    assert not modules_after("import salticid") & set(HEAVY)


@pytest.mark.parametrize(
    "verb",
    [
        "",
        "stereo match",
        "stereo simulate",
        "eval stereo",
        "eval refine",
        "eval segment",
        "train refine",
        "train segment",
        "segment",
        "upscale",
        "export",
        "models list",
        "cache info",
        "doctor",
        "demo",
    ],
)
def test_help_imports_nothing_heavy(verb):
    arguments = ["salticid", *verb.split(), "--help"]
    run = "from salticid.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    assert not modules_after(f"sys.argv = {arguments}\n{run}") & set(HEAVY)


def test_a_name_that_needs_an_optional_package_says_how_to_get_it():
    code = (
        "import sys\nsys.modules['torch'] = None\nimport salticid\n"
        "try:\n    salticid.FastSegNet\nexcept salticid.MissingError as problem:\n    print(problem)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'salticid[train]'" in done.stdout
