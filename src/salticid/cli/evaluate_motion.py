"""`salticid eval motion`: how well each model tells a person's usual movement from others."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import Overwrite, with_output
from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.motion.compare.evaluate import Evaluation, EvaluationRow

COLUMNS = ("movement", "model", "against", "clips", "AUC", "±", "found %", "normal flagged %", "±", "unscored")


@with_output
def motion(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Motion capture: SET_MOVEMENT_STYLE_NUMBER.bvh.npz files.", show_default=False
        ),
    ],
    *,
    models: Annotated[
        str | None,
        typer.Option(help="Of statistics,autoencoder,ensemble,pca,knn,isolation forest,mahalanobis (default: all)."),
    ] = None,
    splits: Annotated[int, typer.Option(min=1, max=1000, help="Random choices of five clips for the baseline.")] = 10,
    normal: Annotated[str, typer.Option(help="The style that is the person's own.")] = "normal",
    view: Annotated[Literal["room", "side", "rear"], typer.Option(help="How it is seen; room: in 3D.")] = "room",
    noise_cm: Annotated[float, typer.Option(min=0, help="Error of each coordinate, standard deviation.")] = 1.5,
    network: Annotated[
        Path | None,
        typer.Option(help="A network of 'salticid train motion' that has not seen DATA (default: the package's)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins.")] = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A JSON file for all figures.")] = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Baselines of five random clips, ranked against held-out clips of the same style, other styles and movements.

    AUC: the chance that a changed clip scores higher than an unchanged one; mean and spread over the splits.
    """
    from salticid.core.atomic import check_target
    from salticid.motion.compare.autoencoder_train import read_network
    from salticid.motion.compare.evaluate import MODELS, evaluate

    if output:
        check_target(output, overwrite=overwrite)
    found = evaluate(
        data,
        models=[name.strip() for name in models.split(",")] if models else MODELS,
        splits=splits,
        seed=seed,
        view=view,
        noise_m=noise_cm / 100,
        normal=normal,
        network=read_network(network) if network else None,
        progress=out.say if out.verbose else lambda line: None,
    )
    _report(out, found, output, overwrite=overwrite)


def _report(out: Output, found: Evaluation, path: Path | None, *, overwrite: bool) -> None:
    import json

    from salticid.core.atomic import write_bytes
    from salticid.core.plain import strict

    report = strict({"rows": [asdict(row) for row in found.rows], "failed": [list(one) for one in found.failed]})
    out.table("clips outside of a person's own range", COLUMNS, [_line(row) for row in found.rows])
    out.result(report)
    if path:
        write_bytes(path, json.dumps(report, indent=1).encode(), overwrite=overwrite)
        out.say(f"wrote {path}")
    for name, reason in found.failed:
        typer.echo(f"failed: {name}: {reason}", err=True)
    if found.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _line(row: EvaluationRow) -> tuple[str | float, ...]:
    percent = (100 * row.found, 100 * row.flagged_normal, 100 * row.flagged_normal_sd)
    ranked = (row.auc, row.auc_sd)
    return (row.movement, row.model, row.against, row.clips, *ranked, *percent, row.unscored)
