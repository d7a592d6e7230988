"""Stage: scores to the papers' tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.tables.action import action_recognition
from neural_action.tables.identity import identity_recognition
from neural_action.tables.page import RECORD
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import Scores


def run(config: str, scores: Path, output: Path) -> None:
    """Write ``action_recognition`` and ``identity_recognition`` as .csv, .md, .tex and .html into ``output``.

    The CSV is tidy, one row a cell; ``mean, low, high, published`` are fractions of 1, like the scores.
    InputError if ``scores`` is of another dataset or protocol, or lacks a configured method.
    """
    sections = Sections(config)
    every = Scores.read(scores, sections.methods, sections.dataset, sections.split.protocol, sections.tables)
    for name, build in (
        ("action_recognition", action_recognition),
        ("identity_recognition", identity_recognition),
    ):
        document, page = build(sections, every)
        with whole(output / f"{name}.csv") as partial:
            pd.DataFrame(page.records, columns=list(RECORD)).to_csv(partial, index=False, float_format="%.6g")
        for suffix, render in (("md", markdown), ("tex", latex), ("html", html)):
            with whole(output / f"{name}.{suffix}") as partial:
                partial.write_text(render(document), encoding="utf-8")
