"""The flags that `salticid motion baseline` and `salticid motion score` share."""

from __future__ import annotations

from typing import Annotated

import typer

Speed = Annotated[
    float | None, typer.Option("--speed", min=0.1, max=60, help="Of the treadmill or the run, km/h, where it is known.")
]
CaptureFps = Annotated[
    float | None,
    typer.Option(
        "--fps", min=1, max=5000, help="Frames per second that were filmed: undoes slow motion (default: as shown)."
    ),
]
