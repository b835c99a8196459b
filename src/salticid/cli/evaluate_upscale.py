"""`salticid eval upscale`: how close enlarged images come to the ones that were made small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salticid.cli.flags import Overwrite, with_options, with_output
from salticid.cli.output import Output
from salticid.errors import InputError, MissingError
from salticid.upscale.options import UpscaleOptions

if TYPE_CHECKING:
    from salticid.core.types import Image
    from salticid.upscale.evaluate import Evaluation
    from salticid.upscale.infer import Upscaler

COLUMNS = ("data", "images", "PSNR dB", "SSIM", "bicubic dB", "bicubic SSIM", "ms an image")


@with_options(UpscaleOptions)
@with_output
def upscale(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA", help="Folders with large images directly in them.", show_default=False),
    ],
    *,
    small: Annotated[
        Path | None,
        typer.Option(
            help="The same images small, by the same names (default: made by MATLAB's bicubic); one DATA only."
        ),
    ] = None,
    degrade: Annotated[
        bool, typer.Option("--degrade", help="Blur the small images, add noise and compress them, as chance says.")
    ] = False,
    model: Annotated[str, typer.Option(help="nano, fast, quality, bicubic, or a file.")] = "fast",
    scale: Annotated[int, typer.Option(min=2, max=8, help="How many times larger the images become.")] = 4,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A JSON file for all figures.")] = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Enlarge the small versions of images and compare with the large ones: PSNR and SSIM of luma.

    As the field does: small by MATLAB's bicubic in 8 bits, and without a border as wide as the scale.
    """
    import numpy as np

    from salticid.core.atomic import check_target
    from salticid.upscale.evaluate import evaluate
    from salticid.upscale.infer import Upscaler
    from salticid.upscale.ways import AUTO

    if model == AUTO:
        raise InputError(
            f"--model {AUTO} is one network for small images and another for large ones, and figures belong to one: "
            "choose nano, fast, quality or bicubic, or give a file"
        )
    if output:
        check_target(output, overwrite=overwrite)
    if small and len(data) > 1:
        raise InputError(f"--small {small} belongs to one folder, and {len(data)} were given: judge each by itself")
    enlarger = _Enlarger(Upscaler(model, profile=profile, **options), scale)
    enlarger(np.zeros((16, 16, 3), np.uint8))  # the first call loads the network, which is not to be timed
    found = {
        str(one): evaluate(enlarger, [one], scale, small=small, degrade=degrade, progress=out.progress) for one in data
    }
    how = {"model": model, "step": enlarger.step, "scale": scale, "degraded": degrade}
    _report(out, how, found, output, overwrite=overwrite)


class _Enlarger:
    """Enlarges in the way that was asked for alone, for figures of another way would bear its name."""

    def __init__(self, upscaler: Upscaler, scale: int) -> None:
        self._upscaler, self._scale = upscaler, scale
        self.step = ""

    def __call__(self, image: Image) -> Image:
        large = self._upscaler(image, scale=self._scale)
        if large.skipped:
            first = large.skipped[0]
            raise MissingError(
                f"{self._upscaler.model} cannot be judged ({first.step}: {first.reason}): "
                f"name --precision, --device or a --model that are here"
            )
        self.step = large.step
        return large.image


def _report(
    out: Output, how: dict[str, Any], found: dict[str, Evaluation], path: Path | None, *, overwrite: bool
) -> None:
    import json

    from salticid.core.atomic import write_bytes
    from salticid.core.plain import strict

    sets = [{"data": name, "mean": one.mean, "images": one.rows} for name, one in found.items()]
    report = strict({**how, "sets": sets})
    small = "degraded images" if how["degraded"] else "images"
    title = f"{how['model']} ({how['step']}), {small} {how['scale']} times as large: luma"
    out.table(title, COLUMNS, [_line(name, one) for name, one in found.items()])
    out.result(report)
    if path:
        write_bytes(path, json.dumps(report, indent=1).encode(), overwrite=overwrite)
        out.say(f"wrote {path}")


def _line(name: str, found: Evaluation) -> tuple[str | float, ...]:
    mean = found.mean
    ours = (f"{mean.psnr_db:.2f}", f"{mean.ssim:.4f}")
    return (name, len(found.rows), *ours, f"{mean.bicubic_psnr_db:.2f}", f"{mean.bicubic_ssim:.4f}", mean.ms)
