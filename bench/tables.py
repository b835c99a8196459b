"""Markdown tables made from the benchmarks' results, and put between their markers in README.md and docs/.

A marker is `<!-- table: NAME -->` ... `<!-- end -->`; what stands between is replaced, so no figure is typed by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import motion_tables
import refine_tables
import segment_tables
import stereo_tables
import upscale_tables
from stereo_candidates import Row
from stereo_tables import Table
from tuning import OF_RANGES

PAGES = ("README.md", "docs/benchmarks.md", "docs/motion.md", "docs/segment.md", "docs/stereo.md", "docs/upscale.md")
MARKED = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
VECTORS = {"avx512bw": "AVX-512", "avx2": "AVX2", "neon": "NEON"}  # the widest comes first


def update(root: Path, results: Path) -> Iterator[Path]:
    """Rewrite the tables of every page whose results are there; yield the pages that were touched."""
    for page in (root / name for name in PAGES):
        if not page.exists():
            continue
        text = page.read_text()
        fresh = MARKED.sub(lambda match: _replaced(match, results), text)
        page.write_text(fresh)
        yield page


def _replaced(match: re.Match[str], results: Path) -> str:
    report, make = TABLES[match.group(2)]
    path = results / f"{report}.json"
    if not path.exists():
        return match.group(0)
    content = json.loads(path.read_text())
    return f"{match.group(1)}{markdown(*make(content['rows']))}\n{_machine(content['machine'])}\n{match.group(3)}"


def _machine(machine: Row) -> str:
    vectors = next((f" with {title}" for name, title in VECTORS.items() if name in machine["simd"]), "")
    return f"\n<sub>{machine['cpu']}{vectors}, {machine['cpus']} CPUs, {machine['memory_gib']:.0f} GiB.</sub>\n"


def startup(rows: list[Row]) -> Table:
    """Return what starting costs."""
    limit = {None: "-"}
    return ["what", "median ms", "limit ms"], [
        [f"`{row['what']}`", f"{row['median_ms']:.1f}", limit.get(row["limit_ms"], row["limit_ms"])] for row in rows
    ]


def pool(rows: list[Row]) -> Table:
    """Return one line per fault, both pools beside each other."""
    faults = list(dict.fromkeys(row["fault"] for row in rows))
    cells = {(row["pool"], row["fault"]): row for row in rows}
    head = ["fault", "salticid: good items", "the bad one", "s", "pebble: good items", "the bad one", "s"]
    return head, [
        [fault, *_pool_cells(cells, "salticid", fault), *_pool_cells(cells, "pebble", fault)] for fault in faults
    ]


def _pool_cells(cells: dict[tuple[str, str], Row], name: str, fault: str) -> list[str]:
    row = cells[name, fault]
    return [f"{row['good_returned']}/{row['good_items']}", " / ".join(row["bad_item"]), f"{row['seconds']:.1f}"]


def tuning(rows: list[Row]) -> Table:
    """Return the parameters that were chosen, and their errors beside those of parameters that never saw the scene."""
    names = ("paths", "group", "scenes", "window", "p1", "p2", "p2_least", "p2_slope")
    names += ("uniqueness_percent", "speckle_area_px", *OF_RANGES, "tried", "folds")
    thresholds = ("0.5", "1", "2")
    head = [f"range {name.lower()}" if name in OF_RANGES else name for name in names]
    return [*head, *(f"bad-{threshold} %, chosen / unseen" for threshold in thresholds)], [
        [_short(row.get(name)) for name in names]
        + [f"{row[f'bad_{each}_fill']:.2f} / {row[f'bad_{each}_fill_unseen']:.2f}" for each in thresholds]
        for row in rows
    ]


def generic(rows: list[Row]) -> Table:
    """Return every column of the rows as it is."""
    head = list(dict.fromkeys(key for row in rows for key in row))
    return head, [[_short(row.get(key)) for key in head] for row in rows]


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else str(value)


def markdown(head: list[str], body: list[list[Any]]) -> str:
    """Return a table, every column but the first aligned right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


TABLES: dict[str, tuple[str, Callable[[list[Row]], Table]]] = {
    **{name: ("stereo", make) for name, make in stereo_tables.TABLES.items()},
    **{name: ("refine", make) for name, make in refine_tables.TABLES.items()},
    **{f"{name}_avx512": ("refine_avx512", refine_tables.TABLES[name]) for name in refine_tables.ELSEWHERE},
    **{name: ("segment", make) for name, make in segment_tables.TABLES.items()},
    **{name: ("motion", make) for name, make in motion_tables.TABLES.items()},
    **{name: ("motion_pose", make) for name, make in motion_tables.POSE_TABLES.items()},
    **{name: ("segment_accuracy", make) for name, make in segment_tables.ACCURACY_TABLES.items()},
    **{name: ("refine_accuracy", make) for name, make in refine_tables.ACCURACY_TABLES.items()},
    **{name: ("upscale", make) for name, make in upscale_tables.TABLES.items()},
    **{name: ("upscale_kernel", make) for name, make in upscale_tables.KERNEL_TABLES.items()},
    "tuning": ("tuning", tuning),
    "startup": ("startup", startup),
    "pool": ("pool", pool),
    "census": ("census", generic),
    "filters": ("filters", generic),
    "cache": ("cache", generic),
    "session": ("session", generic),
    "upsample_argmax": ("upsample_argmax", generic),
}
