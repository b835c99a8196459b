"""No figure of the README is typed by hand: every table is what the committed results give."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("bench_tables", ROOT / "bench" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_the_tables_are_what_the_results_give(tables, tmp_path, page):
    (tmp_path / page).parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / page, tmp_path / page)
    assert list(tables.update(tmp_path, ROOT / "bench" / "results")) == [tmp_path / page]
    assert (tmp_path / page).read_text() == (ROOT / page).read_text()
    for name, body in re.findall(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", (ROOT / page).read_text(), re.DOTALL):
        assert body.count("|") > 10, f"the table {name} is empty"


def test_every_benchmark_has_results_with_the_machine_and_the_versions(tables):
    for report, _ in tables.TABLES.values():
        content = json.loads((ROOT / "bench" / "results" / f"{report}.json").read_text())
        assert content["rows"], report
        assert {"cpu", "cpus", "memory_gib", "python", "packages"} <= content["machine"].keys()


def test_a_changed_figure_shows(tables, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(ROOT / "bench" / "results", results)
    content = json.loads((results / "startup.json").read_text())
    content["rows"][0]["median_ms"] += 1000
    (results / "startup.json").write_text(json.dumps(content))
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "benchmarks.md", tmp_path / "docs" / "benchmarks.md")
    list(tables.update(tmp_path, results))
    assert (tmp_path / "docs" / "benchmarks.md").read_text() != (ROOT / "docs" / "benchmarks.md").read_text()
