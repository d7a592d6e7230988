"""Every picture of the documentation is shown by a page, and none is older than the code that draws it."""

from __future__ import annotations

import json

import pytest
from shown import pages

from neural_action.provenance import code_hash
from running import ROOT

IMAGES = ROOT / "docs/images"
MADE = json.loads((IMAGES / "made.json").read_text())


@pytest.mark.parametrize("name", MADE)
def test_a_picture_is_as_its_code_draws_it(name):
    made = MADE[name]
    assert code_hash(made["modules"]) == made["code"], (
        f"{name} is older than {', '.join(made['modules'])}: benchmarks/documentation_images.py draws it"
    )


def test_every_picture_is_shown():
    text = "".join((ROOT / page).read_text() for page in [*pages(), "README.md"])
    missing = [path.name for path in IMAGES.iterdir() if path.suffix != ".json" and path.name not in text]
    assert not missing
