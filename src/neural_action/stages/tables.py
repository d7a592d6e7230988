"""Stage: write the tables of the scores."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.files import atomic_write, write_text
from neural_action.tables.ablation import ablation
from neural_action.tables.action import action_recognition
from neural_action.tables.consistency import consistency as consistency_table
from neural_action.tables.continuous import continuous
from neural_action.tables.decoding import decoding
from neural_action.tables.document import Document
from neural_action.tables.efficiency import label_efficiency
from neural_action.tables.identity import identity_recognition
from neural_action.tables.label_free import label_free
from neural_action.tables.page import RECORD, Page
from neural_action.tables.registry import table_names
from neural_action.tables.render import html, latex, markdown
from neural_action.tables.scores import Scores, read_scores
from neural_action.tables.unseen import unseen_animal
from neural_action.text import for_spreadsheet

_BUILDERS = {
    "action_recognition": action_recognition,
    "decoding": decoding,
    "image_recognition": decoding,
    "identity_recognition": identity_recognition,
    "label_efficiency": label_efficiency,
    "continuous": continuous,
    "label_free": label_free,
    "ablation": ablation,
}


def run(
    config: str, scores: Path, output: Path, unseen: Path | None = None, consistency: Path | None = None
) -> None:
    """Write the tables that ``tables.registry`` names, as .csv, .md, .tex and .html, into ``output``.

    The CSV is tidy: one row for each cell of the table. ``mean, low, high, published`` lie between 0 and 1, like the
    scores. InputError if ``scores`` has another dataset or protocol, or lacks a configured method.

    Args:
        config: the configuration, a file or inline JSON.
        scores: ``scores.csv``.
        output: folder of the tables.
        unseen: scores under the protocols that leave animals out of pretraining.
        consistency: table of stage consistency.
    """
    sections = Sections(config)
    every = read_scores(scores, sections)
    names = table_names(
        sections.evaluation,
        sections.methods.values(),
        decoding=sections.tables.decoding,
        unseen=unseen is not None,
        consistency=consistency is not None,
    )
    for name in names:
        document, page = _build(name, sections, every, unseen, consistency)
        with atomic_write(output / f"{name}.csv") as partial:
            table = pd.DataFrame(page.records, columns=list(RECORD))
            for column in ("label", "group"):
                table[column] = table[column].map(for_spreadsheet)
            table.to_csv(partial, index=False, float_format="%.6g")
        for suffix, render in (("md", markdown), ("tex", latex), ("html", html)):
            write_text(output / f"{name}.{suffix}", render(document))


def _build(
    name: str, sections: Sections, scores: Scores, unseen: Path | None, consistency: Path | None
) -> tuple[Document, Page]:
    if name == "unseen_animal" and unseen is not None:
        return unseen_animal(sections, unseen)
    if name == "consistency" and consistency is not None:
        return consistency_table(sections, scores, consistency)
    if name not in _BUILDERS:
        raise InputError(f"table {name!r} is not one of {', '.join(_BUILDERS)}")
    return _BUILDERS[name](sections, scores)
