"""Every page of ours in a browser: axe finds nothing, and nothing scrolls sideways on a phone or a desktop."""

import json

import numpy as np
import pandas as pd
import pytest
from made_up_page import content

from neural_action.diagnostics.finding import Finding
from neural_action.diagnostics.run import Diagnosis
from neural_action.explore.page import render
from neural_action.tables.diagnostics import html as diagnostics
from neural_action.tables.document import Block, Document, Line, Span
from neural_action.tables.overview import fragment
from neural_action.tables.render import html as table

pytestmark = pytest.mark.browser
NAME = "ScholzEtAl2018.AML175_moving.BrainScanner20180223_141721"
ACTIONS = [f"a_class_whose_name_is_rather_long_{number}" for number in range(12)]
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def table_page() -> str:
    spans = (
        tuple(Span(f"Multi-animal, {share} % of labels", ("ours", "paper (MC2P)")) for share in (50, 100)) * 3
    )
    cells = ("54.3 [51.0, 57.2]", "–") * 6
    groups = ("Raw", "Self-supervised", "Domain adaptation")
    lines = tuple(Line(f"{group} row {at}", group, cells) for group in groups for at in range(3))
    block = Block("Balanced accuracy", spans, lines, frozenset({1, 3}))
    return table(
        Document("Action recognition", f"{NAME}, simulated", (block,), (("Interval", "over animals"),))
    )


def diagnostics_page() -> str:
    findings = [
        Finding("leak", NAME, "ok", "sound"),
        *(
            Finding("labels", f"{NAME}/{trial:03d}", severity, f"a message of some length about {NAME}" * 3)
            for trial, severity in enumerate(("ok", "note", "warning", "error"))
        ),
    ]
    split = {"animal": NAME, "split": "fold-0", "role": "test"}
    counts = [{**split, "class": name, "windows": at} for at, name in enumerate(ACTIONS)]
    return diagnostics(NAME, Diagnosis(findings, pd.DataFrame(counts), {}, {}, tuple(ACTIONS), (NAME,)))


def overview_page() -> str:
    checks = [
        {
            "asks": "Does training see any data that the split hides?",
            "severity": severity,
            "said": f"{NAME}: sound",
        }
        for severity in ("ok", "note", "warning", "error")
    ]
    return fragment("Actions read on animals whose labels were never used", "animal", PIXEL, PIXEL, checks)


PAGES = {
    "table": table_page,
    "diagnostics": diagnostics_page,
    "overview": overview_page,
    "explore": lambda: render(content()),
}


@pytest.fixture(scope="module")
def shown(chromium, tmp_path_factory):
    """A function that opens one of the pages."""
    folder = tmp_path_factory.mktemp("pages")

    def show(name: str, width: int, scheme: str = "light"):
        file = folder / f"{name}.html"
        file.write_text(PAGES[name](), encoding="utf-8")
        page = chromium.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(file.as_uri())
        if name == "explore":
            page.wait_for_selector("html[data-ready=true]")
        return page

    return show


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(shown, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = shown(name, 1400, scheme)
    # What is folded is looked at too.
    page.evaluate("() => document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = Axe().run(page).response["violations"]
    said = [(one["id"], one["impact"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
    assert said == [], json.dumps(said, indent=1)


@pytest.mark.parametrize("width", [360, 420, 1000, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(shown, name, width):
    page = shown(name, width)
    page.evaluate("() => document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    beyond = page.evaluate(
        """() => {
          const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
          const wide = [...document.querySelectorAll("body *")].filter((part) =>
            part.getBoundingClientRect().right > document.documentElement.clientWidth + .5);
          return over > 0 ? wide.slice(0, 8).map((part) => part.outerHTML.slice(0, 90)) : [];
        }"""
    )
    assert beyond == []


def test_made_up_names_are_as_long_as_real_ones():
    assert np.mean([len(name) for name in ACTIONS]) > 30
