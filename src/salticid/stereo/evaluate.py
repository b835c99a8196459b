"""Accuracy on scenes with ground truth, under the three protocols that papers use.

    val    only pixels with a disparity count
    all    a pixel without a disparity counts as bad
    fill   holes are filled from the row's background first, so that every pixel has a disparity

Pixels that the other view does not show are left out where the data tells (non-occluded, as Middlebury does); a set
with the truth of one view alone does not tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core import image, metrics, pfm
from salticid.core.image_header import read_header
from salticid.core.types import Array, FloatMap, Mask
from salticid.errors import InputError
from salticid.stereo.calibration import Calibration
from salticid.stereo.fill import fill_background
from salticid.stereo.matching import StereoMatcher

THRESHOLDS_PX = (0.5, 1.0, 2.0)
CROSS_CHECK_PX = 1.0  # left and right truth may differ by this much where a point is seen by both

# Value per pixel of disparity in Middlebury's 8-bit truth of 2001 and 2003, and how far to search.
SCALE_2001, SEARCH_2001 = 8, 32
SCALES_2003 = {"tsukuba": 16, "cones": 4, "teddy": 4}
SEARCH_2003 = {"cones": 64, "teddy": 64}
ALOE_SEARCH = 224
DEFAULT_SEARCH = 128
RIG_FILES = ("calib.txt", "calib.json")


@dataclass(frozen=True, slots=True)
class Scene:
    """One pair with ground truth, as files."""

    group: str
    name: str
    left: str
    right: str
    truth: str
    other_truth: str | None  # the right view's, for the occlusion check
    visible: str | None  # a mask instead, 255 where both views see the point


def find_scenes(root: Path) -> list[Scene]:
    """Return the scenes below `root`, in the layouts of Middlebury 2001 to 2014 and of `salticid stereo simulate`.

    Nothing is read: a scene with a broken file is found too.

    Raises
    ------
    InputError
        There is no such folder, or no scene in it.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder")
    folders = sorted(Path(folder) for folder, _, _ in os.walk(root.resolve()))  # those that can be read
    scenes = [scene for folder in folders for scene in _scenes_in(folder)]
    if not scenes:
        names = ", ".join(layout.left for layout in _LAYOUTS)
        raise InputError(f"no stereo scene with truth below {root}: a scene is a folder with {names} and its truth")
    return scenes


def evaluate_scene(request: Mapping[str, Any]) -> dict[str, Any]:
    """Match one scene and return its accuracy: what a pool's worker is given is `{"scene": ..., "options": ...}`.

    Returns
    -------
    dict
        group, name, density (0..1), bad_N_val, bad_N_all, bad_N_fill (percent), mae_val_px, mae_fill_px, auc, ms.
    """
    scene = Scene(**request["scene"])
    truth_px, counted = load_truth(scene)
    matcher = StereoMatcher(**{"num_disparities": search_range(scene), **request["options"]})
    found = matcher(image.read_gray(scene.left), image.read_gray(scene.right))
    accuracy = measure(found.disparity_px, truth_px, counted)
    right_px = np.abs(found.disparity_px - truth_px) <= 1
    known = counted & np.isfinite(found.disparity_px)
    auc = metrics.roc_auc(found.confidence[known], right_px[known])
    return {"group": scene.group, "name": scene.name, **accuracy, "auc": auc, "ms": sum(found.latency_ms.values())}


def measure(disparity_px: FloatMap, truth_px: FloatMap, counted: Mask) -> dict[str, float]:
    """Return the accuracy of a disparity map over the pixels `counted`.

    Parameters
    ----------
    disparity_px, truth_px
        (H, W) float32; nan where unknown.
    counted
        (H, W) bool, pixels with truth.
    """
    known = counted & np.isfinite(disparity_px)
    filled_px = fill_background(disparity_px)
    figures = {"density": metrics.density(disparity_px, truth_px, counted) / 100}
    for threshold in THRESHOLDS_PX:
        figures[f"bad_{threshold:g}_val"] = metrics.bad_n(disparity_px, truth_px, threshold, known)
        figures[f"bad_{threshold:g}_all"] = metrics.bad_n(disparity_px, truth_px, threshold, counted)
        figures[f"bad_{threshold:g}_fill"] = metrics.bad_n(filled_px, truth_px, threshold, counted)
    figures["mae_val_px"] = metrics.epe(disparity_px, truth_px, counted)
    figures["mae_fill_px"] = metrics.epe(filled_px, truth_px, counted)
    return figures


def mean_by_group(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per group: the mean of every figure over its scenes, nan left out."""
    groups = dict.fromkeys(row["group"] for row in rows)
    return [_mean([row for row in rows if row["group"] == group]) for group in groups]


def load_truth(scene: Scene) -> tuple[FloatMap, Mask]:
    """Return the scene's true disparity, nan where unknown, and the pixels that count.

    Raises
    ------
    InputError
        A file is broken, or the files differ in size.
    """
    scale = _truth_scale(scene)
    truth_px = _read_truth(scene.truth, scale)
    counted: Mask = np.isfinite(truth_px)
    if scene.visible is not None:
        counted &= _same_size(image.read_gray(scene.visible), truth_px, scene.visible) == 255
    elif scene.other_truth is not None:
        other_px = _same_size(_read_truth(scene.other_truth, scale), truth_px, scene.other_truth)
        counted &= _seen_by_both(truth_px, other_px)
    return truth_px, counted


def search_range(scene: Scene) -> int:
    """Return how many disparities the scene needs, px: what each data set's own notes say."""
    left = Path(scene.left)
    if scene.truth.endswith(".pfm"):
        rigs = rig_files(scene)
        hint = Calibration.load(rigs[0]).num_disparities if rigs else None
        return hint or DEFAULT_SEARCH
    if left.name == "aloeL.jpg":
        return ALOE_SEARCH
    if left.name == "im2.png":
        return SEARCH_2003.get(scene.name, SEARCH_2001)
    return -(-255 // int(_truth_scale(scene)))


def rig_files(scene: Scene) -> list[Path]:
    """Return the calibration files that lie beside the views."""
    return [path for name in RIG_FILES if (path := Path(scene.left).with_name(name)).is_file()]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The file names of one kind of scene folder."""

    left: str
    right: str
    truth: str
    other_truth: str | None = None
    visible: str | None = None


_LAYOUTS = (
    _Layout("im0.png", "im1.png", "disp0GT.pfm", visible="mask0nocc.png"),
    _Layout("im0.png", "im1.png", "disp0.pfm", "disp1.pfm"),
    _Layout("view1.png", "view5.png", "disp1.png", "disp5.png"),
    _Layout("im2.png", "im6.png", "disp2.png", "disp6.png"),
    _Layout("aloeL.jpg", "aloeR.jpg", "aloeGT.png"),
    _Layout("left.png", "right.png", "disparity_left.pfm", visible="visible.png"),
)


def _scenes_in(folder: Path) -> Iterator[Scene]:
    for layout in _LAYOUTS:
        if all((folder / name).is_file() for name in (layout.left, layout.right, layout.truth)):
            yield Scene(
                group=folder.name if layout.left == "aloeL.jpg" else folder.parent.name,
                name=folder.name,
                left=str(folder / layout.left),
                right=str(folder / layout.right),
                truth=str(folder / layout.truth),
                other_truth=_existing(folder, layout.other_truth),
                visible=_existing(folder, layout.visible),
            )
            return


def _truth_scale(scene: Scene) -> float:
    """Return the truth's value per pixel of disparity."""
    left = Path(scene.left)
    if scene.truth.endswith(".pfm") or left.name == "aloeL.jpg":
        return 1.0
    if left.name == "im2.png":
        return SCALES_2003.get(scene.name, SCALE_2001)
    # Middlebury 2005 and 2006 come in full, half and third size; values are always those of the full size.
    width = read_header(left.read_bytes(), str(left)).width
    return 3.0 if width < 500 else 2.0 if width < 750 else 1.0


def _same_size(values: Array, truth_px: FloatMap, path: str) -> Array:
    if values.shape != truth_px.shape:
        raise InputError(
            f"{path} is {values.shape[1]}x{values.shape[0]}, the truth {truth_px.shape[1]}x{truth_px.shape[0]}"
        )
    return values


def _existing(folder: Path, name: str | None) -> str | None:
    return str(folder / name) if name is not None and (folder / name).is_file() else None


def _read_truth(path: str, scale: float) -> FloatMap:
    if path.endswith(".pfm"):
        return pfm.read_pfm(path)
    values = image.read_gray(path).astype(np.float32)
    return np.where(values > 0, values / np.float32(scale), np.float32(np.nan))


def _seen_by_both(truth_px: FloatMap, other_px: FloatMap) -> Mask:
    """Return where the right view's truth at the matched column agrees with the left's."""
    width = truth_px.shape[1]
    known = np.isfinite(truth_px)
    column = np.arange(width) - np.rint(np.where(known, truth_px, 0)).astype(np.intp)
    matched = np.take_along_axis(other_px, column.clip(0, width - 1), axis=1)
    seen: Mask = known & (column >= 0) & (np.abs(matched - truth_px) <= CROSS_CHECK_PX)
    return seen


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    numbers = [key for key, value in rows[0].items() if isinstance(value, float)]
    return {"group": rows[0]["group"], "scenes": len(rows), **{key: _mean_known(rows, key) for key in numbers}}


def _mean_known(rows: list[dict[str, Any]], key: str) -> float:
    known = [row[key] for row in rows if not np.isnan(row[key])]
    return float(np.mean(known)) if known else float("nan")
