"""`salticid train`: the networks of the package, made again or made better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from salticid.cli.evaluate import Data, show_refinement
from salticid.cli.flags import Overwrite, with_output
from salticid.cli.output import Output
from salticid.errors import InputError

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
