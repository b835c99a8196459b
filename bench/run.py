"""Run every benchmark, write bench/results/NAME.json, and bring the tables of README.md and docs/ up to date.

usage: python bench/run.py [NAME ...]        all, or those named
       python bench/run.py --tables          only the tables, from the results that are there
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NAMES = ("startup", "census", "stereo", "cache", "session", "pool")


def main() -> None:
    """Do what the command line asks for."""
    asked = sys.argv[1:]
    unknown = set(asked) - {*NAMES, "--tables"}
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    RESULTS.mkdir(exist_ok=True)
    for name in [] if asked == ["--tables"] else asked or NAMES:
        print(f"{name} ...", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py", "--output", RESULTS / f"{name}.json"], check=True)
    for path in tables.update(HERE.parent, RESULTS):
        print(f"tables in {path}")


if __name__ == "__main__":
    main()
