"""What a reader of a table has to know: data, protocol, metric, chance, intervals, published numbers."""

from __future__ import annotations

from collections.abc import Mapping

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.tables.document import percent
from neural_action.tables.published import Published
from neural_action.tables.scores import Column, Scores

PROTOCOLS = {
    "transductive": "pretraining sees the unlabelled pairs of every animal and trial, those that are tested "
    "included (what the paper assumes)",
    "new_trials": "pretraining does not see the trials that are tested, but other trials of the same animals",
    "new_animal": "pretraining does not see the animal that is tested",
    "published": "one split of each animal's trials in the order of time, as in the authors' release; pretraining "
    "sees training and validation without labels",
    "repeated": "random splits of each animal's trials, or blocks of time with gaps between the parts; pretraining "
    "sees the training part alone, without labels",
}
METRICS = {
    "accuracy": "accuracy, the share of clips whose class is predicted",
    "balanced_accuracy": "balanced accuracy, the mean over classes of the share of their clips recognised",
    "macro_f1": "macro F1, the mean over classes of the harmonic mean of precision and recall",
    "weighted_f1": "weighted F1, the same mean weighted by how often each class occurs",
    "delta_accuracy": "delta accuracy, the share of bins whose angle is less than 3 pi / 16 off",
}

Note = tuple[str, str]


def opening(sections: Sections) -> str:
    """One line: which data these are, and whether they were recorded or simulated."""
    kind = "real recordings" if sections.real else "simulated, not recorded"
    return f"{sections.title} ({sections.dataset}): {kind}"


def shared_notes(sections: Sections, scores: Scores) -> list[Note]:
    """Protocol and sizes."""
    protocol = sections.split.protocol
    table = scores.table
    counts = (
        (len(scores.animals), "animal"),
        (table["fold"].nunique(), "fold"),
        (table["seed"].nunique(), "seed"),
    )
    sizes = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)
    return [("Protocol", f"{protocol}: {PROTOCOLS[protocol]}"), ("Sizes", sizes)]


def chance_note(scores: Scores, methods: Mapping[str, MethodSettings], column: Column) -> Note:
    """Chance as measured by the rows that guess."""
    cells = [
        (row.label, cell)
        for name, row in methods.items()
        if row.representation == "none" and (cell := scores.cell(name, column)) is not None
    ]
    if not cells:
        return "Chance", "no configured row guesses, so it was not measured"
    return "Chance", "; ".join(
        f"{percent(cell.mean)} %, measured by the row {label}" for label, cell in cells
    )


def interval_note(sections: Sections, over: str) -> Note:
    """How the intervals are made."""
    draws = sections.tables.bootstrap
    return (
        "Intervals",
        f"mean [95 % interval], in percent, from {draws} draws of a hierarchical bootstrap: {over}. "
        "A single score has none",
    )


def paper_note(paper: Published) -> list[Note]:
    """Where the published numbers are from and what they are not; nothing where there are none."""
    said = (
        f"plain accuracy in percent as published ({paper.source}) for {paper.recordings}. "
        "Shown for orientation: not comparable across recordings, classes, splits or metrics"
    )
    return [("paper (MC2P)", said)] if paper.values else []
