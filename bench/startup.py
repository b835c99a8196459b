"""What starting costs: `import salticid` beside bare Python, and `salticid --help`, as new processes.

usage: python bench/startup.py [--output FILE.json]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from salticid.engine import bench

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import salticid'": [sys.executable, "-c", "import salticid"],
    "salticid --help": [str(Path(sys.executable).with_name("salticid")), "--help"],
    "salticid stereo match --help": [str(Path(sys.executable).with_name("salticid")), "stereo", "match", "--help"],
    "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
}
LIMITS_MS = {"import salticid, added": 30.0, "salticid --help": 200.0}


def main() -> None:
    """Time every command, alternating."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    candidates = {name: lambda command=command: run(command) for name, command in COMMANDS.items()}
    timings = {timing.name: timing for timing in bench.compare(candidates, warmup=2, repeats=15)}
    rows = [{"what": t.name, "median_ms": t.median_ms, "spread_ms": t.spread_ms} for t in timings.values()]
    added = timings["python -c 'import salticid'"].median_ms - timings["python -c pass"].median_ms
    rows.append({"what": "import salticid, added", "median_ms": added, "spread_ms": None})
    for row in rows:
        row["limit_ms"] = LIMITS_MS.get(row["what"])
    bench.write_report("startup", rows, arguments.output)


def run(command: list[str]) -> None:
    """Run `command` and wait for its end."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
