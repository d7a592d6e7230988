"""The table of decoding (Table 2 of MYOW): every animal's classes read from single bins, with all training labels."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside
from neural_action.tables.scores import Column, Scores

WHOLE = "all"
METRICS = {
    "accuracy": "Accuracy",
    "delta_accuracy": "Delta accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "weighted_f1": "Weighted F1",
}


def headline(animal: str, metric: str = "accuracy", labels: str = WHOLE) -> Column:
    """One animal, one metric, with all labels or with that number of labelled trials of each class."""
    return Column("decoding", None, metric, METRICS[metric], animal, labels, animal)


def references(sections: Sections) -> list[str]:
    """The shown rows that differences are taken to."""
    return [name for name in sections.tables.references if name in sections.methods]


def decoding(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """Accuracy of every animal beside the published number, the other metrics, and paired differences."""
    methods = sections.methods
    page = Page(scores, methods, beside("decoding", sections.tables))
    page.measured("Decoding accuracy", [headline(animal) for animal in scores.animals])
    for animal in scores.animals:
        others = [
            headline(animal, metric)
            for metric in METRICS
            if metric != "accuracy" and (scores.table["metric"] == metric).any()
        ]
        page.measured(f"Other metrics, {animal}", others, with_paper=False)
    compared = references(sections)
    for animal in scores.animals if compared else []:
        page.differences(f"Paired differences in accuracy, {animal}", headline(animal), compared)
    protocol = sections.split.protocol
    over = {
        "repeated": "splits, and seeds within a split, are drawn anew; splits share trials, so an interval says how "
        "far the mean over splits of this very recording is known, not how other recordings would come out",
        "published": "for accuracy and delta accuracy, test trials (or blocks of time) and seeds are drawn anew; for "
        "other metrics seeds alone, which leaves out most of what is uncertain",
    }
    text = [
        *notes.shared_notes(sections, scores),
        (
            "Readout",
            "linear, on the frozen representation of single bins, trained on the training part; weight decay is chosen "
            f"on validation by {sections.decoding.choose_by.replace('_', ' ')}. Supervised and raw rows likewise",
        ),
        ("Metrics", "; ".join(notes.METRICS[name] for name in METRICS)),
        *(notes.chance_note(scores, methods, headline(animal)) for animal in scores.animals[:1]),
        notes.interval_note(sections, over[protocol]),
        (
            "Differences",
            "row minus reference, in percentage points, paired by split (or test trial) and seed: an interval without "
            "0 is a difference",
        ),
    ]
    if page.paper.values:
        said = (
            f"accuracy in percent as published ({page.paper.source}) for {page.paper.recordings}, of one split whose "
            "test has 16 to 21 trials of a monkey: it decides nothing by itself. For sleep the paper does not say "
            "whether it is accuracy or F1"
        )
        text.append((page.paper.heading, said))
    return Document("Decoding", notes.opening(sections), tuple(page.blocks), tuple(text)), page
