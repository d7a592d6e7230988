"""Progress: a bar on a terminal, lines in a log, nothing where little is to be done."""

import io
import sys

import pytest

from neural_action import progress
from neural_action.progress import Progress


class Clock:
    """Seconds that pass only when a test says so."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_log_has_a_line_now_and_then_with_the_time_that_is_left(clock, capsys):
    with Progress(100, "neighbors", "pair") as shown:
        for _ in range(100):
            clock.now += 1
            shown.update()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"neighbors: {done} of 100 pairs, {left} left"
        for done, left in ((20, "01:20"), (40, "01:00"), (60, "00:40"), (80, "00:20"))
    ]


def test_what_is_soon_done_says_nothing(clock, capsys):
    assert list(progress.progress(["a", "b"], "figures", "picture")) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar_that_goes_away(clock, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    clock.now = 1000.0
    for _ in progress.progress(range(3), "converting", "chunk"):
        clock.now += 1000
    assert "converting:" in terminal.getvalue()
    assert "3/3" not in terminal.getvalue().split("\r")[-1]
