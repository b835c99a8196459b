"""`salticid train upscale`: a network that enlarges images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from salticid.cli.flags import OutputFolder, with_output
from salticid.cli.output import Output
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.upscale.data import Pair
    from salticid.upscale.train import Judged


@with_output
def upscale(
    data: Annotated[
        list[Path], typer.Argument(metavar="DATA", help="Folders with images directly in them.", show_default=False)
    ],
    *,
    output: OutputFolder,
    size: Annotated[Literal["nano", "fast", "quality"], typer.Option(help="Which network.")] = "fast",
    scale: Annotated[Literal["2", "4"], typer.Option(help="How many times larger images become.")] = "4",
    weights: Annotated[
        Literal["clean", "real"],
        typer.Option(help="Small images to learn from: reduced well, or blurred, noisy and compressed as well."),
    ] = "clean",
    judge: Annotated[
        list[Path] | None,
        typer.Option(help="Images to judge by instead of a share of DATA; a folder. Nothing is learned from them."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Network to start from: 'upscale-fast-x4', a model.onnx, or a weights.safetensors."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of learning.")] = 50_000,
    count: Annotated[int, typer.Option(min=1, help="Crops in a step.")] = 8,
    side: Annotated[int, typer.Option(min=8, help="Side of a small crop, px.")] = 48,
    reduced: Annotated[
        list[float] | None,
        typer.Option(help="Learn from images at this share of their sides as well; may be given several times."),
    ] = None,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 2e-3,
    kernel_rate: Annotated[float, typer.Option(help="The highest learning rate of kernels (Muon).")] = 0.006,
    int8_steps: Annotated[int, typer.Option(min=1, help="Steps of learning with the rounding of 8 bits.")] = 4000,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads (default: all that are ours).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins.")] = 0,
    out: Output,
) -> None:
    """Train a network that enlarges, on DATA; the same command goes on with a training that was killed."""
    from salticid.engine import models, packages

    torch = packages.torch()
    packages.require("safetensors")  # that one is missing is said in a way that helps
    from salticid.engine.torch_device import best_device, check_device
    from salticid.runtime import hardware
    from salticid.upscale.data import JUDGED_SIDE, apart, find_images
    from salticid.upscale.fit import Listener, Plan, fit

    chosen = best_device() if device == "auto" else device
    check_device(chosen)  # before images are read
    if start is not None:
        models.find(start)  # likewise
    torch.set_num_threads(threads or hardware.threads())
    learned, judged = (find_images(data), find_images(judge)) if judge else apart(find_images(data))
    plan = Plan(
        size=size,
        scale=4 if scale == "4" else 2,
        weights=weights,
        count=count,
        side=side,
        reduced=tuple(reduced or ()),
        course=replace(Plan().course, steps=steps, rate=rate, kernel_rate=kernel_rate),
        rounded=replace(Plan().rounded, steps=int8_steps),
        start=start,
        seed=seed,
    )
    seen = _loaded(learned, plan.scale, plan.side, "images to learn from", out)
    held_out = _loaded(judged, plan.scale, JUDGED_SIDE, "images to judge by", out)
    if judge and not held_out:
        raise InputError(f"no image in {', '.join(map(str, judge))} is large enough to judge by")
    if not held_out:
        out.warn(f"{len(learned)} images are too few to keep some to judge by, so dB are nan: give others by --judge")
    listener = Listener(out.say, lambda found: out.say(_line(found)))
    fitted = fit(plan, seen, held_out, output, device=chosen, listener=listener)
    out.result({"psnr_db": fitted.float_db, "int8_psnr_db": fitted.int8_db, "folder": output})
    out.say(f"wrote {output}: {fitted.float_db:.3f} dB, in 8 bits {fitted.int8_db:.3f} dB on {len(held_out)} images")


def _loaded(paths: Sequence[Path], scale: int, side: int, what: str, out: Output) -> list[Pair]:
    """Return the pairs of images that are large enough, and say how many are not."""
    from salticid.upscale.data import load

    pairs = list(out.progress(load(paths, scale, side), len(paths), what))
    if pairs and len(pairs) < len(paths):  # that none is left is an error
        reason = f"smaller than {side * scale} px, {scale} times {side}, a side"
        out.warn(f"{len(paths) - len(pairs)} of {len(paths)} {what} are left out: {reason}")
    return pairs


def _line(found: Judged) -> str:
    return f"step {found.step}: loss {found.loss:.5f}, {found.psnr_db:.3f} dB, {found.seconds:.0f} s"
