"""A program that can be killed: `pool_parent.py faults` or `pool_parent.py resume JOURNAL COUNTS`."""

from __future__ import annotations

import sys

import pool_faults

from salticid.runtime import pool


def main() -> None:
    mode, *rest = sys.argv[1:]
    if mode == "faults":
        items = [f"good-{number}" for number in range(10)] + ["hang-ignoring-sigterm", "hang-holding-the-gil"]
        outcomes = pool.map(pool_faults.behave, items, workers=2)
    else:
        journal, counts = rest
        items = [f"{number}:{counts}" for number in range(30)]
        outcomes = pool.map(pool_faults.note_and_return, items, workers=2, resume=journal)
    for outcome in outcomes:
        print(outcome.index, outcome.status, outcome.value, flush=True)


if __name__ == "__main__":
    main()
