"""The page of every configuration key is current, and every key is explained."""

import runpy

import pytest

from running import ROOT

MODULE = runpy.run_path(str(ROOT / "docs/configuration_page.py"))
README = (ROOT / "config/README.md").read_text()


def test_the_page_is_current():
    assert MODULE["PAGE"].read_text() == MODULE["current"](), "out of date: python docs/configuration_page.py"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("| `warmup` |", "section training: warmup is a key without explanation"),
        ("| `percentile` |", "section convert.dff: percentile is a key without explanation"),
        ("| `vote` |", "section probes: vote is a key without explanation"),
    ],
)
def test_a_key_without_explanation_is_an_error(line, message):
    kept = "".join(one for one in README.splitlines(keepends=True) if not one.startswith(line))
    assert kept != README
    with pytest.raises(ValueError, match=message):
        MODULE["page"](kept, {})


def test_an_explanation_without_key_is_an_error():
    stale = README.replace("| `warmup` |", "| `warm_up` | old | |\n| `warmup` |")
    with pytest.raises(ValueError, match="section training: warm_up is an explanation without key"):
        MODULE["page"](stale, {})


def test_a_key_has_its_type_bounds_default_and_value():
    page = MODULE["page"](README, {"training": {"steps": 7}})
    row = next(line for line in page.splitlines() if line.startswith("| `steps` | integer ≥ 0 "))
    assert row.startswith("| `steps` | integer ≥ 0 | `400` | `7` | optimizer steps")
