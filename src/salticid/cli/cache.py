"""`salticid cache`: what is kept on disk between runs, and how to be rid of it."""

from __future__ import annotations

from pathlib import Path

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.flags import with_output
from salticid.cli.output import Output
from salticid.errors import InputError

app = typer.Typer(name="cache", help="What is kept on disk between runs.", no_args_is_help=True)


@app.command("info")
@with_output
def info(*, out: Output) -> None:
    """Tell where the cache is and how much it holds."""
    from salticid.runtime.cache import DEFAULT_MAX_BYTES, ArrayCache, default_root

    root = default_root()
    entries = used = 0
    if _is_cache(root):
        with ArrayCache(root, max_bytes=DEFAULT_MAX_BYTES) as cache:
            entries, used = cache.stats().entries, cache.stats().bytes
    out.say(f"{root}: {entries} entries, {used / 1e6:.1f} of {DEFAULT_MAX_BYTES / 1e6:.0f} MB")
    out.result({"root": root, "entries": entries, "bytes": used, "max_bytes": DEFAULT_MAX_BYTES})


@app.command("clear")
@with_output
def clear(*, out: Output) -> None:
    """Remove every entry; nothing but time is lost."""
    from salticid.runtime.cache import DEFAULT_MAX_BYTES, ArrayCache, default_root

    root = default_root()
    freed = 0
    left = 0
    if _is_cache(root):
        with ArrayCache(root, max_bytes=DEFAULT_MAX_BYTES) as cache:
            before = cache.stats().bytes
            cache.clear()
        left = sum(path.stat().st_size for path in root.rglob("*.safetensors"))
        freed = max(0, before - left)
    out.say(f"{root}: {freed / 1e6:.1f} MB freed")
    out.result({"root": root, "freed_bytes": freed, "left_bytes": left})
    if left:
        typer.echo(f"salticid: {left / 1e6:.1f} MB in {root} could not be removed: is the folder yours?", err=True)
        raise typer.Exit(EXIT_SOME_FAILED)


def _is_cache(root: Path) -> bool:
    """Return whether there is a cache at `root`; nothing is made where there is none."""
    if root.exists() and not root.is_dir():
        raise InputError(f"the cache {root} is a file: set SALTICID_CACHE to a folder")
    return (root / "entries").is_dir()
