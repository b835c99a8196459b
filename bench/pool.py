"""The worker pool against every kind of fault, with pebble beside it: items returned, kinds named, seconds.

Every row is one call over 40 good items and one bad one, 2 workers, in a process of its own, because a pool that never
returns has to be stopped from outside.

usage: python bench/pool.py [--output FILE.json] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1] / "tests" / "support"
sys.path.insert(0, str(SUPPORT))

import pool_faults  # noqa: E402 - it lies beside the tests

GOOD_ITEMS = 40
DEADLINE_S = 2.0
PATIENCE_S = 12.0
FAULTS = [fault for fault in (*pool_faults.FAULTS, *pool_faults.HARMLESS) if fault != "memory"]
MEMORY_MB = 300


def main() -> None:
    """Run every fault through both pools."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=2, metavar=("POOL", "FAULT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(POOLS[arguments.only[0]](arguments.only[1])))
        return
    from salticid.engine import bench

    rows = [row(name, fault, arguments.rounds) for fault in ("none", *FAULTS, "memory") for name in POOLS]
    bench.write_report("pool", rows, arguments.output)


def row(name: str, fault: str, rounds: int) -> dict[str, object]:
    """Return the worst of `rounds` runs of one pool on one fault."""
    runs = [watched(name, fault) for _ in range(rounds)]
    return {
        "pool": name,
        "fault": fault,
        "good_returned": min(run["good"] for run in runs),
        "good_items": GOOD_ITEMS,
        "bad_item": sorted({run["bad"] for run in runs}),
        "seconds": max(run["seconds"] for run in runs),
        "processes_left": max(run["left"] for run in runs),
    }


def watched(name: str, fault: str) -> dict[str, object]:
    """Run one call in its own process group; stop it when it does not end."""
    command = [sys.executable, __file__, "--only", name, fault]
    start = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE_S)
        result = json.loads(output.splitlines()[-1])
    except IndexError:
        result = {"good": 0, "bad": "the caller died", "left": 0}
    except subprocess.TimeoutExpired:
        result = {"good": 0, "bad": "the call never ended", "left": 0}
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return result | {"seconds": round(time.monotonic() - start, 2)}


def items_with(fault: str) -> list[str]:
    """Return the good items with the bad one in their midst."""
    good = [f"good-{number}" for number in range(GOOD_ITEMS)]
    return good if fault == "none" else [*good[:5], fault, *good[5:]]


def with_salticid(fault: str) -> dict[str, object]:
    """One call of `pool.map`."""
    from salticid.runtime import pool

    outcomes = list(
        pool.map(
            pool_faults.behave, items_with(fault), workers=2, timeout=DEADLINE_S, peak_bytes=MEMORY_MB << 20, retries=0
        )
    )
    bad = [outcome.status for outcome in outcomes if outcome.item == fault]
    return summary(sum(outcome.ok for outcome in outcomes if outcome.item != fault), bad)


def with_pebble(fault: str) -> dict[str, object]:
    """One call of pebble's `ProcessPool.map`; it has no memory budget, so that fault gets the deadline alone."""
    import multiprocessing

    import pebble

    good, bad = 0, []
    with pebble.ProcessPool(max_workers=2, context=multiprocessing.get_context("spawn")) as workers:
        futures = [
            (item, workers.schedule(pool_faults.behave, [item], timeout=DEADLINE_S)) for item in items_with(fault)
        ]
        for item, future in futures:
            try:
                future.result()
                good += item != fault
                bad += ["ok"] if item == fault else []
            except Exception as problem:  # noqa: BLE001 - whatever it is, its name is the result
                bad += [type(problem).__name__] if item == fault else []
    return summary(good, bad)


def summary(good: int, bad: list[str]) -> dict[str, object]:
    """Return the figures of one call."""
    import psutil

    children = psutil.Process().children(recursive=True)
    left = [child for child in children if not any("resource_tracker" in word for word in child.cmdline())]
    return {"good": good, "bad": ", ".join(bad) or "-", "left": len(left)}


POOLS = {"salticid": with_salticid, "pebble": with_pebble}

if __name__ == "__main__":
    main()
