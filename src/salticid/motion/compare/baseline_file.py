"""A baseline on disk: one file that people can read, and the arrays beside it.

    calibration.json            what, from which clips, by which network, the person's own numbers, the limit
    statistics-<digest>.npz     every number, exact; no pickles
    autoencoder-<digest>.onnx   the tuned network, where there is one

calibration.json names the others with their sha256 and carries one of itself. It is written last, in one step: whoever
reads sees the old baseline or the new one, and a change of any file is an error.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from salticid import __version__
from salticid.core.atomic import check_target, make_folder, write_bytes
from salticid.core.files import read_bytes
from salticid.core.plain import strict, to_json
from salticid.core.types import Array
from salticid.engine.cards import card
from salticid.errors import InputError, IntegrityError
from salticid.motion.compare.autoencoder import Autoencoder
from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.compare.description import GROUPS
from salticid.motion.compare.judge import Judge
from salticid.motion.compare.statistics import PRIOR_CLIPS, Statistics
from salticid.motion.compare.thresholds import LEVEL, METHOD, PRIOR_LOG_SD, PRIOR_SCORES
from salticid.motion.compare.windows import Scale
from salticid.motion.files.array_file import from_npz, to_npz
from salticid.motion.measure.feature_table import ROWS
from salticid.motion.options import MotionOptions

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline

FILE = "calibration.json"
FORMAT, FORMAT_VERSION = "salticid motion baseline", 1
MOST_BYTES = 1 << 28

_PLAIN = ("name", "view", "activity", "direction", "fps", "capture_fps", "speed_kmh", "height_m", "source")
_MAY_BE_NAN = ("fps", "speed_kmh", "height_m")
_ARRAYS = tuple(field.name for field in fields(Statistics) if field.name != "names")


def write_baseline(baseline: Baseline, folder: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a baseline; see `Baseline.save`."""
    place = make_folder(folder)
    check_target(place / FILE, overwrite=overwrite)
    contents = {"statistics.npz": to_npz(_arrays(baseline.judge))}
    if baseline.judge.autoencoder is not None:
        contents["autoencoder.onnx"] = baseline.judge.autoencoder.model
    files = {}
    for kind, data in contents.items():
        digest = hashlib.sha256(data).hexdigest()
        stem, _, suffix = kind.partition(".")
        files[kind] = {"name": f"{stem}-{digest[:8]}.{suffix}", "sha256": digest}
        write_bytes(place / files[kind]["name"], data)
    table = _table(baseline, files)
    write_bytes(place / FILE, (json.dumps({**table, "sha256": _digest(table)}, indent=2) + "\n").encode())
    _remove_old(place, {file["name"] for file in files.values()})


def read_baseline(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the fields of the `Baseline` in a folder; see `Baseline.load`."""
    place = Path(folder)
    table = _read_table(place)
    try:
        files = {kind: _read_file(place, file) for kind, file in table["files"].items()}
        arrays = from_npz(files["statistics.npz"], f"{place}/{table['files']['statistics.npz']['name']}")
        return {
            **{name: table[name] for name in _PLAIN},
            **{name: math.nan if table[name] is None else table[name] for name in _MAY_BE_NAN},
            "options": MotionOptions(**table["options"]),
            "clips": tuple(_clip(clip) for clip in table["clips"]),
            "doubts": tuple(table["doubts"]),
            "judge": _judge(table["method"], arrays, files.get("autoencoder.onnx")),
        }
    except (KeyError, TypeError, AttributeError, InputError) as problem:
        raise IntegrityError(f"{place}/{FILE} is no whole baseline ({problem!r}): make it again") from problem


def _arrays(judge: Judge) -> dict[str, Array]:
    statistics, tuned = judge.statistics, judge.autoencoder
    arrays = {name: getattr(statistics, name) for name in _ARRAYS}
    arrays |= {"names": np.array(statistics.names), "own_parts": judge.own_parts}
    if tuned is not None:
        arrays |= {"network_known": tuned.known, "network_mean": tuned.scale.mean, "network_sd": tuned.scale.sd}
    return arrays


def _table(baseline: Baseline, files: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what calibration.json says."""
    found: dict[str, Any] = strict(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "salticid": __version__,
            **{name: getattr(baseline, name) for name in _PLAIN},
            "model_sha256": _model_sha256(baseline),
            "options": asdict(baseline.options),
            "method": baseline.judge.method,
            "clips": [asdict(clip) for clip in baseline.clips],
            "warnings": baseline.warnings,
            "doubts": baseline.doubts,
            "threshold": _threshold(baseline),
            "features": _features(baseline.judge.statistics),
            "files": files,
        }
    )
    return found


def _model_sha256(baseline: Baseline) -> str | None:
    """Return the digest of the network that found the joints; None where a file had them, or it is not here."""
    sha256 = card(baseline.options.model).sha256
    return sha256 if f"{baseline.options.model} {sha256[:8]}" in baseline.source else None


def _threshold(baseline: Baseline) -> dict[str, Any]:
    return {
        "method": METHOD,
        "level": LEVEL,
        "prior_degrees_of_freedom": PRIOR_SCORES,
        "prior_log_sd": PRIOR_LOG_SD,
        "limit": baseline.limit.value,
        "leave_one_clip_out_scores": baseline.own_scores,
    }


def _features(statistics: Statistics) -> dict[str, Any]:
    """Return the person's own numbers, as a reader wants them."""
    units = {row.feature.name: row.feature.unit for row in ROWS}
    found = {}
    for column, name in enumerate(statistics.names):
        group, _, key = name.partition("/")
        if group != GROUPS[0]:
            continue
        numbers = {field: getattr(statistics, field)[column] for field in ("mean", "sd", "low", "high")}
        own = [float(value) for value in statistics.values[:, column]]
        found[key] = {"unit": units.get(key.partition(".")[0], "%"), **numbers, "clips": own}
    return {"prior_degrees_of_freedom": PRIOR_CLIPS, "own": found}


def _digest(table: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(table).encode()).hexdigest()


def _remove_old(place: Path, kept: set[str]) -> None:
    """Remove the arrays of a baseline that was replaced."""
    for pattern in ("statistics-????????.npz", "autoencoder-????????.onnx"):
        for path in place.glob(pattern):
            if path.name not in kept and _is_ours(path):
                path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Say whether a file is named by its own digest, as `write_baseline` does: another's file is not removed."""
    return path.is_file() and path.stem.endswith(f"-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}")


def _read_table(place: Path) -> dict[str, Any]:
    if not (place / FILE).is_file():
        raise InputError(
            f"{place} holds no baseline: there is no {FILE} in it; make one with 'salticid motion baseline'"
        )
    data, name = read_bytes(place / FILE, max_bytes=MOST_BYTES)
    try:
        table = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise IntegrityError(f"{name} is damaged ({problem}): make the baseline again") from problem
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise InputError(f"{name} is no baseline of motion")
    version = table.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(f"{name} is of a newer version ({version!r}, known is {FORMAT_VERSION}): update salticid")
    digest = table.pop("sha256", None)
    if digest != _digest(table):
        raise IntegrityError(
            f"{name} was changed after it was written: make the baseline again, or fetch the whole file"
        )
    return table


def _read_file(place: Path, file: Mapping[str, str]) -> bytes:
    path = place / Path(file["name"]).name
    if not path.is_file():
        raise IntegrityError(f"{path} is missing: the folder of a baseline is copied as a whole")
    data, name = read_bytes(path, max_bytes=MOST_BYTES)
    if hashlib.sha256(data).hexdigest() != file["sha256"]:
        raise IntegrityError(f"{name} is not the file that {FILE} was written with: make the baseline again")
    return data


def _judge(method: Any, arrays: Mapping[str, Array], model: bytes | None) -> Judge:
    statistics = Statistics(tuple(arrays["names"].tolist()), **{name: arrays[name] for name in _ARRAYS})
    tuned = None
    if model is not None:
        tuned = Autoencoder(arrays["network_known"], Scale(arrays["network_mean"], arrays["network_sd"]), model)
    return Judge(method, statistics, arrays["own_parts"], tuned)


def _clip(table: Mapping[str, Any]) -> ClipReport:
    """Return a report; JSON's null stands for nan."""
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in table.items()}
    values["warnings"] = tuple(table["warnings"])
    return ClipReport(**values)
