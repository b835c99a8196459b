"""The tables that bench/results/upscale.json and upscale_kernel.json give."""

from __future__ import annotations

from stereo_candidates import Row
from stereo_tables import Table, by, known, of_kind
from upscale_candidates import OURS, SCALE

SHORT = "512x512"
HOW = ("candidate", "engine", "precision")
PLACE = ("size", *HOW)


def latency(rows: list[Row]) -> Table:
    """Return one line per size and candidate: its time in all, its parts, and its peak of memory."""
    peaks = by(of_kind(rows, "memory"), *PLACE)
    head = ["size", "", "in", "ms", "network, ms", "pixels, ms", "of SRVGGNetCompact", "peak, MB"]
    return head, [
        [
            f"{row['size']} to {enlarged(row['size'])}",
            emphasized(row),
            way(row),
            f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}",
            known(row["network_ms"], ".1f"),
            known(row["pixels_ms"], ".1f"),
            f"{row['of_baseline']:.3f}",
            str(peaks[tuple(row[name] for name in PLACE)]["peak_mb"]),
        ]
        for row in of_kind(rows, "time")
    ]


def in_short(rows: list[Row]) -> Table:
    """Return the time of one size and what the image is worth, the fastest first."""
    size = by(of_kind(rows, "network"), "candidate", "by")
    quality = by([row for row in of_kind(rows, "accuracy") if row["scale"] == SCALE], *HOW)
    shown = [row for row in of_kind(rows, "time") if row["size"] == SHORT]
    head = ["", "in", "parameters, K", f"{SHORT} to {enlarged(SHORT)}, ms", "Set5 x4, dB"]
    return head, [
        [
            emphasized(row),
            way(row),
            thousands(size.get((row["candidate"], row["by"]))),
            f"{row['median_ms']:.0f}",
            known(quality.get(tuple(row[name] for name in HOW), {}).get("psnr_db"), ".2f"),
        ]
        for row in sorted(shown, key=lambda row: row["median_ms"])
    ]


def networks(rows: list[Row]) -> Table:
    """Return what the networks consist of."""
    found = of_kind(rows, "network")
    sizes = list(found[0]["gmac"])
    return ["network", "parameters, K", *(f"GMAC, {size} to {enlarged(size)}" for size in sizes), "published"], [
        [
            emphasized(row),
            thousands(row),
            *(f"{row['gmac'][size]:.2f}" for size in sizes),
            row["published"] or "-",
        ]
        for row in found
    ]


def accuracy(rows: list[Row]) -> Table:
    """Return how close everybody's images come to the large ones, MATLAB's bicubic last."""
    found = of_kind(rows, "accuracy")
    scales = sorted({row["scale"] for row in found})
    alike = by(found, "scale", *HOW)
    ours = [row for row in found if row["scale"] == scales[0]]
    lines = [
        (emphasized(row), way(row), [alike[scale, *(row[name] for name in HOW)] for scale in scales]) for row in ours
    ]
    firsts = [next(row for row in found if row["scale"] == scale) for scale in scales]
    figures = [[name, made, *map(worth, theirs)] for name, made, theirs in lines]
    figures.append(["bicubic", "MATLAB's", *(worth(row, "bicubic_") for row in firsts)])
    return ["", "in", *(f"x{scale}: dB / SSIM" for scale in scales)], figures


def degraded(rows: list[Row]) -> Table:
    """Return what both kinds of weights make of images as they are found, bicubic last."""
    found = of_kind(rows, "degraded")
    lines = [[emphasized(row), row["weights"], worth(row)] for row in found]
    return ["", "weights", "x4: dB / SSIM"], [*lines, ["bicubic", "-", worth(found[0], "bicubic_")]]


def worth(row: Row, whose: str = "") -> str:
    """Return PSNR and SSIM."""
    return f"{row[f'{whose}psnr_db']:.2f} / {row[f'{whose}ssim']:.4f}"


def commands(rows: list[Row]) -> Table:
    """Return what the whole command takes."""
    return ["size", "network", "limit, MB", "s, PNG to PNG", "peak, MB"], [
        [
            f"{row['size']} to {enlarged(row['size'])}",
            row["model"],
            str(row["limit_mb"] or "-"),
            f"{row['seconds']:.2f}",
            str(row["peak_mb"]),
        ]
        for row in of_kind(rows, "command")
    ]


def limited(rows: list[Row]) -> Table:
    """Return what the whole command takes of what it may."""
    return ["", "limit, MB", "peak, MB", "s"], [
        [row["what"], str(row["limit_mb"]), str(row["peak_mb"]), f"{row['seconds']:.2f}"]
        for row in of_kind(rows, "limit")
    ]


def kernel(rows: list[Row]) -> Table:
    """Return the time of the network alone beside the least that its products take, per set of instructions."""
    return ["network", "size", "by", "threads", "ms", "floor, ms", "floor : time, %"], [
        [
            row["network"],
            f"{row['size']} to {enlarged(row['size'])}",
            row["candidate"],
            str(row["threads"]),
            f"{row['median_ms']:.1f} ± {row['spread_ms']:.1f}",
            known(row.get("floor_ms"), ".1f"),
            known(row.get("floor_percent"), ".0f"),
        ]
        for row in rows
    ]


def enlarged(size: str) -> str:
    """Return the size of the large image."""
    return "x".join(str(SCALE * int(side)) for side in size.split("x"))


def emphasized(row: Row) -> str:
    """Return the name of a candidate, ours in bold."""
    return f"**{row['candidate']}**" if row["by"] == OURS else row["candidate"]


def way(row: Row) -> str:
    """Return who computes a candidate, and in what."""
    return f"{row['engine']} {row['precision']}"


def thousands(network: Row | None) -> str:
    """Return how many thousand weights there are; a dash where there is no network."""
    return known(network and network["parameters"] / 1000, ".0f")


TABLES = {
    "upscale_latency": latency,
    "upscale_short": in_short,
    "upscale_networks": networks,
    "upscale_accuracy": accuracy,
    "upscale_degraded": degraded,
    "upscale_command": commands,
    "upscale_limits": limited,
}

KERNEL_TABLES = {"upscale_kernel": kernel}
