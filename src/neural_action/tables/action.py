"""The table of action recognition (Table 1 of the paper)."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside
from neural_action.tables.scores import Column, Scores, of_the_papers

TASKS = {"single_animal": "Single-animal", "multi_animal": "Multi-animal"}


def columns(scores: Scores, metric: str) -> list[Column]:
    """Both tasks, each with every fraction of the labels that was scored."""
    return [
        Column(task, fraction, metric, heading, str(fraction))
        for task, heading in TASKS.items()
        for fraction in scores.fractions(task)
    ]


def headline(scores: Scores, metric: str) -> Column:
    """Leave one animal out, with all labels; of a single animal, within it. InputError if neither was scored."""
    for task in ("multi_animal", "single_animal"):
        if fractions := scores.fractions(task):
            return Column(task, fractions[-1], metric, TASKS[task], str(fractions[-1]))
    raise InputError("scores: none is of an action task; expected labelled clips in at least two classes")


def action_recognition(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """Single- and multi-animal action recognition, also on the projection, and paired differences.

    Differences are to the figure method and to the best baseline. Raises InputError if the figure method is not
    configured or no actions were scored.
    """
    metric, reference, methods = (
        sections.tables.metric,
        sections.tables.figure_method,
        of_the_papers(sections),
    )
    if reference not in methods:
        raise InputError(
            f"configuration tables.figure_method: {reference!r} is not one of {', '.join(methods)}"
        )
    page = Page(scores, methods, beside("action_recognition", sections.tables))
    main, across = columns(scores, metric), headline(scores, metric)
    page.measured("Action recognition", main)
    page.measured(
        "Action recognition from the projection (the layer the objective is trained on)",
        main,
        projection=True,
    )
    best = page.best(across)
    references = [reference] + ([best] if best not in (None, reference) else [])
    page.differences(
        f"Paired differences, {across.heading.lower()}, {across.part} of the labels", across, references
    )
    text = [
        *notes.shared_notes(sections, scores),
        (
            "Columns",
            "fraction of the training labels that is used. Single-animal: trained and tested on different "
            "trials of one animal. Multi-animal: trained on all animals but the one that is tested, in turn",
        ),
        (
            "Metric",
            f"{notes.METRICS[metric]}; linear probe on the frozen representation, but for the supervised row",
        ),
        notes.chance_note(scores, methods, across),
        notes.interval_note(
            sections,
            "animals, folds within an animal and seeds within a fold are drawn anew; the mean is over "
            "animals of the mean over folds of the mean over seeds",
        ),
        (
            "Differences",
            "row minus reference, in percentage points, paired by animal, fold and seed: an interval without 0 is "
            "a difference. The best baseline is the one with the highest mean in this very column: a choice "
            "in its favour",
        ),
        *notes.paper_note(page.paper),
    ]
    return Document("Action recognition", notes.opening(sections), tuple(page.blocks), tuple(text)), page
