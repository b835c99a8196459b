"""How work runs on this machine: hardware, worker processes, cache, tiles, ladder."""
