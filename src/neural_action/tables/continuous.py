"""The table of continuous behaviour: how well each variable is decoded."""

from __future__ import annotations

from neural_action.config.evaluation_settings import CONTINUOUS
from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import Column, Scores, of_the_papers

#: Columns of a table, at most; its CSV has all variables (a skeleton has about a hundred).
_SHOWN = 9


def columns(scores: Scores, task: str, probe: str) -> list[Column]:
    """R2 over all variables, then of each variable, with the most labels."""
    table = scores.table
    own = table[(table["task"] == task) & (table["probe"] == probe) & (table["metric"] == "r2")]
    budget = scores.budgets(task, probe)[-1]
    return [
        Column(
            task, probe, budget, "r2", f"R2, {notes.TASKS[task].lower()}", unit or "all variables", unit=unit
        )
        for unit in ("", *(name for name in own["unit"].unique() if name))
    ]


def continuous(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """One block for each task and probe, and paired differences of R2 over all variables.

    Raises InputError if a reference is not configured.
    """
    methods = of_the_papers(sections)
    page = Page(scores, methods)
    shown, left_out = [], 0
    for probe in scores.read_by(*CONTINUOUS):
        for task in CONTINUOUS:
            if not scores.budgets(task, probe):
                continue
            own = columns(scores, task, probe)
            where = f"{scores.probe_label(probe)}, {notes.TASKS[task].lower()}"
            page.measured(f"Behaviour variables, {where}", own[:_SHOWN])
            page.recorded(own[_SHOWN:])
            left_out = max(left_out, len(own) - _SHOWN)
            page.differences(f"Differences in R2, {where}", own[0], page.references(sections, own[0]))
            shown.append(own[0])
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "behaviour at the centre of each window, labelled or not. Within animals: the probe is trained on other "
            "trials of the tested animal. Across animals: it is trained on all other animals",
        ),
        *([("More variables", f"{left_out} more are in the CSV file")] if left_out > 0 else []),
        notes.difference_note(sections),
    ]
    return Document("Continuous behaviour", notes.opening(sections), tuple(page.blocks), tuple(text)), page
