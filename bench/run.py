"""Run every benchmark, write bench/results/NAME.json, and bring the tables and the figure of the pages up to date.

usage: python bench/run.py [NAME ...]        all, or those named; tuning, refine_accuracy and segment_accuracy take
                                             long and run only when they are named
       python bench/run.py --tables          only tables and figure, from the results that are there
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import figure
import tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NAMES = ("startup", "census", "filters", "refine", "stereo", "cache", "session", "pool", "upsample_argmax", "segment")
NAMES += ("motion", "motion_pose", "upscale", "upscale_kernel")
ONLY_WHEN_NAMED = ("tuning", "refine_accuracy", "segment_accuracy")


def main() -> None:
    """Do what the command line asks for."""
    asked = sys.argv[1:]
    known = (*NAMES, *ONLY_WHEN_NAMED)
    unknown = set(asked) - {*known, "--tables"}
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(known)}")
    RESULTS.mkdir(exist_ok=True)
    for name in [] if asked == ["--tables"] else asked or NAMES:
        print(f"{name} ...", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py", "--output", RESULTS / f"{name}.json"], check=True)
    for path in (*tables.update(HERE.parent, RESULTS), *figure.update(HERE.parent, RESULTS)):
        print(f"brought up to date: {path}")


if __name__ == "__main__":
    main()
