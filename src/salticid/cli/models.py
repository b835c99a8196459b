"""`salticid models`: which networks there are, which are on this machine, and how to get one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import Overwrite, with_output
from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.engine.models import ModelState

app = typer.Typer(name="models", help="The networks that salticid knows.", no_args_is_help=True)

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME", help="The name on a model's card, or what several begin with: blazepose.", show_default=False
    ),
]


@app.command("list")
@with_output
def list_models(*, out: Output) -> None:
    """Show every model's card, and whether its file is on this machine."""
    from salticid.engine import models
    from salticid.engine.cards import cards

    states = [models.state(card) for card in cards().values()]
    rows = [
        (state.card.name, state.status, state.card.task, _size(state.card.bytes), state.card.license)
        for state in states
    ]
    out.table("models", ("name", "here", "task", "size", "license"), rows)
    out.result([_entry(state) for state in states])


@app.command("get")
@with_output
def get(names: Names, *, overwrite: Overwrite = False, out: Output) -> None:
    """Download models from the sources that their cards name, and check their sha256."""
    from salticid.engine import models
    from salticid.engine.cards import family

    wanted = {card.name: card for name in names for card in family(name)}
    paths = {}
    for name, card in wanted.items():
        paths[name] = models.fetch(card, overwrite=overwrite, progress=out.say)
        out.say(f"{name}: {paths[name]}")
    out.result([{"name": name, "path": path} for name, path in paths.items()])


@app.command("verify")
@with_output
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAMES", help="Models to check (default: all that are here).")
    ] = None,
    *,
    out: Output,
) -> None:
    """Check the bytes of models on this machine against the sha256 of their cards."""
    from salticid.engine import models
    from salticid.engine.cards import cards

    chosen = names or [name for name in cards() if models.state(name).status != "absent"]
    states = [models.verify(name) for name in chosen]
    for state in states:
        if state.status == "ready":
            out.say(f"{state.card.name}: ready")
        else:
            typer.echo(f"{state.card.name}: {state.status}: {state.reason}", err=True)
    if not states:
        out.say("no model is on this machine: salticid models list")
    out.result([_entry(state) for state in states])
    if any(state.status != "ready" for state in states):
        raise typer.Exit(EXIT_SOME_FAILED)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _entry(state: ModelState) -> dict[str, Any]:
    """Return what a program wants to know of a model."""
    card = state.card
    return {
        "name": card.name,
        "status": state.status,
        "reason": state.reason,
        "path": state.path,
        "task": card.task,
        "bytes": card.bytes,
        "sha256": card.sha256,
        "license": card.license,
    }
