"""The tables that bench/results/refine.json and refine_accuracy.json give."""

from __future__ import annotations

from stereo_candidates import Row
from stereo_tables import Table, known, of_kind

IN_SHORT = ("nothing; matcher's confidence", "classical", "network, int8")


def bodies(rows: list[Row]) -> Table:
    """Return the network alone, one line per candidate, share of pixels and number of threads."""
    head = ["candidate", "pixels", "threads", "ms", "GMAC/s", "peak, GMAC/s", "share of peak", "floor, ms"]
    return head, [
        [
            row["candidate"],
            f"{row['share']:.0%}",
            str(row["threads"]),
            f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}",
            f"{row['gmac_per_s']:.1f}",
            known(row.get("peak_gmac_per_s"), ".1f"),
            known(row.get("share_of_peak"), ".0%"),
            known(row.get("floor_ms"), ".1f"),
        ]
        for row in of_kind(rows, "body")
    ]


def steps(rows: list[Row]) -> Table:
    """Return the whole step, one line per way and number of threads."""
    return ["refined by", "threads", "ms"], [
        [row["candidate"], str(row["threads"]), f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}"]
        for row in of_kind(rows, "step")
    ]


def chips(rows: list[Row]) -> Table:
    """Return what the exported C takes, one line per export."""
    head = ["exporter", "weights", "what", "instructions for a pixel", "flash, bytes", "stack, bytes"]
    names = ("exporter", "weights", "what", "instructions", "flash_bytes", "stack_bytes")
    return head, [[str(row[name]) for name in names] for row in of_kind(rows, "chip")]


def accuracy(rows: list[Row]) -> Table:
    """Return what every way of refining is worth over all scenes."""
    return accuracy_of([row for row in rows if row["group"] == "all"])


def accuracy_in_short(rows: list[Row]) -> Table:
    """Return the same of the matcher's own map, the rules and the network of the package."""
    return accuracy_of([row for row in rows if row["group"] == "all" and row["way"] in IN_SHORT])


def accuracy_of(rows: list[Row]) -> Table:
    """Return a line for each way, holes filled."""
    head = ["refined by", "bad-0.5 %", "bad-1 %", "bad-2 %", "bad-2 %, equal", "mean error, px", "AUC of confidence"]
    bad = ("bad_0.5", "bad_1", "bad_2", "bad_2_equal")
    return head, [
        [row["way"], *(f"{row[name]:.2f}" for name in bad), f"{row['mae_px']:.3f}", f"{row['auc']:.3f}"] for row in rows
    ]


TABLES = {"refine_bodies": bodies, "refine_steps": steps, "refine_chips": chips}
ACCURACY_TABLES = {"refine_accuracy": accuracy, "refine_short": accuracy_in_short}

# Also shown for a machine with AVX-512: python bench/refine.py --output bench/results/refine_avx512.json, there.
ELSEWHERE = ("refine_bodies", "refine_steps")
