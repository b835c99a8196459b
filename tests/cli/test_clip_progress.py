"""Long work on several clips shows how far each of them is."""

from __future__ import annotations

import io
import sys

import pytest

from salticid.cli.clip_progress import LINES, ClipProgress
from salticid.cli.output import Output

NAMES = ["monday.mp4", "tuesday.mp4"]


def test_without_a_terminal_each_clip_is_told_in_a_few_lines(capsys):
    with ClipProgress(Output(), NAMES) as progress:
        for done in range(1, 301):
            progress(1, done, 300)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [f"tuesday.mp4: {done}/300 frames" for done in (75, 150, 225, 300)]
    assert len(told.err.splitlines()) == LINES


@pytest.mark.parametrize("silent", [{"json": True}, {"quiet": True}])
def test_nothing_is_said_where_nothing_is_to_be_said(capsys, silent):
    with ClipProgress(Output(**silent), NAMES) as progress:
        progress(0, 300, 300)
    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_a_clip_of_unknown_length_is_not_told_in_parts(capsys):
    with ClipProgress(Output(), NAMES) as progress:
        progress(0, 100, 0)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar_for_each_clip(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with ClipProgress(Output(), NAMES) as progress:
        progress(0, 150, 300)
        progress(1, 10, 0)
    assert all(name in screen.getvalue() for name in NAMES)


def test_bars_are_taken_away_when_the_work_fails(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = ClipProgress(Output(), NAMES)
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    assert progress._bars is None or not progress._bars.live.is_started


def test_a_name_is_shown_as_it_is_also_where_it_looks_like_markup(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    with ClipProgress(Output(), ["[/b] [red].mp4"]) as progress:
        progress(0, 1, 2)
    assert "[/b] [red].mp4" in screen.getvalue()
