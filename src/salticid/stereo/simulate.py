"""A simulated stereo pair with exact disparity for both views.

A textured sphere, slanted planes and steps stand before a slanted wall. Every pixel's ray is intersected with the
surfaces in closed form, in both cameras, so disparity and visibility are exact; color is a function of the point that
was hit, so both views see the same paint.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np

from salticid.core.image import write_image
from salticid.core.pfm import write_pfm
from salticid.core.types import Array, FloatMap, Image, Mask
from salticid.errors import InputError
from salticid.stereo.calibration import Calibration

BASELINE_MM = 70.0
SAMPLES = 2  # rays per pixel and axis for color; disparity is that of the pixel's center
OCTAVES = ((60.0, 1.0), (22.0, 0.8), (8.0, 0.6), (3.0, 0.5))  # wavelength in mm, amplitude
SLACK = 1e-9  # a point is hidden when something lies before it by more than this share of its depth: rounding
SIDE_RANGE_PX = (16, 8192)
ASPECT_LIMIT = 4  # beyond 1:4 a ray can miss the wall
SEED_LIMIT = 1 << 32
LEVEL_LIMIT = 1e6  # of noise and gain: far beyond it sums overflow


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A rectangle z = z0 + sx * x + sy * y over x in [x0, x1], y in [y0, y1]; mm."""

    z0: float
    sx: float = 0.0
    sy: float = 0.0
    bounds: tuple[float, float, float, float] = (-1e9, 1e9, -1e9, 1e9)

    def hit(self, origin_x: float, rays: Array) -> FloatMap:
        """Return the depth at which `rays` (H, W, 3), z = 1, from (origin_x, 0, 0) meet it; inf where they miss."""
        slope = 1 - self.sx * rays[..., 0] - self.sy * rays[..., 1]
        z = (self.z0 + self.sx * origin_x) / np.where(slope == 0, np.nan, slope)
        x, y = origin_x + z * rays[..., 0], z * rays[..., 1]
        x0, x1, y0, y1 = self.bounds
        inside = (z > 0) & (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        return np.where(inside, z, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Sphere:
    """A ball; mm."""

    center: tuple[float, float, float]
    radius: float

    def hit(self, origin_x: float, rays: Array) -> FloatMap:
        """Return the depth of the nearer intersection; inf where the rays miss."""
        to_center = np.array(self.center) - [origin_x, 0, 0]
        a = (rays**2).sum(-1)
        b = rays @ to_center
        discriminant = b**2 - a * (to_center @ to_center - self.radius**2)
        near = (b - np.sqrt(np.maximum(discriminant, 0))) / a
        return np.where((discriminant >= 0) & (near > 0), near, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class ScenePair:
    """Both views and what is true about them."""

    left: Image  # (H, W, 3) uint8
    right: Image
    disparity_left_px: FloatMap  # (H, W) float32, known everywhere
    disparity_right_px: FloatMap
    visible: Mask  # (H, W): the left pixel's point is seen by the right camera too
    rig: Calibration

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write left.png, right.png, disparity_left.pfm, disparity_right.pfm, visible.png and calib.json.

        Raises
        ------
        InputError
            The folder cannot be made or written, or a file is there and `overwrite` is false.
        """
        place = Path(folder)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InputError(f"cannot make the folder {place}: {problem.strerror}; choose another one") from None
        if not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"cannot write to the folder {place}: you are not allowed to; choose another one")
        write_image(place / "left.png", self.left, overwrite=overwrite)
        write_image(place / "right.png", self.right, overwrite=overwrite)
        write_image(place / "visible.png", self.visible.astype(np.uint8) * 255, overwrite=overwrite)
        write_pfm(place / "disparity_left.pfm", self.disparity_left_px, overwrite=overwrite)
        write_pfm(place / "disparity_right.pfm", self.disparity_right_px, overwrite=overwrite)
        self.rig.save(place / "calib.json", overwrite=overwrite)


def simulate_pair(
    width: int = 640, height: int = 480, *, seed: int = 0, noise: float = 2.0, gain: float = 1.04
) -> ScenePair:
    """Return one simulated pair.

    Parameters
    ----------
    width, height
        Size of the views in px: 16 to 8192, and neither more than 4 times the other.
    seed
        Chooses the paint and the noise, 0 to 2**32 - 1; the same seed gives the same bits.
    noise
        Standard deviation of the sensor noise in gray levels.
    gain
        Exposure of the right camera relative to the left.

    Raises
    ------
    InputError
        An argument is out of its range.
    """
    _check_arguments(width, height, seed=seed, noise=noise, gain=gain)
    seed = int(seed)
    focal_px = 0.9 * width
    center = ((width - 1) / 2, (height - 1) / 2)
    rig = Calibration.rectified(
        focal_px=focal_px, baseline_mm=BASELINE_MM, center_px=center, image_size=(width, height)
    )
    surfaces = _surfaces(height / width)
    depth_left, _ = _trace(surfaces, 0.0, _rays(rig))
    depth_right, _ = _trace(surfaces, BASELINE_MM, _rays(rig))
    largest_px = focal_px * BASELINE_MM / min(depth_left.min(), depth_right.min())
    random = np.random.default_rng(seed)
    views = [_view(surfaces, origin_x, rig, seed) * level for origin_x, level in ((0.0, 1.0), (BASELINE_MM, gain))]
    left, right = (_exposed(view, noise, random) for view in views)
    return ScenePair(
        left=left,
        right=right,
        disparity_left_px=(focal_px * BASELINE_MM / depth_left).astype(np.float32),
        disparity_right_px=(focal_px * BASELINE_MM / depth_right).astype(np.float32),
        visible=_visible(surfaces, depth_left, rig),
        rig=dataclasses.replace(rig, num_disparities=int(-(-largest_px // 16) * 16)),
    )


def _check_arguments(width: int, height: int, *, seed: int, noise: float, gain: float) -> None:
    low, high = SIDE_RANGE_PX
    whole = isinstance(width, Integral) and isinstance(height, Integral)
    if not whole or min(width, height) < low or max(width, height) > high:
        raise InputError(f"a simulated view must be {low} to {high} px wide and high, not {width}x{height}")
    if max(width, height) > ASPECT_LIMIT * min(width, height):
        raise InputError(f"a simulated view must be 1:{ASPECT_LIMIT} to {ASPECT_LIMIT}:1, not {width}x{height}")
    if not isinstance(seed, Integral) or not 0 <= seed < SEED_LIMIT:
        raise InputError(f"seed must be a whole number, 0 to {SEED_LIMIT - 1}, not {seed}")
    for name, value in (("noise", noise), ("gain", gain)):
        if not 0 <= value <= LEVEL_LIMIT:
            raise InputError(f"{name} must be 0 to {LEVEL_LIMIT:g}, not {value}")


def _surfaces(aspect: float) -> list[Plane | Sphere]:
    """Return the scene: a wall, two slanted boards, a flight of steps, a ball."""
    low = 330.0 * aspect
    steps = [
        Plane(820.0 - 45 * k, bounds=(-330.0 + 75 * k, -255.0 + 75 * k, low - 200 + 20 * k, 1e9)) for k in range(4)
    ]
    return [
        Plane(1250.0, sx=0.25, sy=-0.35),
        Plane(900.0, sx=0.6, bounds=(120.0, 330.0, -low - 40, -low + 230)),
        Plane(760.0, sy=-0.7, bounds=(-300.0, -90.0, -low + 40, -low + 220)),
        *steps,
        Sphere((110.0, 70.0, 690.0), 120.0),
    ]


def _rays(rig: Calibration, dx: float = 0.0, dy: float = 0.0) -> Array:
    """Return the directions, z = 1, of all pixels shifted by (dx, dy) px, (H, W, 3)."""
    width, height = rig.image_size
    x = (np.arange(width) + dx - rig.P1[0, 2]) / rig.focal_px
    y = (np.arange(height) + dy - rig.P1[1, 2]) / rig.focal_px
    return np.stack([*np.meshgrid(x, y), np.ones((height, width))], axis=-1)


def _trace(surfaces: list[Plane | Sphere], origin_x: float, rays: Array) -> tuple[Array, Array]:
    """Return the depth of the nearest surface along each ray, and which it is."""
    depths = np.stack([surface.hit(origin_x, rays) for surface in surfaces])
    return depths.min(axis=0), depths.argmin(axis=0)


def _view(surfaces: list[Plane | Sphere], origin_x: float, rig: Calibration, seed: int) -> Array:
    """Return the mean color of `SAMPLES` x `SAMPLES` rays per pixel, (H, W, 3) in gray levels."""
    offsets = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    total = np.zeros((*rig.image_size[::-1], 3))
    for dy in offsets:
        for dx in offsets:
            rays = _rays(rig, dx, dy)
            depth, which = _trace(surfaces, origin_x, rays)
            total += _paint(origin_x + depth * rays[..., 0], depth * rays[..., 1], which, seed)
    return total / SAMPLES**2


def _paint(x: Array, y: Array, which: Array, seed: int) -> Array:
    """Return the color of the points (x, y) of surfaces `which`: its tint times band-limited noise."""
    tints = np.random.default_rng(seed).uniform(0.55, 1.0, (which.max() + 1, 3))
    noise = sum(
        amplitude * _lattice_noise(x / wavelength, y / wavelength, which, seed + octave)
        for octave, (wavelength, amplitude) in enumerate(OCTAVES)
    )
    return np.clip(125 + 48 * noise, 8, 250)[..., None] * tints[which]


def _lattice_noise(x: Array, y: Array, which: Array, seed: int) -> Array:
    """Return smooth noise in -1..1: random values on the integer lattice, blended by a C1 ramp (Perlin 1985)."""
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    u, v = x - column, y - row
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    corners = [[_hash(column + i, row + j, which, seed) for i in (0, 1)] for j in (0, 1)]
    top, bottom = ((1 - u) * one + u * two for one, two in corners)
    blended: Array = (1 - v) * top + v * bottom
    return blended


def _hash(column: Array, row: Array, which: Array, seed: int) -> Array:
    """Return a value in -1..1 per lattice point, by a multiply-xor-shift mix."""
    mixed = (column * 0x9E3779B1 ^ row * 0x85EBCA77 ^ (which + 31 * seed + 7) * 0xC2B2AE3D).astype(np.uint64)
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53), (33, 1)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    values: Array = (mixed >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1
    return values


def _exposed(view: Array, noise: float, random: np.random.Generator) -> Image:
    return np.clip(np.rint(view + random.normal(0, noise, view.shape)), 0, 255).astype(np.uint8)


def _visible(surfaces: list[Plane | Sphere], depth: Array, rig: Calibration) -> Mask:
    """Return where nothing stands between the left pixel's point and the right camera, and its view holds the point."""
    rays = _rays(rig)
    to_point = rays - np.stack([BASELINE_MM / depth, np.zeros_like(depth), np.zeros_like(depth)], axis=-1)
    seen, _ = _trace(surfaces, BASELINE_MM, to_point)
    column = to_point[..., 0] * rig.focal_px + rig.P1[0, 2]
    mask: Mask = (seen > depth * (1 - SLACK)) & (column >= 0) & (column <= rig.image_size[0] - 1)
    return mask
