"""Stage: scores to the papers' tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.tables.ablation import ablation
from neural_action.tables.action import action_recognition
from neural_action.tables.decoding import decoding
from neural_action.tables.efficiency import label_efficiency
from neural_action.tables.identity import identity_recognition
from neural_action.tables.page import RECORD
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import read_scores
from neural_action.tables.unseen import unseen_animal
from neural_action.text import for_spreadsheet


def run(config: str, scores: Path, output: Path, unseen: Path | None = None) -> None:
    """Write every table, as .csv, .md, .tex and .html, into ``output``.

    They are ``action_recognition`` and ``identity_recognition``; ``ablation``, where rows are of it; and
    ``unseen_animal``, where scores of unseen animals are given. Of a dataset that is decoded, ``decoding`` and
    ``label_efficiency``.

    The CSV is tidy, one row a cell; ``mean, low, high, published`` are fractions of 1, like the scores.
    InputError if ``scores`` is of another dataset or protocol, or lacks a configured method.
    """
    sections = Sections(config)
    every = read_scores(scores, sections)
    builders = {"action_recognition": action_recognition, "identity_recognition": identity_recognition}
    if sections.split.decodes:
        few = {"label_efficiency": label_efficiency} if sections.decoding.labelled_trials else {}
        builders = {"decoding": decoding, **few}
    elif any(row.table == "ablation" for row in sections.methods.values()):
        builders["ablation"] = ablation
    pages = {name: build(sections, every) for name, build in builders.items()}
    if unseen is not None:
        pages["unseen_animal"] = unseen_animal(sections, unseen)
    record = [*RECORD, "animal"] if sections.split.decodes else list(RECORD)
    for name, (document, page) in pages.items():
        with whole(output / f"{name}.csv") as partial:
            table = pd.DataFrame(page.records, columns=record)
            for column in ("label", "group"):
                table[column] = table[column].map(for_spreadsheet)
            table.to_csv(partial, index=False, float_format="%.6g")
        for suffix, render in (("md", markdown), ("tex", latex), ("html", html)):
            with whole(output / f"{name}.{suffix}") as partial:
                partial.write_text(render(document), encoding="utf-8")
