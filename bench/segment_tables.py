"""The tables that bench/results/segment.json gives."""

from __future__ import annotations

from stereo_candidates import Row
from stereo_tables import Table, of_kind

THREADS = (2, 1)
SHORT = "1024x512"
PARTS = ("end to end", "core")
COLUMNS = ("to labels, ms", "of documented", "network, ms", "GMAC/s (of peak)")


def latency(rows: list[Row]) -> Table:
    """Return one line per size, network and engine; what is absent comes last."""
    times = {(*place(row), row["threads"], row["part"]): row for row in of_kind(rows, "time")}
    head = ["size", "network", "in", *(f"{plural(threads)}: {name}" for threads in THREADS for name in COLUMNS)]
    lines = [
        [f"{size}x{classes}", emphasized(network), f"{engine} {precision}"]
        + [cell for threads in THREADS for cell in cells(*(times[*key, threads, part] for part in PARTS))]
        for key in dict.fromkeys(key[:-2] for key in times)
        for size, classes, network, engine, precision in [key]
    ]
    absent = dict.fromkeys(absent_line(row) for row in of_kind(rows, "absent"))
    return head, [*lines, *map(list, absent)]


def in_short(rows: list[Row]) -> Table:
    """Return the time to labels of one size on two threads, the fastest first."""
    size = {row["network"]: row for row in of_kind(rows, "network") if row["size"] == SHORT}
    shown = [row for row in of_kind(rows, "time") if (row["size"], row["threads"], row["part"]) == (SHORT, 2, PARTS[0])]
    head = ["network", "in", "parameters, M", "GMAC", "image to labels, ms", "frames/s"]
    return head, [
        [
            emphasized(row["network"]),
            f"{row['engine']} {row['precision']}",
            f"{size[row['network']]['parameters'] / 1e6:.2f}",
            f"{size[row['network']]['gmac']:.2f}",
            f"{row['median_ms']:.1f}",
            f"{1000 / row['median_ms']:.0f}",
        ]
        for row in sorted(shown, key=lambda row: row["median_ms"])
    ]


def place(row: Row) -> tuple[str, ...]:
    """Return what the cells of a line have in common."""
    return tuple(str(row[name]) for name in ("size", "classes", "network", "engine", "precision"))


def plural(threads: int) -> str:
    """Return a number of threads in words."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def cells(labeled: Row, alone: Row) -> list[str]:
    """Return both parts of a network side by side."""
    labels_ms, network_ms = (f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}" for row in (labeled, alone))
    share = f" ({alone['share_of_peak']:.0%})" if "share_of_peak" in alone else ""
    return [labels_ms, f"{labeled['of_documented']:.2f}", network_ms, f"{alone['gmac_per_s']:.0f}{share}"]


def absent_line(row: Row) -> tuple[str, ...]:
    """Return what was to be measured, and why it was not; the same for all sizes and numbers of threads."""
    engine = " ".join(row[name] for name in ("engine", "precision") if name in row)
    rest = len(THREADS) * len(COLUMNS) - 1
    return ("-", row["network"], engine, f"absent: {row['reason']}", *["-"] * rest)


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
    """Return where the time of ours goes in onnxruntime, and which logits the labels were made of."""
    logits = {(row["size"], row["network"]): row for row in of_kind(rows, "network")}
    ours = [row for row in of_kind(rows, "time") if row["stage_ms"] and row["engine"] == "onnxruntime"]
    head = ["size", "threads", "network", "prepare, ms", "network, ms", "labels, ms", "logits", "mixed cells"]
    return head, [
        [
            *(f"{row['size']}x{row['classes']}", str(row["threads"]), emphasized(row["network"])),
            *(f"{row['stage_ms'][stage]:.2f}" for stage in ("prepare", "network", "labels")),
            logits[row["size"], row["network"]]["logits"],
            f"{logits[row['size'], row['network']]['mixed_cells_percent']:.0f}%",
        ]
        for row in ours
    ]


def accuracy(rows: list[Row]) -> Table:
    """Return one line per file: what it weighs and what it is worth."""
    head = ["file", "MB", "mIoU %", "pixels right %", "labelled as by torch %", "kernel's labels that differ"]
    return head, [
        [
            f"**{row['model']}**",
            f"{row['megabytes']:.2f}",
            f"{row['miou']:.2f}",
            f"{row['pixel_accuracy']:.2f}",
            "-" if row["labelled_as_trained_percent"] is None else f"{row['labelled_as_trained_percent']:.2f}",
            f"{row['labelled_otherwise']} of {row['pixels'] / 1e6:.1f} million, {len(row['ties'])} of them ties",
        ]
        for row in rows
    ]


def classes(rows: list[Row]) -> Table:
    """Return the IoU of each class, one line per file."""
    names = list(rows[0]["iou"])
    return ["IoU %", *names], [[row["model"], *(f"{row['iou'][name]:.1f}" for name in names)] for row in rows]


TABLES = {"segment_latency": latency, "segment_networks": sizes, "segment_stages": stages, "segment_short": in_short}
ACCURACY_TABLES = {"segment_accuracy": accuracy, "segment_classes": classes}
