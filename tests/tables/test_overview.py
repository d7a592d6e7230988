"""What the report opens with: right within the report's page, and opened alone."""

import json
import re

import made_up
import pandas as pd
import pytest

from neural_action.diagnostics.finding import Finding
from neural_action.stages.overview import run
from neural_action.tables.diagnostics import SIGNS, summary


def opened(tmp_path, scores, said="sound"):
    found = [{"check": "leak", "subject": "all", "severity": "ok", "message": said, "values": {}}]
    checks = {"leak": {"asks": "Does training see any data that the split hides?", "severity": "ok"}}
    diagnostics = tmp_path / "diagnostics.json"
    diagnostics.write_text(json.dumps({"checks": checks, "findings": found, "windows": [{"class": "rest"}]}))
    run(made_up.configuration(), scores, (), diagnostics, tmp_path / "overview.html")
    return (tmp_path / "overview.html").read_bytes()


def test_no_encoding_has_to_be_guessed(scores, tmp_path):
    page = opened(tmp_path, scores, said="M\u00e4use \u2026")
    assert page.isascii()
    # A page of its own, and yet valid within the body of the report: no tag that may only be there once.
    assert page.startswith(b'<!DOCTYPE html>\n<html lang="en">')
    assert b"<title>Overview: " in page
    assert b"charset" not in page
    assert not re.search(rb"</?(head|body)\b", page)
    for character in (SIGNS["ok"][0], "\u00e4", "\u2026"):
        assert f"&#{ord(character)};".encode() in page


@pytest.mark.parametrize(("task", "where"), [("across", b"of animals"), ("within", b"in trials")])
def test_the_heading_says_what_was_read(scores, tmp_path, task, where):
    table = pd.read_csv(scores)
    table[table["task"] == task].to_csv(scores, index=False)
    assert b"Actions " + where + b" whose labels the probe never saw" in opened(tmp_path, scores)


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        (["all"], "looked"),
        (["all", "all"], "looked (and 1 more ok)"),
        (["fold-0"], "fold-0: looked"),
        (["fold-0", "fold-1"], "fold-0: looked (and 1 more ok)"),
        (["Fly1/001", "Fly1/002", "Fly2/001", "Fly2/002"], "Fly1/001: looked (and 3 more ok)"),
    ],
)
def test_a_check_without_problems_says_what_it_looked_at(subjects, expected):
    assert summary([Finding("leak", subject, "ok", "looked") for subject in subjects]) == expected
