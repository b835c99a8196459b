"""No figure of the README is typed or drawn by hand: tables and picture are what the committed results give."""

from __future__ import annotations

import itertools
import json
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"


@pytest.fixture(scope="module")
def tables(bench):
    return bench("tables")


@pytest.fixture(scope="module")
def figure(bench):
    return bench("figure")


@pytest.fixture
def results(tmp_path):
    """A copy of the results, to be changed."""
    return shutil.copytree(RESULTS, tmp_path / "results")


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("benchmarks", "motion", "segment", "stereo", "upscale"))]


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_are_what_the_results_give(tables, tmp_path, page):
    (tmp_path / page).parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / page, tmp_path / page)
    assert list(tables.update(tmp_path, RESULTS)) == [tmp_path / page]
    assert (tmp_path / page).read_text() == (ROOT / page).read_text()
    for name, body in re.findall(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", (ROOT / page).read_text(), re.DOTALL):
        assert body.count("|") > 10, f"the table {name} is empty"


def test_every_table_is_shown_on_a_page(tables):
    shown = {name for page in tables.PAGES for _, name, _ in tables.MARKED.findall((ROOT / page).read_text())}
    assert shown == set(tables.TABLES)
    assert set(PAGES) == set(tables.PAGES)


def test_every_benchmark_has_results_with_the_machine_and_the_versions(tables):
    for report, _ in tables.TABLES.values():
        content = json.loads((RESULTS / f"{report}.json").read_text())
        assert content["rows"], report
        assert {"cpu", "cpus", "memory_gib", "python", "packages"} <= content["machine"].keys()


def test_a_changed_figure_shows(tables, tmp_path, results):
    change(results / "startup.json", lambda row: True, lambda ms: ms + 1000)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "benchmarks.md", tmp_path / "docs" / "benchmarks.md")
    list(tables.update(tmp_path, results))
    assert (tmp_path / "docs" / "benchmarks.md").read_text() != (ROOT / "docs" / "benchmarks.md").read_text()


def test_the_picture_is_what_the_results_give(figure, tmp_path):
    (tmp_path / "docs").mkdir()
    assert list(figure.update(tmp_path, RESULTS)) == [tmp_path / figure.TARGET]
    assert (tmp_path / figure.TARGET).read_text() == (ROOT / figure.TARGET).read_text()
    assert f"]({figure.TARGET})" in (ROOT / "README.md").read_text()


def test_a_candidate_that_gets_slower_moves_to_the_right(figure, results):
    before = dots(figure, results)
    change(
        results / "stereo.json", lambda row: row["kind"] == "time" and row["candidate"] == "hh4", lambda ms: 1.2 * ms
    )
    assert dots(figure, results)["OpenCV HH4"][0] > before["OpenCV HH4"][0]


@pytest.mark.parametrize("seed", range(20))
def test_labels_cover_neither_one_another_nor_a_dot(figure, seed):
    chance = random.Random(seed)
    left, top, right, bottom = figure.PLOT
    dots = [(chance.uniform(left, right), chance.uniform(top, bottom)) for _ in range(8)]
    labels = [box for _, box in figure.label_places(dots, [140.0] * len(dots))]
    assert len(labels) == len(dots)
    assert all(map(figure.inside, labels))
    assert not any(figure.overlap(one, other) for one, other in itertools.combinations(labels, 2))
    assert not any(figure.overlap(label, figure.dot_box(*dot)) for label in labels for dot in dots)


def test_tuning_runs_only_when_it_is_named(bench, monkeypatch):
    run = bench("run")
    ran = []
    monkeypatch.setattr(run.subprocess, "run", lambda command, check: ran.append(command[1].stem))
    monkeypatch.setattr(run.tables, "update", lambda root, results: [])
    monkeypatch.setattr(run.figure, "update", lambda root, results: [])
    for words in ([], ["tuning"]):
        monkeypatch.setattr(sys, "argv", ["run.py", *words])
        run.main()
    assert ran == [*run.NAMES, "tuning"]
    assert "tuning" not in run.NAMES
    assert all((ROOT / "bench" / f"{name}.py").is_file() for name in ran)


def change(path, chosen, new):
    """Change the median of the rows that are chosen."""
    content = json.loads(path.read_text())
    for row in filter(chosen, content["rows"]):
        row["median_ms"] = new(row["median_ms"])
    path.write_text(json.dumps(content))


def dots(figure, results):
    """Return where the dots are, by the labels in whose order they come."""
    drawn = figure.draw(json.loads((results / "stereo.json").read_text())["rows"])
    places = re.findall(r'<circle class="\w+" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    names = re.findall(r'<text class="label \w+".*?>(.*?)</text>', drawn)
    return {name: tuple(map(float, place)) for name, place in zip(names, places, strict=True)}
