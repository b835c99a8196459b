"""The tables that bench/results/motion.json and motion_pose.json give."""

from __future__ import annotations

from statistics import median

from stereo_candidates import Row
from stereo_tables import Table, of_kind

MODELS = {
    "statistics": "**statistics**",
    "autoencoder": "GRU autoencoder",
    "ensemble": "both",
    "mahalanobis": "Mahalanobis, mean and sd of windows",
    "pca": "PCA of windows",
    "neighbors": "nearest neighbors",
    "forest": "isolation forest",
}


def strides(rows: list[Row]) -> Table:
    """Return one line per way of moving and condition."""
    head = ["movement", "frames/s", "noise, cm", "cadence, worst, steps/min", "contact time, mean error, ms"]
    head += ["bias, ms", "within a frame", "knee, worst rms, °", "hip, worst rms, °", "knee at contact, worst, °"]
    return head, [
        [
            f"{row['movement']} {row['speed_kmh']:g} km/h" + (", forefoot" if row["strike"] == "forefoot" else ""),
            f"{row['fps']:.0f}",
            f"{row['noise_cm']:g}",
            f"{row['cadence_worst_spm']:.2f}",
            f"{row['contact_error_ms']:.1f}",
            f"{row['contact_bias_ms']:+.1f}",
            f"{row['contact_within_a_frame']:.0%}",
            f"{row['knee_rms_deg']:.1f}",
            f"{row['hip_rms_deg']:.1f}",
            f"{row['knee_at_contact_deg']:.1f}",
        ]
        for row in of_kind(rows, "strides")
    ]


def verdicts(rows: list[Row]) -> Table:
    """Return one line per model and view: the mean over all styles, and the style that is hardest."""
    found = of_kind(rows, "verdict")
    head = [
        "model",
        "seen",
        "AUC, mean ± sd over splits",
        "hardest style",
        "changed clips found",
        "normal clips flagged",
    ]
    return head, [verdict(found, model, view) for model, view in dict.fromkeys((r["model"], r["view"]) for r in found)]


def verdict(rows: list[Row], model: str, view: str) -> list[str]:
    """Return the line of one model."""
    own = {row["against"]: row for row in rows if (row["model"], row["view"]) == (model, view)}
    whole = own.pop("all")
    worst = min(own.values(), key=lambda row: row["auc"])
    return [
        MODELS.get(model, model),
        {"room": "in 3D", "side": "from the side"}[view],
        f"{whole['auc']:.3f} ± {whole['auc_sd']:.3f}",
        f"{worst['against']} {worst['auc']:.3f}",
        f"{whole['found']:.0%}",
        f"{whole['flagged_normal']:.1%}",
    ]


def creation(rows: list[Row]) -> Table:
    """Return what a baseline takes."""
    found = of_kind(rows, "creation")
    seconds = {cached: median(row["seconds"] for row in found if row["cached"] is cached) for cached in (False, True)}
    head = ["five clips of 300 frames at 720p to a saved baseline", "s", "limit, s"]
    return head, [
        ["videos never seen before", f"{seconds[False]:.1f}", "25"],
        ["keypoints in the cache", f"{seconds[True]:.1f}", "3"],
    ]


TABLES = {"motion_strides": strides, "motion_verdicts": verdicts, "motion_creation": creation}
