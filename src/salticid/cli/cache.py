"""`salticid cache`: what is kept on disk between runs, and how to be rid of it."""

from __future__ import annotations

import typer

from salticid.cli.flags import Json, Quiet, Verbose
from salticid.cli.output import Output

app = typer.Typer(name="cache", help="What is kept on disk between runs.", no_args_is_help=True)


@app.command("info")
def info(*, json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Tell where the cache is and how much it holds."""
    from salticid.runtime.cache import ArrayCache, default_root

    out = Output(json=json, quiet=quiet, verbose=verbose)
