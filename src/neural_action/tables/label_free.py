"""The label-free table: what can be said of a representation where nobody has labelled an action."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import Column, Scores, of_the_papers


def label_free(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """How well behaviour is retrieved across animals from each row, and paired differences."""
    methods = of_the_papers(sections)
    page = Page(scores, methods)
    shown = [
        Column(
            "retrieval", probe, scores.budgets("retrieval", probe)[-1], "r2", notes.TASKS["retrieval"], "R2"
        )
        for probe in scores.read_by("retrieval")
    ]
    for column in shown:
        page.measured(f"Behaviour retrieved across animals, {scores.probe_label(column.probe)}", [column])
        page.differences("Differences in R2", column, page.references(sections, column))
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "R2 of the behaviour of a test window, predicted as the mean behaviour of the nearest training windows of "
            "all other animals. Behaviour is summarised by the mean, the spread and the mean step of each variable in "
            "the window, in 16 principal components. No action label is used",
        ),
        notes.difference_note(sections),
    ]
    return Document("Without labels", notes.opening(sections), tuple(page.blocks), tuple(text)), page
