"""The tables that bench/results/stereo.json gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stereo_candidates import HEIGHT, MODES, NUM_DISPARITIES, PROFILES, THREADS, WIDTH, Row

Table = tuple[list[str], list[list[str]]]  # head and body

SIMULATED = "simulated"
FINE_SET = "mb2006t"  # the set whose truth is fine enough for half a pixel
MODE_NAMES = {"bm": "StereoBM", "3way": "SGBM_3WAY", "sgbm": "SGBM", "hh4": "HH4", "hh": "HH"}
REFERENCE = {"width": WIDTH, "height": HEIGHT, "num_disparities": NUM_DISPARITIES, "threads": THREADS}


def title(candidate: str) -> str:
    """Return what a candidate is called in tables and figures."""
    mode, _, filtered = candidate.partition("+")
    return f"OpenCV {MODE_NAMES[mode]}{' + WLS' if filtered else ''}" if mode in MODES else f"Salticid {mode}"


def overview(rows: list[Row]) -> Table:
    """Return accuracy, time and memory at the reference size, one line per candidate."""
    accuracy = by(of_kind(rows, "accuracy"), "candidate", "group")
    groups = list(dict.fromkeys(group for _, group in accuracy))
    times = by(at_reference(of_kind(rows, "time")), "candidate")
    memory = by(of_kind(rows, "memory"), "candidate")
    fine = [FINE_SET] if FINE_SET in groups else []
    head = ["", *(f"bad-2 %, {group}" for group in groups), *(f"bad-0.5 %, {group}" for group in fine)]
    body = [
        [
            emphasized(name),
            *(f"{accuracy[name, group]['bad_2_fill']:.2f}" for group in groups),
            *(f"{accuracy[name, group]['bad_0.5_fill']:.2f}" for group in fine),
            f"{mean(accuracy[name, group]['auc'] for group in groups):.2f}",
            f"{time['median_ms']:.0f}",
            f"{memory[name,]['measured_mb']}",
        ]
        for (name,), time in times.items()
    ]
    return [*head, "AUC of confidence", "ms", "MB"], body


def all_times(rows: list[Row]) -> Table:
    """Return the milliseconds at every size, one column per candidate."""
    times = by(of_kind(rows, "time"), "width", "height", "num_disparities", "threads", "candidate")
    names = list(dict.fromkeys(key[-1] for key in times))
    settings = list(dict.fromkeys(key[:-1] for key in times))
    cells = {key: f"{row['median_ms']:.0f} ± {row['spread_ms']:.0f}" for key, row in times.items()}
    return ["", "disparities", "threads", *(title(name) for name in names)], [
        [f"{width}x{height}", str(searched), str(threads)]
        + [cells[width, height, searched, threads, name] for name in names]
        for width, height, searched, threads in settings
    ]


def ratios(rows: list[Row]) -> Table:
    """Return how many times as long OpenCV takes, one column per pair of candidates."""
    found = by(of_kind(rows, "ratio"), "width", "height", "num_disparities", "threads", "over", "candidate")
    pairs = list(dict.fromkeys(key[-2:] for key in found))
    settings = list(dict.fromkeys(key[:-2] for key in found))
    head = ["", "disparities", "threads", *(f"{MODE_NAMES[over]} : {candidate}" for over, candidate in pairs)]
    return head, [
        [f"{width}x{height}", str(searched), str(threads)]
        + [ratio_cell(found[width, height, searched, threads, *pair]) for pair in pairs]
        for width, height, searched, threads in settings
    ]


def ratio_cell(row: Row) -> str:
    """Return the median, and between what the middle half of the rounds lay."""
    return f"{row['times_faster']:.2f} ({row['quarter']:.2f}-{row['three_quarters']:.2f})"


def stages(rows: list[Row]) -> Table:
    """Return the milliseconds of each of our stages."""
    ours = [row for row in of_kind(rows, "time") if row["stage_ms"]]
    names = list(ours[0]["stage_ms"]) if ours else []
    return ["", "disparities", "threads", "profile", *(f"{name}, ms" for name in names)], [
        [f"{row['width']}x{row['height']}", str(row["num_disparities"]), str(row["threads"]), row["candidate"]]
        + [f"{row['stage_ms'][name]:.1f}" for name in names]
        for row in ours
    ]


def instruction_sets(rows: list[Row]) -> Table:
    """Return the milliseconds of the match stage for each instruction set."""
    return ["profile", "instruction set", "threads", "match, ms"], [
        [
            row["candidate"],
            row["instruction_set"],
            str(row["threads"]),
            f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}",
        ]
        for row in of_kind(rows, "instruction_set")
    ]


def limits(rows: list[Row]) -> Table:
    """Return the match stage beside its floors."""
    head = ["profile", "threads", "searched", "match, ms", "copy, GB/s"]
    floors = ("memory", "arithmetic")
    return [*head, *(word for floor in floors for word in (f"{floor} floor, ms", "match : floor"))], [
        [row["candidate"], str(row["threads"]), f"{row['searched_part']:.0%}"]
        + [f"{row['median_ms']:.1f}", f"{row['copy_gb_per_s']:.1f}"]
        + [
            cell
            for floor in floors
            for cell in (f"{row[f'{floor}_floor_ms']:.1f}", f"{row[f'times_{floor}_floor']:.2f}")
        ]
        for row in of_kind(rows, "limit")
    ]


def memory(rows: list[Row]) -> Table:
    """Return what was measured and what was stated, and how long the large pair took."""
    return ["", "size", "disparities", "measured, MB", "stated, MB", "seconds"], [
        [
            title(row["candidate"]),
            f"{row['width']}x{row['height']}",
            str(row["num_disparities"]),
            str(row["measured_mb"]),
            known(row["stated_mb"], "d"),
            known(row.get("seconds"), ".1f"),
        ]
        for row in [*of_kind(rows, "memory"), *of_kind(rows, "large")]
    ]


def accuracy(rows: list[Row]) -> Table:
    """Return everything about accuracy, one line per set and candidate."""
    measured = sorted(of_kind(rows, "accuracy"), key=lambda row: groups_of(rows).index(row["group"]))
    return ["set", "", "bad-0.5 %", "bad-1 %", "bad-2 %", "density", "AUC", "ms"], [
        [row["group"], title(row["candidate"])]
        + [f"{row[f'bad_{threshold}_fill']:.2f}" for threshold in ("0.5", "1", "2")]
        + [f"{row['density']:.3f}", f"{row['auc']:.2f}", f"{row['ms']:.0f}"]
        for row in measured
    ]


def groups_of(rows: list[Row]) -> list[str]:
    """Return the sets in their order."""
    return list(dict.fromkeys(row["group"] for row in of_kind(rows, "accuracy")))


def of_kind(rows: list[Row], kind: str) -> list[Row]:
    """Return the rows of one kind."""
    return [row for row in rows if row["kind"] == kind]


def at_reference(rows: list[Row]) -> list[Row]:
    """Return the rows of the size and the threads that stand for all."""
    return [row for row in rows if REFERENCE.items() <= row.items()]


def by(rows: list[Row], *names: str) -> dict[tuple[Any, ...], Row]:
    """Return the rows by the values of some columns."""
    return {tuple(row[name] for name in names): row for row in rows}


def emphasized(candidate: str) -> str:
    """Return the title, ours in bold."""
    return f"**{title(candidate)}**" if candidate in PROFILES else title(candidate)


def known(value: float | None, form: str) -> str:
    """Return a number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def mean(values: Iterable[float]) -> float:
    """Return the mean of what is left when nothing is missing."""
    listed = list(values)
    return sum(listed) / len(listed)


TABLES = {
    "stereo": overview,
    "stereo_times": all_times,
    "stereo_ratios": ratios,
    "stereo_stages": stages,
    "stereo_instruction_sets": instruction_sets,
    "stereo_limits": limits,
    "stereo_memory": memory,
    "stereo_accuracy": accuracy,
}
