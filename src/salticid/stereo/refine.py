"""Refinement of a matched map: holes filled, edges set right, and how sure each pixel is.

    refiner = Refiner()
    refined = refiner(found.disparity_px, found.confidence, found.image)

A network of 8 KB chooses among three ways of filling and smoothing and moves what it chose by up to 1 px
(`refine_network.py`). Without it the best of the three rules answers: `filled` where pixels around are alike, else
`near` (`refine_maps.py`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from salticid.core import native
from salticid.core.recycle import Recycler
from salticid.core.types import FloatMap, Image, Mask
from salticid.engine.patch_kernels import packed
from salticid.engine.patches import PatchNetwork, Plane
from salticid.errors import InputError
from salticid.stereo import refine_network
from salticid.stereo.fill import FilledMap, channels_of, check_view, to_px, too_large
from salticid.stereo.filters import check_map, check_threads
from salticid.stereo.refine_maps import FAR, FILLED, NEAR, refinement_maps_reference
from salticid.stereo.refine_network import FAR_SCORE, NEAR_SCORE, RESIDUAL, RESIDUAL_STEP_PX, SURE

Method = Literal["network", "classical"]

MOST_RESIDUAL = 256  # steps of 1/256 px
LOGITS = 256  # entries of the table that turns the network's confidence into a probability
LOGIT_STEP = 1 / 16  # between two entries


@dataclass(frozen=True, slots=True, eq=False)
class RefinedMap(FilledMap):
    """A disparity for every pixel, which of them were measured, and how sure each is."""

    confidence: FloatMap  # (H, W) float32, 0..1: of the network the probability of an error of at most 1 px
    method: Method  # who refined; the classical rules leave the matcher's confidence, 0 for guesses


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceTable:
    """What the network's last output stands for."""

    probability: NDArray[np.float32]  # (256,), of the logits around 0
    shift: int  # of an output, to its entry; what lies beyond takes the last one

    def __call__(self, outputs: NDArray[np.int16]) -> FloatMap:
        """Return the probability for each output, float32."""
        entries = (outputs >> self.shift).clip(-LOGITS // 2, LOGITS // 2 - 1)
        found: FloatMap = self.probability[LOGITS // 2 + entries]
        return found


class Refiner:
    """Refines the maps of a matcher; keeps its memory from one map to the next."""

    def __init__(
        self,
        model: str | os.PathLike[str] | None = refine_network.MODEL,
        *,
        threads: int = 1,
        instruction_set: str | None = None,
    ) -> None:
        """Load a network.

        Parameters
        ----------
        model
            Name of a card, or a file that `salticid train refine` wrote; None: the classical rules.
        threads
            Threads to work with. The result does not depend on it.
        instruction_set
            One of `salticid.core.native.instruction_sets()`, or None for the best. The result is the same for all.

        Raises
        ------
        InputError, MissingError, IntegrityError
            There is no such model or instruction set, or the file is damaged.
        """
        check_threads(threads)
        chosen = native.choose(instruction_set)
        self.threads = threads
        self.method: Method = "classical" if model is None else "network"
        self._network = None if model is None else refine_network.load(model).patch_network()
        self._confidence = None if self._network is None else confidence_table(self._network)
        kernels = native.load()
        self._kernels: Any = kernels.Refinement(chosen) if kernels else None
        self._packed = packed(kernels, self._network, chosen) if kernels and self._network else None
        self._results = Recycler()

    def __call__(
        self, disparity_px: FloatMap, confidence: FloatMap, image: Image, *, mask: Mask | None = None
    ) -> RefinedMap:
        """Refine one map.

        Parameters
        ----------
        disparity_px
            (H, W) float32, of at least one pixel, -2047 to 2047 px; unknown where it is not finite.
        confidence
            (H, W) float32, 0..1, of the matcher; nan counts as 0.
        image
            (H, W) or (H, W, 3) uint8, the view that the map belongs to. Color helps.
        mask
            (H, W) bool, the pixels that the network looks at; the others get the classical rules. None: all.

        Returns
        -------
        RefinedMap
            All nan, of confidence 0, if no pixel is known.

        Raises
        ------
        InputError
            The arrays are not such, or differ in size, or a disparity is too large.
        """
        check_view(disparity_px, image)
        check_map("confidence", confidence)
        if confidence.shape != disparity_px.shape:
            raise InputError(
                f"confidence is {confidence.shape} and disparity_px {disparity_px.shape}: give both of one map"
            )
        if mask is not None:
            _check_mask(mask, disparity_px.shape)
        measured = np.isfinite(disparity_px)
        if not measured.any():
            nothing = np.full_like(disparity_px, np.nan)
            return RefinedMap(nothing, measured, np.zeros_like(nothing), self.method)
        arrays = np.ascontiguousarray(disparity_px), np.ascontiguousarray(confidence), channels_of(image)
        refined = self._by_kernels(*arrays, mask) if self._kernels else self._by_numpy(*arrays, mask)
        return RefinedMap(refined[0], measured, refined[1], self.method)

    def _by_kernels(
        self, disparity_px: FloatMap, confidence: FloatMap, image: Image, mask: Mask | None
    ) -> tuple[FloatMap, FloatMap]:
        shape = disparity_px.shape
        results = self._results.empty(shape, np.float32), self._results.empty(shape, np.float32)
        given = disparity_px, confidence, image
        if self._packed is None or self._confidence is None:
            done = self._kernels.smooth(*given, *results, self.threads)
        else:
            wanted = None if mask is None else np.ascontiguousarray(mask)
            table = self._confidence.probability, self._confidence.shift
            done = self._kernels.choose(self._packed, *table, *given, wanted, *results, self.threads)
        if not done:
            raise too_large(disparity_px)
        return results

    def _by_numpy(
        self, disparity_px: FloatMap, confidence: FloatMap, image: Image, mask: Mask | None
    ) -> tuple[FloatMap, FloatMap]:
        maps = refinement_maps_reference(disparity_px, confidence, image)
        known = np.isfinite(disparity_px)
        kept = np.where(maps[NEAR] == maps[FILLED], disparity_px, np.float32(np.nan))
        counts = known & (confidence > 0)  # nan does not
        sure = np.where(counts, np.minimum(confidence, np.float32(1)), np.float32(0))
        classical = to_px(maps[NEAR], kept), sure
        if self._network is None or self._confidence is None:
            return classical
        chosen = chosen_by(self._network(maps, mask), maps, disparity_px, self._confidence)
        if mask is None:
            return chosen
        return np.where(mask, chosen[0], classical[0]), np.where(mask, chosen[1], classical[1])


def _check_mask(mask: Mask, shape: tuple[int, ...]) -> None:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != shape:
        given = f"{mask.shape} {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise InputError(f"mask must be {shape} bool, not {given}")


def chosen_by(
    outputs: NDArray[np.int16], maps: tuple[Plane, ...], disparity_px: FloatMap, confidence: ConfidenceTable
) -> tuple[FloatMap, FloatMap]:
    """Return disparity and confidence, (H, W) float32, that the network's outputs (H, W, 4) stand for."""
    near, far = outputs[..., NEAR_SCORE], outputs[..., FAR_SCORE]
    other = (near > 0) | (far > 0)
    steps = np.where(other, np.where(near >= far, maps[NEAR], maps[FAR]), maps[FILLED])
    chosen_px = to_px(steps, np.where(other, np.float32(np.nan), disparity_px))
    residual = outputs[..., RESIDUAL].clip(-MOST_RESIDUAL, MOST_RESIDUAL).astype(np.float32)
    return chosen_px + residual * np.float32(RESIDUAL_STEP_PX), confidence(outputs[..., SURE])


def confidence_table(network: PatchNetwork) -> ConfidenceTable:
    """Return what the network's last output stands for."""
    scale = float(network.network.layers[-1].scale[SURE])  # a power of two
    step = max(LOGIT_STEP, scale)
    logits = (np.arange(-LOGITS // 2, LOGITS // 2) + 0.5) * step
    return ConfidenceTable((1 / (1 + np.exp(-logits))).astype(np.float32), round(np.log2(step / scale)))
