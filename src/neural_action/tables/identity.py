"""The identity-recognition table (Table 2 of the poster): which animal a window comes from."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside
from neural_action.tables.scores import Column, Scores, of_the_papers


def columns(scores: Scores, probe: str, *, projection: bool = False) -> list[Column]:
    """Columns of one probe, with half and with all training windows where they were scored."""
    # For nearest neighbours, the share from the same animal says more than the majority vote.
    knn = scores.probes[probe].kind == "knn" and "true_class_score" in scores.metrics("identity", probe)
    metric, heading = ("true_class_score" if knn else "accuracy"), notes.TASKS["identity"]
    return [
        Column("identity", probe, budget, metric, heading, f"{budget} windows", projection=projection)
        for budget in scores.shares("identity", probe)
    ]


def identity_recognition(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """How well each probe recognises the animal, from the encoder's output and from the projection."""
    methods = of_the_papers(sections)
    page = Page(scores, methods, beside("identity_recognition", sections.tables))
    shown = []
    for probe in scores.read_by("identity"):
        label, main = scores.probe_label(probe), columns(scores, probe)
        shown += main
        page.measured(f"Identity recognition, {label} (lower is better)", main)
        layer = columns(scores, probe, projection=True)
        page.measured(f"Identity recognition, {label}, on the projection (the layer of the objective)", layer)
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "which animal a window comes from. Probes are trained and tested on different trials, with the same number "
            "of windows from every animal. Half windows: half of the training windows",
        ),
        *notes.chance_note(scores, methods, [column for column in shown if column.label_budget == "all"]),
        (
            "Floor",
            "animals differ in what they do, so behaviour alone partly identifies the animal. The reference rows show "
            "how well",
        ),
        (
            "Animals",
            "each score is over all animals together, so the intervals say nothing about other animals",
        ),
        *notes.paper_notes(page.papers),
    ]
    return Document("Identity recognition", notes.opening(sections), tuple(page.blocks), tuple(text)), page
