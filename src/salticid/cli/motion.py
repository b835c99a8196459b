"""`salticid motion`: five clips of a person to a personal baseline, and a new clip to what is different."""

from __future__ import annotations

import typer

from salticid.cli import motion_baseline, motion_score, motion_simulate

app = typer.Typer(
    name="motion", help="Five clips of a person, and what is different in the next.", no_args_is_help=True
)
app.command("baseline")(motion_baseline.baseline)
app.command("score")(motion_score.score)
app.command("simulate")(motion_simulate.simulate)


@app.callback()
def verbs() -> None:
    """Five clips of a person, and what is different in the next."""
