"""Runs `salticid` as a user does, in this process."""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace

import pytest

from salticid.cli import main


@pytest.fixture
def salticid(monkeypatch, capsys, tmp_path):
    """Call `salticid(*words)`; the result has `code`, `out` and `err`. Caches and models are the test's own."""
    monkeypatch.setenv("SALTICID_CACHE", str(tmp_path / "cache-root"))
    monkeypatch.setenv("SALTICID_MODELS", str(tmp_path / "models-root"))
    before = signal.getsignal(signal.SIGTERM)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["salticid", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code or 0
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    yield run
    signal.signal(signal.SIGTERM, before)
