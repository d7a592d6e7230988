"""The table of action recognition (Table 1 of the paper)."""

from __future__ import annotations

from neural_action.config.evaluation_settings import ACTIONS
from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside
from neural_action.tables.scores import Column, Scores, of_the_papers


def columns(scores: Scores, probe: str, metric: str, *, projection: bool = False) -> list[Column]:
    """Columns of the tasks of actions for one probe, with half and with all labels where they were scored."""
    return [
        Column(task, probe, budget, metric, notes.TASKS[task], f"{budget} labels", projection=projection)
        for task in ACTIONS
        for budget in scores.shares(task, probe)
    ]


def headline(scores: Scores, probe: str, metric: str) -> Column:
    """The main column: across animals with the most labels; if nothing was scored there, across sessions, or within.

    Raises InputError if the probe scored none of these tasks.
    """
    for task in reversed(ACTIONS):
        if budgets := scores.budgets(task, probe):
            return Column(task, probe, budgets[-1], metric, notes.TASKS[task], f"{budgets[-1]} labels")
    raise InputError(
        f"scores: probe {probe!r} scored no action task; expected labelled windows of two classes"
    )


def action_recognition(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """Action recognition within and across animals: for each probe, scores on both layers and paired differences.

    Raises InputError if a reference is not configured or no actions were scored.
    """
    metric, methods = sections.tables.metric, of_the_papers(sections)
    page = Page(scores, methods, beside("action_recognition", sections.tables))
    probes = scores.read_by(*ACTIONS)
    if not probes:
        raise InputError(
            "scores: no action task was scored; expected labelled windows of at least two classes"
        )
    shown, across = [], []
    for probe in probes:
        label = scores.probe_label(probe)
        main = columns(scores, probe, metric)
        shown += main
        page.measured(f"Action recognition, {label}", main)
        layer = columns(scores, probe, metric, projection=True)
        page.measured(f"Action recognition, {label}, on the projection (the layer of the objective)", layer)
        column = headline(scores, probe, metric)
        across.append(column)
        title = f"Differences, {label}, {column.heading.lower()}, {column.part}"
        page.differences(title, column, page.references(sections, column))
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "Within animals: the probe is trained on other trials of the tested animal. Across animals: it is trained "
            "on all other animals, and each animal is tested in turn. Half labels: half of each animal's labelled time",
        ),
        *notes.chance_note(scores, methods, across),
        notes.difference_note(sections),
        *notes.paper_notes(page.papers),
    ]
    return Document("Action recognition", notes.opening(sections), tuple(page.blocks), tuple(text)), page
