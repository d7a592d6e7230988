"""Patterns of a configuration end, stay below the folder, and are refused in a line."""

import time

import pytest

from neural_action.errors import InputError
from neural_action.recordings import patterns


@pytest.mark.parametrize("pattern", ["/etc/*", "../*", "a/../../*", "", "**x/*", "**/a/**/b/**/c/**/d"])
def test_patterns_of_files_that_leave_or_are_none(tmp_path, pattern):
    with pytest.raises(InputError, match=r"configuration k: .*expected a pattern below the raw folder"):
        patterns.below(tmp_path, pattern, "k")


def test_files_below(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.csv").touch()
    assert patterns.below(tmp_path, "*/*.csv", "k") == [tmp_path / "a/x.csv"]


@pytest.mark.parametrize("pattern", ["(", "(?P<a>x", "*", "(" * 5000])
def test_what_is_no_regular_expression(pattern):
    with pytest.raises(InputError, match=r"configuration k: .*expected a regular expression"):
        patterns.search_all(pattern, ["x"], "k")


def test_a_regular_expression_that_never_ends(monkeypatch):
    monkeypatch.setattr(patterns, "SECONDS", 1.0)
    begin = time.monotonic()
    with pytest.raises(InputError, match=r"configuration k: .* takes more than 1 s"):
        patterns.search_all("(a+)+$", ["a" * 40 + "b"], "k")
    assert time.monotonic() - begin < 10


def test_groups():
    assert patterns.search_all(r"(?P<animal>\w)/(?P<trial>\d)", ["m/1", "x"], "k") == [
        {"animal": "m", "trial": "1"},
        None,
    ]
