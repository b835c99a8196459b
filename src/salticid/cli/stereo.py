"""`salticid stereo`: depth from pairs of views."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from salticid.cli.flags import OutputFolder, Overwrite, with_options, with_output
from salticid.cli.output import Output
from salticid.errors import InputError
from salticid.stereo.options import StereoOptions

if TYPE_CHECKING:
    from salticid.stereo.calibration import Calibration
    from salticid.stereo.disparity import DisparityMap
    from salticid.stereo.fill import FilledMap

DATA_SUFFIXES = (".pfm", ".npy", ".png", ".ply")
DENSE_SUFFIXES = (".pfm", ".npy", ".png")
PICTURE_SUFFIXES = (".png", ".jpg", ".webp", ".tif")

app = typer.Typer(name="stereo", help="Depth from pairs of views.", no_args_is_help=True)

Left = Annotated[Path, typer.Argument(metavar="LEFT", help="The left view, an image file.", show_default=False)]
Right = Annotated[Path, typer.Argument(metavar="RIGHT", help="The right view.", show_default=False)]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        help="A file to write; may be given several times. .pfm, .npy: disparity in px. .png: the same as 16 bit,"
        " px * 256. .ply: point cloud in mm, needs --rig.",
    ),
]


@app.command("match")
@with_options(StereoOptions)
@with_output
def match(
    left: Left,
    right: Right,
    *,
    output: Files = None,
    view: Annotated[Path | None, typer.Option(help="A picture to write: the disparity in colors.")] = None,
    dense: Annotated[
        Path | None,
        typer.Option(
            help="A file to write: the disparity of every pixel, guessed from what is around where none was measured."
            " .pfm, .npy or .png."
        ),
    ] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration: calib.txt, .json, .yml. Views get rectified.")] = None,
    unit_mm: Annotated[
        float, typer.Option(min=1e-6, help="Length of the calibration's unit, mm: 1000 for meters.")
    ] = 1.0,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave less sure points out of the cloud.")] = 0.0,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Match a pair: how far each pixel of LEFT moved in RIGHT, and with --rig how far away it is."""
    from salticid.core.image import read_image
    from salticid.stereo.calibration import Calibration
    from salticid.stereo.fill import FilledMap, fill_holes
    from salticid.stereo.matching import StereoMatcher

    outputs = output or []
    _check_outputs(outputs, dense, view, inputs=(left, right, rig), overwrite=overwrite)
    matcher = StereoMatcher(Calibration.load(rig, unit_mm=unit_mm) if rig else None, profile=profile, **options)
    found = matcher(read_image(left), read_image(right))
    for path in outputs:
        _save(found, path, matcher.rig, min_confidence, overwrite=overwrite)
    if view:
        from salticid.core.image import write_image

        write_image(view, found.draw(), overwrite=overwrite)
    filled = None
    if dense:
        if found.measured is None:
            filled = fill_holes(found.disparity_px, found.image, threads=matcher.threads)
        else:
            filled = FilledMap(found.disparity_px, found.measured)
        filled.save(dense, overwrite=overwrite)
    _report(out, found, filled, [*outputs, *(path for path in (dense, view) if path)])


@app.command("simulate")
@with_output
def simulate(
    *,
    output: OutputFolder,
    width: Annotated[int, typer.Option(help="Width of the views, px.")] = 640,
    height: Annotated[int, typer.Option(help="Height of the views, px.")] = 480,
    seed: Annotated[int, typer.Option(min=0, help="Chooses paint and noise; the same seed gives the same bits.")] = 0,
    noise: Annotated[float, typer.Option(min=0, help="Sensor noise, gray levels.")] = 2.0,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Write a simulated pair with exact disparity for both views and its calibration."""
    from salticid.stereo.simulate import simulate_pair

    if output.exists() and not (overwrite and output.is_dir()):
        raise InputError(f"{output} exists: choose another folder, or say --overwrite")
    simulate_pair(width, height, seed=seed, noise=noise).save(output)
    files = sorted(path.name for path in output.iterdir())
    out.say(f"{output}: {', '.join(files)}")
    out.say(f"next: salticid stereo match {output}/left.png {output}/right.png --rig {output}/calib.json -o cloud.ply")
    out.result({"folder": output, "files": files})


def _check_outputs(
    outputs: list[Path], dense: Path | None, view: Path | None, *, inputs: tuple[Path | None, ...], overwrite: bool
) -> None:
    """Refuse now what could not be written after the work, or what would be written over."""
    from salticid.core.atomic import check_target

    for path in outputs:
        _check_suffix("", path, DATA_SUFFIXES, "; for a picture say --view")
        if path.suffix.lower() == ".ply" and inputs[-1] is None:
            raise InputError(f"{path}: a point cloud needs the cameras; give their calibration with --rig")
    _check_suffix("the dense map ", dense, DENSE_SUFFIXES, "")
    _check_suffix("the picture ", view, PICTURE_SUFFIXES, "; for data say -o")
    targets = [path.resolve() for path in (*outputs, dense, view) if path is not None]
    if len(set(targets)) < len(targets):
        raise InputError("two outputs have the same name: the second would replace the first")
    for path in targets:
        if path in [given.resolve() for given in inputs if given is not None]:
            raise InputError(f"{path} is an input: choose another name for the output")
        check_target(path, overwrite=overwrite)


def _check_suffix(what: str, path: Path | None, suffixes: tuple[str, ...], hint: str) -> None:
    if path and path.suffix.lower() not in suffixes:
        raise InputError(f"cannot write {what}{path}: use {', '.join(suffixes)}{hint}")


def _save(found: DisparityMap, path: Path, rig: Calibration | None, min_confidence: float, *, overwrite: bool) -> None:
    if path.suffix.lower() == ".ply" and rig is not None:
        found.to_cloud(rig, min_confidence=min_confidence).save(path, overwrite=overwrite)
    else:
        found.save(path, overwrite=overwrite)


def _report(out: Output, found: DisparityMap, filled: FilledMap | None, files: list[Path]) -> None:
    import numpy as np

    known = found.disparity_px[np.isfinite(found.disparity_px)]
    low, high = np.percentile(known, (1, 99)) if known.size else (float("nan"), float("nan"))
    total = sum(found.latency_ms.values())
    stages = ", ".join(f"{stage} {value:.0f} ms" for stage, value in found.latency_ms.items())
    out.say(f"{100 * found.density:.1f} % of the pixels have a disparity, {low:.1f} to {high:.1f} px")
    if found.measured is not None:
        out.say(f"{100 * float(found.measured.mean()):.1f} % were measured, the rest are guesses")
    elif filled:
        out.say(f"{100 * filled.guessed:.1f} % of the dense map are guesses")
    out.say(f"{found.engine}: {total:.0f} ms ({stages})")
    for path in files:
        out.say(f"wrote {path}")
    summary = {"density": found.density, "disparity_px": [float(low), float(high)], "engine": found.engine}
    if filled:
        summary["guessed"] = filled.guessed
    out.result(summary | {"latency_ms": dict(found.latency_ms), "files": files})
