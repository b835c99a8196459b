"""The tables that bench/results/segment.json gives."""

from __future__ import annotations

from stereo_candidates import Row
from stereo_tables import Table, known, of_kind

PARTS = {"end to end": "image to labels, ms", "core": "network, ms"}


def latency(rows: list[Row]) -> Table:
    """Return one line per size, number of threads, network and engine; what is absent comes last."""
    times = {(*place(row), row["part"]): row for row in of_kind(rows, "time")}
    head = ["size", "threads", "network", "in", *PARTS.values(), "labels: of documented", "network, GMAC/s", "of peak"]
    lines = [latency_line(*(times[*key, part] for part in PARTS)) for key in dict.fromkeys(key[:-1] for key in times)]
    return head, lines + [absent_line(row) for row in of_kind(rows, "absent")]


def place(row: Row) -> tuple[str, ...]:
    """Return what both parts of a line have in common."""
    return tuple(str(row[name]) for name in ("size", "threads", "network", "engine", "precision"))


def latency_line(labeled: Row, alone: Row) -> list[str]:
    """Return both parts of a network side by side."""
    size, threads, network, engine, precision = place(labeled)
    return [
        *(f"{size}x{labeled['classes']}", threads, emphasized(network), f"{engine} {precision}"),
        *(f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}" for row in (labeled, alone)),
        f"{labeled['of_documented']:.2f}",
        f"{alone['gmac_per_s']:.0f}",
        known(alone.get("share_of_peak"), ".0%"),
    ]


def absent_line(row: Row) -> list[str]:
    """Return what was to be measured, and why it was not."""
    engine = f"{row['engine']} {row['precision']}" if "precision" in row else row["engine"]
    threads = str(row.get("threads", "-"))
    return [row["size"], threads, row["network"], engine, f"absent: {row['reason']}", *["-"] * 4]


def emphasized(network: str) -> str:
    """Return the name of a network, ours in bold."""
    return f"**{network}**" if network.lower().startswith("fastseg") else network


def sizes(rows: list[Row]) -> Table:
    """Return what the networks consist of, one line per network and size."""
    head = ["network", "size, classes", "parameters, M", "GMAC", "published"]
    return head, [
        [
            emphasized(row["network"]),
            f"{row['size']}x{row['classes']}",
            f"{row['parameters'] / 1e6:.2f}",
            f"{row['gmac']:.2f}",
            row["published"] or "-",
        ]
        for row in of_kind(rows, "network")
    ]


def stages(rows: list[Row]) -> Table:
    """Return where the time of ours goes, and which logits the labels were made of."""
    ours = [row for row in of_kind(rows, "time") if row["stage_ms"]]
    logits = {(row["size"], row["network"]): row for row in of_kind(rows, "network")}
    head = ["size", "threads", "network", "in", "prepare, ms", "network, ms", "labels, ms", "logits", "mixed cells"]
    return head, [
        [
            *(f"{row['size']}x{row['classes']}", str(row["threads"]), row["network"]),
            f"{row['engine']} {row['precision']}",
            *(f"{row['stage_ms'][stage]:.2f}" for stage in ("prepare", "network", "labels")),
            logits[row["size"], row["network"]]["logits"],
            f"{logits[row['size'], row['network']]['mixed_cells_percent']:.0f}%",
        ]
        for row in ours
    ]


TABLES = {"segment_latency": latency, "segment_networks": sizes, "segment_stages": stages}
