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
    "knn": "nearest neighbors",
    "isolation forest": "isolation forest",
}


def strides(rows: list[Row]) -> Table:
    """Return one line per way of moving and condition."""
    head = ["movement", "frames/s", "noise, cm", "cadence, worst, steps/min", "contact time, mean error, ms"]
    head += ["bias, ms", "within a frame", "knee, rms, °", "hip, rms, °"]
    head += ["knee over the stride, worst rms, °", "knee at contact, worst, °"]
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
            f"{row['knee_curve_rms_deg']:.1f}",
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


def in_short(rows: list[Row]) -> Table:
    """Return the figures that a reader asks for first."""
    seen = [row for row in of_kind(rows, "strides") if (row["fps"], row["noise_cm"]) == (60.0, 1.0)]
    styles = [row for row in of_kind(rows, "verdict") if (row["model"], row["against"]) == ("statistics", "all")]
    ranked = {row["view"]: f"{row['auc']:.3f}" for row in styles}
    flagged = {row["view"]: f"{row['flagged_normal']:.1%}" for row in styles}
    seconds = [line[1] for line in creation(rows)[1]]
    return ["what", "figure"], [
        [
            "simulated walks and runs, 60 frames/s, joints off by 1 cm: cadence, worst",
            f"{most(seen, 'cadence_worst_spm'):.1f} steps/min",
        ],
        ["contact time, mean error, from the best to the worst of them", span(seen, "contact_error_ms", "ms")],
        [
            "knee and hip, frame by frame, worst rms",
            f"{most(seen, 'knee_rms_deg'):.1f}° and {most(seen, 'hip_rms_deg'):.1f}°",
        ],
        [
            "six other styles of walking against the usual one, AUC in 3D and from the side",
            f"{ranked['room']} and {ranked['side']}",
        ],
        ["clips of the usual style that are called outside, likewise", f"{flagged['room']} and {flagged['side']}"],
        [
            "five videos of 300 frames at 720p to a baseline, first and second time",
            f"{seconds[0]} s and {seconds[1]} s",
        ],
    ]


def most(rows: list[Row], name: str) -> float:
    """Return the largest value of a column."""
    return max(row[name] for row in rows)


def span(rows: list[Row], name: str, unit: str) -> str:
    """Return the least and the largest value of a column."""
    return f"{min(row[name] for row in rows):.0f} to {most(rows, name):.0f} {unit}"


def agreement(rows: list[Row]) -> Table:
    """Return one line per video and way in which mediapipe is run; ours as the product has it, from planes."""
    head = ["video", "mediapipe's landmarks", "ours", "median, % of height", "95 %", "3D, median, cm"]
    return head, [
        [
            f"`{row['video']}`",
            "smoothed (its default)" if row["mediapipe_smooths"] else "not smoothed",
            ("smoothed alike" if row["ours_filtered"] else "as they are") + f", {row['frames']}",
            f"{row['median_percent']:.2f}",
            f"{row['p95_percent']:.2f}",
            f"{row['world_median_cm']:.2f}",
        ]
        for row in of_kind(rows, "agreement")
    ]


def speed(rows: list[Row]) -> Table:
    """Return one line per size and candidate."""
    head = ["five clips of 300 frames", "", "frames/s", "times our seconds, median of rounds", "CPU, ms a frame"]
    return head, [
        [
            row["size"],
            row["candidate"],
            f"{row['fps']:.0f}",
            f"{row['times_ours']:.2f}",
            f"{row['cpu_ms_per_frame']:.1f}",
        ]
        for row in of_kind(rows, "speed")
    ]


def stages(rows: list[Row]) -> Table:
    """Return where our time goes."""
    found = of_kind(rows, "stages")
    names = [name for name in found[0] if name not in ("kind", "unit", "size")]
    return ["ms a frame", *names], [[row["size"], *(f"{row[name]:.2f}" for name in names)] for row in found]


TABLES = {
    "motion_strides": strides,
    "motion_verdicts": verdicts,
    "motion_creation": creation,
    "motion_short": in_short,
}
POSE_TABLES = {"motion_agreement": agreement, "motion_speed": speed, "motion_stages": stages}
