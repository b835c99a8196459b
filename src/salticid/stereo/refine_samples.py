"""What the refinement network learns from: pairs with truth, as our matcher sees them.

Each pair is matched as it is, and again with the noise, exposure, blur and vertical error of worse cameras. Pixels
where it matters which candidate is taken are rare, and are drawn more often; their weight makes up for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.core import image
from salticid.core.types import Array, FloatMap, Image, Mask
from salticid.engine.patches import Plane, Tap, gather
from salticid.errors import InputError
from salticid.stereo.evaluate import Scene, load_truth, search_range
from salticid.stereo.fill import STEPS_PER_PX, to_px
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.refine_maps import FAR, FILLED, NEAR, refinement_maps
from salticid.stereo.refine_network import TAPS
from salticid.stereo.simulate import simulate_pair

CANDIDATES = (FILLED, NEAR, FAR)

NOISE = (0.0, 5.0)  # gray levels, standard deviation
GAIN = (0.8, 1.25)  # of the right view
BLUR_PX = (0.0, 1.0)  # standard deviation, of either view
VERTICAL_PX = (-0.5, 0.5)  # by which the right view is too low

DECISIVE_PX = (1.0, 2.0)  # where candidates lie on both sides of one of these errors, the choice matters
RARELY = 0.05  # how often other pixels are drawn, beside those
MOST_WEIGHT = 20.0
SEED = 1  # of which pixels are drawn


@dataclass(frozen=True, slots=True, eq=False)
class TruePair:
    """A pair of views with truth, and how far to search."""

    name: str
    group: str
    left: Image  # (H, W) or (H, W, 3) uint8
    right: Image
    truth_px: FloatMap  # (H, W) float32
    counted: Mask  # (H, W): seen by both views, and with a truth
    num_disparities: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A pair as the network sees it."""

    pair: TruePair
    maps: tuple[Plane, ...]
    disparity_px: FloatMap  # of the matcher, nan where unknown
    confidence: FloatMap

    def errors_px(self, candidates: Sequence[int] = CANDIDATES) -> FloatMap:
        """Return by how much maps are off at the pixels that count, (N, candidates) float32, with its sign.

        Where the first of them is what was measured, it counts as it was measured, and not in sixteenths.
        """
        counted = self.pair.counted
        first, *others = (self.maps[number][counted] for number in candidates)
        rounded = [steps.astype(np.float32) / STEPS_PER_PX for steps in others]
        return np.stack([to_px(first, self.disparity_px[counted]), *rounded], 1) - self.pair.truth_px[counted, None]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Pixels to learn from."""

    inputs: NDArray[np.uint8]  # (N, taps)
    errors_px: FloatMap  # (N, candidates)
    weights: NDArray[np.float32]  # (N,): how many pixels each stands for, over the mean

    @staticmethod
    def joined(parts: Sequence[Samples]) -> Samples:
        """Return the samples of several pairs as one."""
        return Samples(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.errors_px for part in parts]),
            np.concatenate([part.weights for part in parts]),
        )


def read_pair(scene: Scene) -> TruePair:
    """Read a scene of `evaluate.find_scenes`."""
    truth_px, counted = load_truth(scene)
    left, right = image.read_image(scene.left), image.read_image(scene.right)
    return TruePair(scene.name, scene.group, left, right, truth_px, counted, search_range(scene))


def simulated_pair(seed: int) -> TruePair:
    """Return a pair of the simulator, 480x360."""
    made = simulate_pair(480, 360, seed=seed, noise=1.0 + seed % 3)
    search = int(np.ceil(made.disparity_left_px.max() / 16)) * 16
    return TruePair(
        f"simulated{seed}", "simulated", made.left, made.right, made.disparity_left_px, made.visible, search
    )


def see(pair: TruePair, *, profile: str = "quality", threads: int = 1) -> View:
    """Match a pair and make the maps of it."""
    matcher = StereoMatcher(profile=profile, num_disparities=pair.num_disparities, threads=threads)
    found = matcher(pair.left, pair.right)
    maps = refinement_maps(found.disparity_px, found.confidence, pair.left, threads=threads)
    return View(pair, maps, found.disparity_px, found.confidence)


def worsened(pair: TruePair, random: np.random.Generator) -> TruePair:
    """Return the pair as worse cameras would have taken it; the truth stays."""
    left, right = _blurred(pair.left, random), _blurred(_lowered(pair.right, random.uniform(*VERTICAL_PX)), random)
    noise, gain = random.uniform(*NOISE), random.uniform(*GAIN)
    return dataclasses.replace(
        pair, left=_exposed(left, 1.0, noise, random), right=_exposed(right, gain, noise, random)
    )


def draw_pixels(errors_px: FloatMap, count: int, random: np.random.Generator) -> tuple[NDArray[np.intp], Array]:
    """Return which pixels to learn from, about `count`, and their weights; each pixel is drawn by itself."""
    if not len(errors_px):
        raise InputError("a scene has no pixel with a truth that both views see: leave it out")
    off = np.abs(errors_px)
    decisive = np.zeros(len(off), bool)
    for limit in DECISIVE_PX:
        wrong = off > limit
        decisive |= wrong.any(axis=1) & ~wrong.all(axis=1)
    few, many = int(decisive.sum()), int((~decisive).sum())
    share = count / (few + RARELY * many)  # of the decisive ones; of the others, if all of those are taken, more
    others = RARELY * share if share <= 1 else (count - few) / max(many, 1)
    chance = np.minimum(np.where(decisive, share, others), 1)
    drawn = np.flatnonzero(random.random(len(off)) < chance)
    weights = (chance.mean() / chance[drawn]).clip(0, MOST_WEIGHT).astype(np.float32)
    return drawn, weights


def samples_of(views: Sequence[View], taps: Sequence[Tap], count: int, candidates: Sequence[int]) -> Samples:
    """Return about `count` pixels of each view of a pair, the same ones every time.

    Parameters
    ----------
    taps
        What the inputs are.
    candidates
        The maps to choose from; the first is the one that what was measured is part of.
    """
    random = np.random.default_rng(SEED)
    return Samples.joined([_drawn(view, taps, count, candidates, random) for view in views])


def training_samples(pairs: Sequence[Sequence[View]], count: int) -> Samples:
    """Return what the refinement network learns from the views of all pairs, about `count` pixels of each."""
    return Samples.joined([samples_of(views, TAPS, count, CANDIDATES) for views in pairs])


def _drawn(
    view: View, taps: Sequence[Tap], count: int, candidates: Sequence[int], random: np.random.Generator
) -> Samples:
    errors_px = view.errors_px(candidates)
    chosen, weights = draw_pixels(errors_px, count, random)
    mask = np.zeros(view.pair.counted.shape, bool)
    mask[tuple(axis[chosen] for axis in np.nonzero(view.pair.counted))] = True
    return Samples(gather(taps, view.maps, mask), errors_px[chosen], weights)


def training_views(pairs: Sequence[TruePair], *, variants: int, seed: int, threads: int) -> Iterator[list[View]]:
    """Yield for each pair what the matcher makes of it: as it is, then worsened in `variants` ways."""
    for number, pair in enumerate(pairs):
        random = np.random.default_rng((seed, number))
        yield [see(version, threads=threads) for version in (pair, *(worsened(pair, random) for _ in range(variants)))]


def _exposed(view: Array, gain: float, noise: float, random: np.random.Generator) -> Image:
    return np.rint(view * gain + random.normal(0, noise, view.shape)).clip(0, 255).astype(np.uint8)


def _blurred(view: Image, random: np.random.Generator) -> Array:
    sigma = random.uniform(*BLUR_PX)
    return cv2.GaussianBlur(view, (0, 0), sigma) if sigma > 0.3 else view


def _lowered(view: Image, by_px: float) -> Image:
    height, width = view.shape[:2]
    moved = cv2.warpAffine(
        view, np.array([[1, 0, 0], [0, 1, by_px]], np.float32), (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)
