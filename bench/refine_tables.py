"""The tables that bench/results/refine.json gives."""

from __future__ import annotations

from stereo_candidates import Row
from stereo_tables import Table, known, of_kind


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


TABLES = {"refine_bodies": bodies, "refine_steps": steps, "refine_chips": chips}
