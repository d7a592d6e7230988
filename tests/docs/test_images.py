"""Every picture of the documentation is shown by a page, and none is older than the code that draws it."""

from __future__ import annotations

import runpy

import pytest
from shown import pages

from running import ROOT

DRAWN_BY = runpy.run_path(str(ROOT / "benchmarks/drawn_by.py"))
IMAGES = ROOT / "docs/images"


def test_no_picture_is_older_than_its_code():
    assert DRAWN_BY["outdated"]() == []


@pytest.mark.parametrize(
    ("changed", "older"),
    [
        ("axes.plot(1, 2)", True),
        ("def other():\n    pass", False),
        ("# a comment", False),
    ],
)
def test_only_a_change_of_the_drawing_function_counts(tmp_path, monkeypatch, changed, older):
    """``changed`` is added behind the function: as a line of its own, or of the function."""
    monkeypatch.setitem(DRAWN_BY["code_hash"].__globals__, "ROOT", tmp_path)
    (tmp_path / "script.py").write_text('def draw(axes):\n    """Draw."""\n    axes.plot(0, 1)\n')
    before = DRAWN_BY["code_hash"](["script.py:draw"])
    with (tmp_path / "script.py").open("a") as file:
        file.write(f"    {changed}\n" if older else f"{changed}\n")
    assert (DRAWN_BY["code_hash"](["script.py:draw"]) != before) == older


def test_code_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"style\.py:absent: no such function"):
        DRAWN_BY["code_hash"](["src/neural_action/tables/pictures/style.py:absent"])
    with pytest.raises(ValueError, match="nothing: no such file"):
        DRAWN_BY["code_hash"](["nothing"])


def test_every_picture_is_shown():
    text = "".join((ROOT / page).read_text() for page in [*pages(), "README.md"])
    missing = [path.name for path in IMAGES.iterdir() if path.suffix != ".json" and path.name not in text]
    assert not missing
