"""The label-free table: what can be said of a representation where nobody has labelled an action."""

from __future__ import annotations

from collections.abc import Mapping

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.evaluation.clusters import CLUSTERINGS
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import ALL, Column, Scores, of_the_papers


def label_free(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """How well behaviour clusters are read across animals from each row, and paired differences."""
    methods = of_the_papers(sections)
    page = Page(scores, methods)
    shown = [
        Column("clusters", probe, ALL, "r2", notes.TASKS["clusters"], "R2")
        for probe in scores.read_by("clusters")
    ]
    for column in shown:
        page.measured(f"Behaviour clusters across animals, {scores.probe_label(column.probe)}", [column])
        page.differences("Differences in R2", column, page.references(sections, column))
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "R2 of the membership of behaviour clusters on the animal left out, by a probe trained on all other "
            f"animals. {CLUSTERINGS} repetitions of k-means find {sections.evaluation.clusters} clusters each in "
            "training windows, from the mean, the spread and the mean step of each behaviour variable in the window. "
            "Every cluster has the same weight. No action label is used",
        ),
        *_first(scores, methods, shown),
        notes.difference_note(sections),
    ]
    return Document("Without labels", notes.opening(sections), tuple(page.blocks), tuple(text)), page


def _first(scores: Scores, methods: Mapping[str, MethodSettings], shown: list[Column]) -> list[notes.Note]:
    """Note on the trained row that the measure puts first; none without trained rows."""
    found = []
    for column in shown:
        means = {
            row.label: cell.mean
            for name, row in methods.items()
            if row.objective is not None
            and row.role != "reference"
            and (cell := scores.cell(name, column)) is not None
        }
        if means:
            found.append(f"{max(means, key=means.__getitem__)} ({scores.probe_label(column.probe)})")
    if not found:
        return []
    said = (
        f"the trained row with the highest mean is {', '.join(found)}. The measure does not tell it apart from rows "
        "whose difference to it has an interval that holds 0"
    )
    return [("Chosen without labels", said)]
