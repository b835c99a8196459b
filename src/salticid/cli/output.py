"""What a command says: a result for people or for machines on standard output, everything else on standard error."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import typer

from salticid.core.plain import strict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's words go, as its flags ask."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        level = logging.DEBUG if self.verbose else logging.ERROR if self.quiet else logging.WARNING
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)

    def say(self, text: str) -> None:
        """Say something to a person."""
        if not (self.json or self.quiet):
            typer.echo(text)

    def warn(self, *texts: str) -> None:
        """Say on standard error what a reader should know."""
        for text in () if self.quiet else texts:
            typer.echo(f"warning: {text}", err=True)

    def result(self, value: Any) -> None:
        """Give a program the result."""
        if self.json:
            typer.echo(json.dumps(strict(value), indent=1))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Show rows to a person; numbers with three digits that matter, aligned right."""
        if self.json or self.quiet:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table

        rows = [list(row) for row in rows]
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for index, column in enumerate(columns):
            numeric = all(isinstance(row[index], (int, float)) for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        # Not a terminal: no one's window is to be fitted, so nothing is cut or wrapped.
        width = None if sys.stdout.isatty() else 400
        Console(file=sys.stdout, width=width, soft_wrap=width is not None).print(table)

    def progress(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Pass `items` through, with a bar on a terminal and plain lines elsewhere."""
        if self.json or self.quiet:
            yield from items
            return
        if not sys.stderr.isatty():
            yield from _lines(items, total, what)
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, total=total, description=what, console=Console(stderr=True), transient=True)


def cell(value: Any) -> str:
    """Return a table's text for `value`."""
    if isinstance(value, float):
        return "-" if value != value else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def report_error(problem: Exception, *, as_json: bool) -> None:
    """Say on standard error what went wrong; on standard output too when a program is listening."""
    if as_json:
        typer.echo(json.dumps({"error": str(problem), "kind": type(problem).__name__}))
    typer.echo(f"salticid: {problem}", err=True)


def _lines(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Say ten times in all how far it is."""
    step = max(1, total // 10)
    for done, item in enumerate(items, 1):
        yield item
        if done % step == 0 or done == total:
            typer.echo(f"{what}: {done}/{total}", err=True)
