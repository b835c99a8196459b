"""What `salticid motion baseline` and `salticid motion score` share: flags, and how they warn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from salticid.cli.output import Output

Speed = Annotated[
    float | None, typer.Option("--speed", min=0.1, max=60, help="Of the treadmill or the run, km/h, where it is known.")
]
CaptureFps = Annotated[
    float | None,
    typer.Option(
        "--fps", min=1, max=5000, help="Frames per second that were filmed: undoes slow motion (default: as shown)."
    ),
]


def warn(out: Output, warnings: Iterable[str]) -> None:
    """Say on standard error what a reader should know."""
    for warning in () if out.quiet else warnings:
        typer.echo(f"warning: {warning}", err=True)
