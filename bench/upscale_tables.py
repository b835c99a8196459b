"""The tables that bench/results/upscale.json gives."""

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
    worth = by(of_kind(rows, "accuracy"), *HOW)
    shown = [row for row in of_kind(rows, "time") if row["size"] == SHORT]
    head = ["", "in", "parameters, K", f"{SHORT} to {enlarged(SHORT)}, ms", "Set5, dB"]
    return head, [
        [
            emphasized(row),
            way(row),
            thousands(size.get((row["candidate"], row["by"]))),
            f"{row['median_ms']:.0f}",
            known(worth.get(tuple(row[name] for name in HOW), {}).get("psnr_db"), ".2f"),
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
    lines = [(emphasized(row), way(row), row["psnr_db"], row["ssim"]) for row in found]
    lines += [("bicubic", "MATLAB's", row["bicubic_psnr_db"], row["bicubic_ssim"]) for row in found[:1]]
    head = ["", "in", "PSNR of luma, dB", "SSIM of luma"]
    return head, [[name, made, f"{psnr_db:.2f}", f"{ssim:.4f}"] for name, made, psnr_db, ssim in lines]


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
    "upscale_command": commands,
}
