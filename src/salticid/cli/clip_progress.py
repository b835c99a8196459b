"""How far each of several clips is: a bar each on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from salticid.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINES = 4  # that are said about a clip where there is no terminal


class ClipProgress:
    """Callable with the number of a clip, the frames that are done and how many there are (0: unknown).

    with ClipProgress(out, ["monday.mp4", "tuesday.mp4"]) as progress:
        progress(1, 50, 300)
    """

    def __init__(self, out: Output, names: Sequence[str]) -> None:
        self._names = list(names)
        self._silent = out.json or out.quiet
        self._bars: Progress | None = None
        self._tasks: list[TaskID] = []
        self._said = [0] * len(self._names)  # quarters of each clip

    def __enter__(self) -> Self:
        """Show one bar per clip, where there is a terminal."""
        if self._silent or not sys.stderr.isatty():
            return self
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
        self._tasks = [self._bars.add_task(name, total=None) for name in self._names]
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, clip: int, done: int, total: int) -> None:
        """Say that `done` of `total` frames of a clip have been looked at."""
        if self._bars is not None:
            self._bars.update(self._tasks[clip], completed=done, total=max(done, total) or None)
        elif not self._silent and total > 0:
            self._line(clip, done, total)

    def _line(self, clip: int, done: int, total: int) -> None:
        part = LINES * min(done, total) // total
        if part > self._said[clip]:
            self._said[clip] = part
            typer.echo(f"{self._names[clip]}: {done}/{total} frames", err=True)
