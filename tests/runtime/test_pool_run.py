"""What the supervisor of a pool does when its workers cannot go on."""

from __future__ import annotations

import sys

import pytest

from salticid.errors import InputError
from salticid.runtime import pool

VANISHING = """
import os, pathlib
def work(item):
    pathlib.Path(__file__).unlink(missing_ok=True)
    os._exit(1)
"""


def test_a_function_that_cannot_be_loaded_a_second_time_is_an_input_error_and_no_thread_dies_of_it(
    tmp_path, monkeypatch
):
    (tmp_path / "vanishing_work.py").write_text(VANISHING)
    monkeypatch.syspath_prepend(str(tmp_path))
    import vanishing_work

    try:
        with pytest.raises(InputError, match="cannot load the function"):
            list(pool.map(vanishing_work.work, range(3), workers=1))
    finally:
        del sys.modules["vanishing_work"]
