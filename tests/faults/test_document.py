"""docs/development/faults.md says what the tests try, no more and no less."""

import re
import sys
from collections import Counter

import pytest

from matrix import FAULTS, STAGES
from running import ROOT

sys.path.insert(0, str(ROOT / "tests/corpus"))

from broken import KINDS

PAGE = (ROOT / "docs/development/faults.md").read_text()


def section(heading: str) -> str:
    """What stands below a heading."""
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def table(heading: str) -> list[tuple[str, ...]]:
    """Rows of the table below a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line[:1] == "|"]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def shown(point: tuple[str, str, int]) -> str:
    """The file of a point, as the page names it."""
    return f"`{point[1].strip('./')}`"


def test_every_stage_is_in_the_table():
    expected = [(name, shown(stage.half), shown(stage.write)) for name, stage in STAGES.items()]
    assert table("Interruption") == expected


def test_every_combination_ends_with_the_same_files():
    said = f"All combinations, {len(STAGES)} places x {len(FAULTS)} faults, end with the **same files**."
    assert said in " ".join(section("Interruption").split())


def test_every_fault_and_its_outcome_are_told():
    told = section("Interruption").split("The faults, and what you see:")[1].split("The places")[0]
    assert re.findall(r"^- \*\*(.+)\*\*: (.+)\.$", told, re.MULTILINE) == list(FAULTS.items())


def test_the_corpus_is_counted():
    from test_corpus import CASES

    counts = Counter(case.kind for _, case in CASES)
    assert table("Bad input") == [(kind, str(counts[kind])) for kind in KINDS] + [("all", str(len(CASES)))]


@pytest.mark.parametrize("heading", ["Determinism", "Untrusted files", "Silent wrongness", "Supply chain"])
def test_the_other_points_have_their_section(heading):
    assert f"\n## {heading}\n" in PAGE
