"""`salticid train`: the networks of the package, made again or made better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from salticid.cli import train_upscale
from salticid.cli.evaluate import Data, show_refinement
from salticid.cli.flags import Labelled, OutputFolder, Overwrite, with_output
from salticid.cli.output import Output
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.segment.curves import Epoch

app = typer.Typer(name="train", help="Train a network.", no_args_is_help=True)

SUFFIX = ".npz"


@app.callback()
def verbs() -> None:
    """Train a network."""


@app.command("refine")
@with_output
def refine(
    data: Data,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The network to write, an .npz file.")] = None,
    folds: Annotated[
        int, typer.Option(min=0, max=100, help="Cross-validate: train so often on all scenes but a share. 0: do not.")
    ] = 0,
    report: Annotated[Path | None, typer.Option(help="A JSON file for the figures of the cross-validation.")] = None,
    simulated: Annotated[int, typer.Option(min=0, max=10_000, help="Simulated pairs to learn from as well.")] = 8,
    variants: Annotated[int, typer.Option(min=0, max=100, help="Worse versions of each pair to learn from.")] = 2,
    pixels: Annotated[int, typer.Option(min=1, help="Pixels of each version to learn from.")] = 12_000,
    epochs: Annotated[int, typer.Option(min=1, help="How often each of them is looked at.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins; the same seed gives the same network.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads to match with (default: all that this process may use).")
    ] = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Train the refinement network on the scenes below DATA, as the native matcher sees them."""
    from salticid.core.atomic import check_target
    from salticid.engine import packages
    from salticid.runtime import hardware
    from salticid.stereo.evaluate import find_scenes
    from salticid.stereo.refine_ablation import Plan, cross_validated
    from salticid.stereo.refine_samples import read_pair, simulated_pair, training_samples, training_views
    from salticid.stereo.refine_train import Schedule, train

    if output is None and not folds:
        raise InputError("nothing to do: say where to write the network (-o refine.npz), or --folds 5")
    if output is not None and output.suffix != SUFFIX:
        raise InputError(f"cannot write a network as {output}: use {SUFFIX}")
    for path in (output, report):
        if path:
            check_target(path, overwrite=overwrite)
    packages.torch()  # that it is missing is said before the work
    count = threads or hardware.threads()
    scenes = find_scenes(data)
    pairs = [*map(read_pair, scenes), *map(simulated_pair, range(simulated))]
    seen = training_views(pairs, variants=variants, seed=seed, threads=count)
    views = list(out.progress(seen, len(pairs), "pairs matched"))
    schedule = Schedule(epochs, seed)
    if folds:
        plan = Plan(folds, pixels, schedule)
        rows = list(cross_validated(views[: len(scenes)], views[len(scenes) :], plan, out.say))
        show_refinement(out, rows, report, [], overwrite=overwrite)
    if output:
        network = train(training_samples(views, pixels), schedule, out.say)
        network.save(output, overwrite=overwrite)
        out.say(f"wrote {output}: {network.parameters} parameters")


@app.command("segment")
@with_output
def segment(
    data: Labelled,
    *,
    output: OutputFolder,
    classes: Annotated[
        str | None, typer.Option(help="Names of the classes in the order of their numbers: sky,road,car.")
    ] = None,
    void: Annotated[int | None, typer.Option(min=0, max=255, help="Number in the labels that is no class.")] = None,
    variant: Annotated[Literal["edge", "documented"], typer.Option(help="Which network.")] = "edge",
    imagenet: Annotated[
        Path | None, typer.Option(help="Weights of MobileNetV2 to start from, a .safetensors file.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="The best.safetensors of an earlier training to start from instead.")
    ] = None,
    teacher: Annotated[
        list[Path] | None, typer.Option(help="A network to learn from as well, .safetensors or .onnx; several: often.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often each image is looked at.")] = 300,
    batch: Annotated[int, typer.Option(min=1, help="Views in a step.")] = 16,
    size: Annotated[str, typer.Option(help="Width x height of a view, px; multiples of 32.")] = "480x384",
    long_side_px: Annotated[
        int | None, typer.Option(help="Reduce larger images and their labels to this, those to judge by as well.")
    ] = None,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 1e-3,
    loss: Annotated[
        Literal["ohem", "ce", "focal", "dice"],
        typer.Option(help="What is learned from: hard pixels, all alike, those not yet likely, or overlap."),
    ] = "ohem",
    boundary: Annotated[float, typer.Option(min=0, help="How much pixels near another class count beside that.")] = 0.0,
    class_weights: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="How much rare classes count: by their share to the power of minus this; not for dice."
        ),
    ] = 0.25,
    warm_steps: Annotated[
        int, typer.Option(min=0, help="Steps in which the first layers learn to stand in for MobileNetV2's.")
    ] = 3000,
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="Arithmetic (auto: bf16 where it is in hardware).")
    ] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins.")] = 0,
    out: Output,
) -> None:
    """Train a segmentation network on DATA; the same command goes on with a training that was killed.

    The folder then holds model.onnx for 'salticid segment --model' and 'salticid export', best.safetensors for --start
    and --teacher, and the curve of the training as a table and as a picture.
    """
    from salticid.engine import packages

    for package in ("torch", "onnx", "safetensors"):
        packages.require(package)  # that one is missing is said in a way that helps
    from salticid.engine.torch_device import best_device
    from salticid.segment.data import find_dataset
    from salticid.segment.fit import Plan, best_precision, fit
    from salticid.segment.listener import Listener
    from salticid.segment.train import Recipe

    dataset = find_dataset(data, [name.strip() for name in classes.split(",")] if classes else None, void)
    chosen = best_device() if device == "auto" else device
    arithmetic = best_precision(chosen) if precision == "auto" else precision
    plan = Plan(
        variant=variant,
        epochs=epochs,
        batch=batch,
        size=_sides(size),
        learning_rate=rate,
        class_weights=class_weights,
        loss=loss,
        warm_steps=warm_steps,
        recipe=Recipe(boundary=boundary, precision=arithmetic, seed=seed),
        long_side_px=long_side_px,
        imagenet=imagenet,
        start=start,
        teachers=teacher or (),
    )
    out.say(f"{len(dataset.classes)} classes; training on {chosen} in {arithmetic}")
    listener = Listener(out.say, out.progress, lambda epoch: out.say(_line(epoch, epochs)))
    result = fit(dataset, output, plan, device=chosen, listener=listener)
    out.result({"best_miou": result.best_miou, "best_epoch": result.best_epoch, "folder": str(output)})
    out.say(
        f"wrote {output}: mIoU {100 * result.best_miou:.2f} % on the validation images, of epoch {result.best_epoch}"
    )


app.command("upscale")(train_upscale.upscale)


@app.command("motion")
@with_output
def motion(
    data: Annotated[
        Path | None, typer.Argument(metavar="DATA", help="A folder of motion capture to learn from as well.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The network to write, an .npz file.")],
    without: Annotated[
        str, typer.Option(help="Styles of DATA to keep aside, for judging the network: normal,elderly.")
    ] = "",
    persons: Annotated[int, typer.Option(min=1, max=10_000, help="Simulated persons to learn from.")] = 80,
    epochs: Annotated[int, typer.Option(min=1, help="How often each stretch is looked at.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins; the same seed gives the same network.")] = 0,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Pre-train the recurrent network that a baseline tunes to its person, on simulated persons and motion capture."""
    from salticid.engine import packages
    from salticid.motion.compare.autoencoder_data import pretrain

    if output.suffix != SUFFIX:
        raise InputError(f"cannot write a network as {output}: use {SUFFIX}")
    packages.torch()  # that it is missing is said before the work
    seen = pretrain(
        data,
        output,
        without=_kept_aside(data, without),
        persons=persons,
        epochs=epochs,
        seed=seed,
        overwrite=overwrite,
        progress=out.say,
    )
    out.say(f"wrote {output}: it has seen {seen} persons")
    out.result({"persons": seen, "file": output})


def _kept_aside(data: Path | None, text: str) -> list[str]:
    """Return the styles that are typed; `InputError` where DATA has none of that name: it would all be learned."""
    from salticid.motion.files.mocap import find_mocap

    styles = [name.strip() for name in text.split(",") if name.strip()]
    known = {file.style for file in find_mocap(data)} if data is not None else set()
    for style in styles:
        if style not in known:
            raise InputError(f"--without: DATA has no style {style!r}: choose of {', '.join(sorted(known)) or 'none'}")
    return styles


def _sides(text: str) -> tuple[int, int]:
    """Return height and width of what is typed as width x height."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise InputError(f"--size must be width x height such as 480x384, not {text!r}")
    return int(height), int(width)


def _line(epoch: Epoch, epochs: int) -> str:
    judged = f", mIoU {100 * epoch.miou:.2f} %" if epoch.miou == epoch.miou else ""
    return f"epoch {epoch.epoch} of {epochs}: loss {epoch.loss:.3f}{judged}, {epoch.seconds:.1f} s"
