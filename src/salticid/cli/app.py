"""The tree of commands. A command is imported when it is asked for: the others would take longer than a small image."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_group

import salticid

if TYPE_CHECKING:
    from typer._click import Command, Context

COMMANDS = ("doctor", "demo", "export", "segment", "upscale")  # functions in files of the same name
GROUPS = {  # of commands, and the files whose `app` they are
    "stereo": "stereo",
    "motion": "motion",
    "eval": "evaluate",
    "train": "train",
    "models": "models",
    "cache": "cache",
}
VERBS = (*COMMANDS, *GROUPS)


class Verbs(TyperGroup):
    """All verbs, each loaded when it is needed; help, and a word that is none of them, need all."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names in the order of the help."""
        self._load(VERBS)
        return list(VERBS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Return a verb; None where there is none of this name."""
        self._load([cmd_name] if cmd_name in VERBS else VERBS)
        return super().get_command(ctx, cmd_name)

    def _load(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.commands:
                self.commands[name] = get_group(_alone(name)).commands[name]


def _alone(name: str) -> typer.Typer:
    """Return a tree of one verb."""
    tree = typer.Typer(rich_markup_mode=None)  # plain help answers in a third of the time
    module = importlib.import_module(f"salticid.cli.{GROUPS.get(name, name)}")
    if name in GROUPS:
        tree.add_typer(module.app)
    else:
        tree.command(name)(getattr(module, name))
    return tree


app = typer.Typer(
    cls=Verbs,
    name="salticid",
    help="Real-time vision on the hardware people have.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
