"""The table of label efficiency: accuracy with one, two, four, ... labelled trials of each class, and differences."""

from __future__ import annotations

from dataclasses import replace

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.decoding import WHOLE, headline, references
from neural_action.tables.document import EMPTY, Block, Document, Line, Span, interval
from neural_action.tables.page import Page
from neural_action.tables.published import Published
from neural_action.tables.scores import Column, Scores


def columns(sections: Sections, animal: str) -> list[Column]:
    """Of one animal: each number of labelled trials, then all."""
    labels = [*map(str, sorted(sections.decoding.labelled_trials)), WHOLE]
    return [
        replace(headline(animal, labels=name), heading="Labelled trials of each class", part=name)
        for name in labels
    ]


def label_efficiency(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """A block of accuracies for every animal, and one of paired differences to each reference."""
    page = Page(scores, sections.methods, Published("", "", {}))
    for animal in scores.animals:
        own = columns(sections, animal)
        page.measured(f"Accuracy with few labels, {animal}", own)
        for reference in references(sections):
            _differences(
                page, f"The same minus {sections.methods[reference].label}, {animal}", own, reference
            )
    seconds = sections.decoding.labelled_seconds
    text = [
        *notes.shared_notes(sections, scores),
        (
            "Columns",
            "labelled trials of each class in training, and as many in validation, which chooses the weight decay; "
            f"in a recording without trials a trial is a run of one class of at most {seconds:g} s. Every row is given "
            "the same trials. Pretraining, centring and scaling see all bins of training without labels",
        ),
        ("Metric", notes.METRICS["accuracy"]),
        notes.interval_note(sections, "splits, and seeds within a split, are drawn anew"),
        (
            "Differences",
            "in percentage points, paired by split and seed: an interval without 0 is a difference",
        ),
    ]
    return Document("Label efficiency", notes.opening(sections), tuple(page.blocks), tuple(text)), page


def _differences(page: Page, title: str, own: list[Column], reference: str) -> None:
    lines = []
    for name, row in page.methods.items():
        cells = [
            None if name == reference else page.scores.difference(name, reference, column) for column in own
        ]
        if not any(cells):
            continue
        for column, cell in zip(own, cells, strict=True):
            if cell is not None:
                page.record(name, column, f"{column.metric}_minus_{reference}", cell)
        texts = [
            EMPTY if cell is None else interval(cell.mean, cell.low, cell.high, sign=True) for cell in cells
        ]
        lines.append(Line(row.label, row.group, tuple(texts)))
    page.blocks.append(
        Block(title, (Span(own[0].heading, tuple(column.part for column in own)),), tuple(lines))
    )
