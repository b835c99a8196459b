"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

import salticid
from salticid.cli import cache, demo, doctor, evaluate, export, models, motion, segment, stereo, train, upscale

app = typer.Typer(
    name="salticid",
    help="Real-time vision on the hardware people have.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help answers in a third of the time
)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("export")(export.export)
app.command("segment")(segment.segment)
app.command("upscale")(upscale.upscale)
app.add_typer(stereo.app)
app.add_typer(motion.app)
app.add_typer(evaluate.app)
app.add_typer(train.app)
app.add_typer(models.app)
app.add_typer(cache.app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"salticid {salticid.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Real-time vision on the hardware people have."""
