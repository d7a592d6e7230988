"""The tables of decoding and of image recognition (MYOW's Tables 2 and 1).

Each animal, or set of pictures, is decoded separately, with all training labels.
"""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside_animals
from neural_action.tables.scores import ALL, Column, Scores, of_the_papers

METRICS = {
    "accuracy": "Accuracy",
    "delta_accuracy": "Delta accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "weighted_f1": "Weighted F1",
    "auroc": "AUROC",
    "log_loss": "Log loss",
}


def headline(animal: str, probe: str, metric: str = "accuracy", budget: str = ALL) -> Column:
    """Column of one animal, probe, metric and label budget (``all`` or a number of labelled trials of each class)."""
    return Column("decoding", probe, budget, metric, METRICS[metric], animal, animal)


def decoding(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """For each probe: accuracy of each animal beside the published number, other metrics, paired differences.

    Raises InputError if a reference is not configured.
    """
    methods = of_the_papers(sections)
    shown, animals = [], scores.animals
    title = sections.tables.decoding.replace("_", " ").capitalize()
    page = Page(scores, methods, beside_animals(sections.tables, animals))
    for probe in scores.read_by("decoding"):
        label, scored = scores.probe_label(probe), scores.metrics("decoding", probe)
        main = [headline(animal, probe) for animal in animals]
        page.measured(f"{title} accuracy, {label}", main)
        rest = [name for name in METRICS if name in scored and name != "accuracy"]
        others = {animal: [headline(animal, probe, metric) for metric in rest] for animal in animals}
        for animal, columns in others.items():
            page.measured(f"Other metrics, {label}, {animal}", columns, with_paper=False)
        for animal, column in zip(animals, main, strict=True):
            page.differences(
                f"Differences in accuracy, {label}, {animal}", column, page.references(sections, column)
            )
        shown += [*main, *(column for columns in others.values() for column in columns)]
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        (
            "Columns",
            "an animal, session or set of pictures: the probe is trained and tested on its own trials",
        ),
        *notes.chance_note(scores, methods, [column for column in shown if column.metric == "accuracy"][:1]),
        notes.difference_note(sections),
        *notes.paper_notes(page.papers),
        *(("Published split", paper.note) for paper in page.papers if paper.note),
    ]
    return Document(title, notes.opening(sections), tuple(page.blocks), tuple(text)), page
