"""The table of label efficiency: scores with one, two, four, ... labelled trials of each class, and differences."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import Column, Scores, of_the_papers

TASKS = ("within", "across", "decoding")


def curves(sections: Sections, scores: Scores) -> dict[str, list[Column]]:
    """Every curve by its title: columns of a task and probe, and of an animal when decoding, from few labels to all."""
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
    """A block of scores for every curve, and one of paired differences to each reference.

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
            "labelled trials of each class in training (across animals: of each training animal), and as many in "
            "validation where a split has it. In a recording without trials, a run of one class, cut to "
            f"{seconds:g} s, is a trial. Every row gets the same trials. Pretraining and scaling use all training "
            "windows without labels",
        ),
        notes.difference_note(sections, stars=True),
    ]
    return Document("Label efficiency", notes.opening(sections), tuple(page.blocks), tuple(text)), page
