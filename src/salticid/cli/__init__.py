"""The command line: one file per verb, and the only place that prints."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from salticid.errors import ResourceError, SalticidError

EXIT_SOME_FAILED = 1
EXIT_WRONG_INPUT = 2


def main() -> None:
    """Run `salticid`: exit 0 when done, 1 when some items failed, 2 when the command line or the input is wrong.

    Ended from outside: 130 by Ctrl-C, 143 by SIGTERM.
    """
    from salticid.cli.app import app
    from salticid.cli.output import report_error

    # SIGTERM unwinds like Ctrl-C does, so that workers end and half-written files go.
    signal.signal(signal.SIGTERM, _leave)
    try:
        app()
    except SalticidError as problem:
        report_error(problem, as_json="--json" in sys.argv)
        sys.exit(EXIT_SOME_FAILED if isinstance(problem, ResourceError) else EXIT_WRONG_INPUT)
    except OSError as problem:  # standard output on a full disk, say
        report_error(problem, as_json=False)
        sys.exit(EXIT_SOME_FAILED)


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
