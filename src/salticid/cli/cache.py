"""`salticid cache`: what is kept on disk between runs, and how to be rid of it."""

from __future__ import annotations

import typer

from salticid.cli.flags import with_output
from salticid.cli.output import Output

app = typer.Typer(name="cache", help="What is kept on disk between runs.", no_args_is_help=True)


@app.command("info")
@with_output
def info(*, out: Output) -> None:
    """Tell where the cache is and how much it holds."""
    from salticid.runtime.cache import DEFAULT_MAX_BYTES, ArrayCache, default_root

    root = default_root()
    entries = used = 0
    if root.is_dir():
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
    if root.is_dir():
        with ArrayCache(root, max_bytes=DEFAULT_MAX_BYTES) as cache:
            freed = cache.stats().bytes
            cache.clear()
    out.say(f"{root}: {freed / 1e6:.1f} MB freed")
    out.result({"root": root, "freed_bytes": freed})
