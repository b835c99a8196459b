"""How close images come to the ones that were made small: well, and blurred, noisy and compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stereo_candidates import Row
from upscale_candidates import NATIVE, SCALE, SCALES, THREADS, Candidate

from salticid.upscale.engines import sizes
from salticid.upscale.shape import Weights

DEGRADATIONS = 20  # of each image; few images, each worse in as many ways


def accuracy(candidates: Sequence[Candidate], images: Path) -> Iterator[Row]:
    """Yield PSNR and SSIM of every candidate whose image means something, beside those of MATLAB's bicubic."""
    if not images.is_dir():
        yield {"kind": "absent", "set": images.name, "reason": f"the images are not here: {images.name}"}
        return
    learned = [one for one in candidates if one.learned]
    yield from (judged(one, images, scale) for scale in SCALES for one in learned)
    for one in learned:
        if one.way == NATIVE:
            yield from (degraded(one, images, weights) for weights in ("clean", "real") if has(one, weights))


def has(candidate: Candidate, weights: Weights) -> bool:
    """Return whether there are such weights; a file of somebody's own has one kind."""
    return candidate.name in sizes(weights) or (weights == "clean" and candidate.name not in sizes())


def judged(candidate: Candidate, images: Path, scale: int) -> Row:
    """Return what a candidate makes of images that were made small well."""
    from salticid.upscale.evaluate import evaluate

    way = candidate.load(THREADS, scale)
    mean = evaluate(lambda image: way(image).image, [images], scale).mean
    row = {"kind": "accuracy", "set": images.name, "scale": scale, **candidate.labels}
    row |= {"psnr_db": round(mean.psnr_db, 3), "ssim": round(mean.ssim, 4)}
    return row | {"bicubic_psnr_db": round(mean.bicubic_psnr_db, 3), "bicubic_ssim": round(mean.bicubic_ssim, 4)}


def degraded(candidate: Candidate, images: Path, weights: Weights) -> Row:
    """Return what a network of ours makes of images as they are found, with weights of one kind."""
    from salticid.upscale.evaluate import evaluate
    from salticid.upscale.infer import Upscaler

    upscaler = Upscaler(candidate.name, engine=candidate.engine, precision=candidate.precision, weights=weights)
    judging = evaluate(lambda image: upscaler(image, scale=SCALE).image, [images] * DEGRADATIONS, SCALE, degrade=True)
    mean, row = judging.mean, {"kind": "degraded", "set": images.name, "images": len(judging.rows)}
    row |= {**candidate.labels, "weights": weights, "psnr_db": round(mean.psnr_db, 3), "ssim": round(mean.ssim, 4)}
    return row | {"bicubic_psnr_db": round(mean.bicubic_psnr_db, 3), "bicubic_ssim": round(mean.bicubic_ssim, 4)}
