"""docs/development/faults.md says what the tests try, no more and no less."""

import sys
from collections import Counter

import pytest

from matrix import FAULTS, STAGES
from running import ROOT

sys.path.insert(0, str(ROOT / "tests/corpus"))

from broken import KINDS

PAGE = (ROOT / "docs/development/faults.md").read_text()


def table(heading: str) -> list[tuple[str, ...]]:
    """Rows of the first table below a heading, without its head."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0].splitlines()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in part if line[:1] == "|"]
    return rows[2:]


def test_every_stage_and_fault_is_in_the_table():
    rows = table("Interruption")
    assert [row[0] for row in rows] == list(STAGES)
    head = next(line for line in PAGE.splitlines() if line.startswith("| stage |"))
    assert [cell.strip() for cell in head.strip("|").split("|")][1:] == list(FAULTS)
    assert {cell for row in rows for cell in row[1:]} == {"same files"}


def test_every_outcome_is_told():
    for fault, outcome in FAULTS.items():
        assert f"- **{fault}**: {outcome}." in PAGE


def test_the_corpus_is_counted():
    from test_corpus import CASES

    counts = Counter(case.kind for _, case in CASES)
    assert table("Bad input") == [(kind, str(counts[kind])) for kind in KINDS] + [("all", str(len(CASES)))]


@pytest.mark.parametrize("heading", ["Determinism", "Untrusted files", "Silent wrongness", "Supply chain"])
def test_the_other_points_have_their_section(heading):
    assert f"\n## {heading}\n" in PAGE
