"""The label-efficiency table: scores with one, two, four, ... labelled trials of each class, and paired differences."""

from __future__ import annotations

from neural_action.config.evaluation_settings import ACTIONS
from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import Column, Scores, of_the_papers

TASKS = (*ACTIONS, "decoding")


def curves(sections: Sections, scores: Scores) -> dict[str, list[Column]]:
    """Curves by title: the columns of a task and probe (and animal, for decoding), from few labels to all."""
    found = {}
    for task in TASKS:
        metric = "accuracy" if task == "decoding" else sections.tables.metric
        for probe in scores.read_by(task):
            budgets = [budget for budget in scores.budgets(task, probe) if budget != "half"]
            if not any(budget.isdecimal() for budget in budgets):
                continue
            for animal in scores.animals if task == "decoding" else [None]:
                where = animal or notes.TASKS[task].lower()
                found[f"{scores.probe_label(probe)}, {where}"] = [
                    Column(task, probe, budget, metric, "Labelled trials of each class", budget, animal)
                    for budget in budgets
                ]
    return found


def label_efficiency(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """One block of scores for each curve, and one block of paired differences to each reference.

    Raises InputError if a reference is not configured.
    """
    methods = of_the_papers(sections)
    page = Page(scores, methods)
    found = curves(sections, scores)
    for title, columns in found.items():
        page.measured(f"Few labels, {title}", columns)
        for reference in page.references(sections, columns[-1]):
            label = sections.methods[reference].label
            page.differences_by_budget(f"Differences to {label}, {title}", columns, reference)
    seconds = sections.evaluation.labelled_seconds
    text = [
        *notes.shared_notes(sections, scores, methods, [c for columns in found.values() for c in columns]),
        (
            "Columns",
            "labelled trials of each class in training (across animals: of each training animal). Validation has the "
            "same number, if the split has validation trials. In a recording without trials, a bout of one class, cut "
            f"to {seconds:g} s, counts as a trial. Every row gets the same trials. Pretraining and scaling use all "
            "training windows, without labels",
        ),
        notes.difference_note(sections, stars=True),
    ]
    return Document("Label efficiency", notes.opening(sections), tuple(page.blocks), tuple(text)), page
