"""`salticid motion`: five clips of a person to a personal baseline, and a new clip to what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import OutputFolder, Overwrite, Workers, with_options, with_output
from salticid.cli.output import Output
from salticid.errors import InputError
from salticid.motion.options import MotionOptions

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline
    from salticid.motion.score import MotionScore

MOST_CHANGES = 8  # that are told on a terminal; the report has all

app = typer.Typer(
    name="motion", help="Five clips of a person, and what is different in the next.", no_args_is_help=True
)

Speed = Annotated[float | None, typer.Option("--speed", min=0.1, max=60, help="Of the treadmill, km/h.")]
CaptureFps = Annotated[
    float | None,
    typer.Option(
        "--fps",
        min=1,
        max=2000,
        help="Frames a second that the camera took (default: as the file says); undoes slow motion.",
    ),
]


@app.callback()
def verbs() -> None:
    """Five clips of a person, and what is different in the next."""
