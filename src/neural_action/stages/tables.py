"""Stage: scores to the papers' tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.tables.ablation import ablation
from neural_action.tables.action import action_recognition
from neural_action.tables.identity import identity_recognition
from neural_action.tables.page import RECORD
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import Scores
from neural_action.tables.unseen import unseen_animal


def run(config: str, scores: Path, output: Path, unseen: Path | None = None) -> None:
    """Write every table, as .csv, .md, .tex and .html, into ``output``.

    They are ``action_recognition`` and ``identity_recognition``; ``ablation``, where rows are of it; and
    ``unseen_animal``, where scores of unseen animals are given.

    The CSV is tidy, one row a cell; ``mean, low, high, published`` are fractions of 1, like the scores.
    InputError if ``scores`` is of another dataset or protocol, or lacks a configured method.
    """
    sections = Sections(config)
    every = Scores.read(scores, sections.methods, sections.dataset, sections.split.protocol, sections.tables)
    builders = {"action_recognition": action_recognition, "identity_recognition": identity_recognition}
    if any(row.table == "ablation" for row in sections.methods.values()):
        builders["ablation"] = ablation
    pages = {name: build(sections, every) for name, build in builders.items()}
    if unseen is not None:
        pages["unseen_animal"] = unseen_animal(sections, unseen)
    for name, (document, page) in pages.items():
        with whole(output / f"{name}.csv") as partial:
            pd.DataFrame(page.records, columns=list(RECORD)).to_csv(partial, index=False, float_format="%.6g")
        for suffix, render in (("md", markdown), ("tex", latex), ("html", html)):
            with whole(output / f"{name}.{suffix}") as partial:
                partial.write_text(render(document), encoding="utf-8")
