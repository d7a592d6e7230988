"""The table of unseen animals: what leaving an animal out of pretraining costs, before and after adapting to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.evaluation.statistics import between_protocols
from neural_action.tables import notes
from neural_action.tables.document import EMPTY, Block, Document, Line, Span, interval
from neural_action.tables.page import Page
from neural_action.tables.scores import ALL, Column, Scores

SEEN = "new_trials"
PROTOCOLS = {SEEN: "seen", "new_animal": "not seen", "adapted": "not seen, adapted"}
#: Heading of the protocol ``new_animal`` where animals have their own units.
_OWN = "not seen, closed form"
_CLOSED_FORM = (
    "where animals have their own units, an animal that pretraining did not see has no input layer. Not seen: it is "
    "read in closed form, without any training step. One ridge maps behaviour to neural encodings (fitted to the other "
    "animals), another the animal's units to these (fitted to its other trials, without labels)"
)


def unseen_animal(sections: Sections, path: Path) -> tuple[Document, Page]:
    """One block for each row and probe: all animals together, then each animal. Raises as ``Scores.read``."""
    methods = {name: sections.methods[name] for name in sections.adapt.rows}
    by_protocol = {
        name: Scores.read(path, methods, sections.dataset, name, sections.probes, only=True)
        for name in PROTOCOLS
    }
    some = by_protocol[SEEN]
    page = Page(some, methods)
    columns = [
        Column("across", probe, ALL, sections.tables.metric, notes.TASKS["across"])
        for probe in some.read_by("across")
    ]
    own = sections.windows.units == "own"
    headings = {**PROTOCOLS, **({"new_animal": _OWN} if own else {})}
    spans = (
        Span("animal in pretraining", tuple(headings.values())),
        Span("minus seen", tuple(headings[name] for name in PROTOCOLS if name != SEEN)),
    )
    for column in columns:
        for name, row in methods.items():
            lines = [_line(page, name, column, by_protocol, animal) for animal in (None, *some.animals)]
            page.blocks.append(Block(f"{row.label}, {some.probe_label(column.probe)}", spans, tuple(lines)))
    text = [
        *notes.shared_notes(sections, some, methods, columns),
        ("Rows", "the tested animal. No column uses its labels"),
        (
            "Columns",
            "what pretraining saw of the tested animal. Seen: its other trials, without labels (protocol new_trials). "
            "Not seen: nothing (protocol new_animal). Adapted: nothing, but the neural encoder is then trained for a "
            "short time on its other trials, without labels",
        ),
        *([] if sections.windows.units == "shared" else [("Own units", _CLOSED_FORM)]),
        (
            "Minus seen",
            "paired by animal, t over animals. A single animal has no interval. What all animals owe to the luck of "
            "one trained encoder is not in it",
        ),
    ]
    return Document("Unseen animal", notes.opening(sections), tuple(page.blocks), tuple(text)), page


def _line(page: Page, name: str, column: Column, scores: dict[str, Scores], animal: str | None) -> Line:
    own = replace(column, animal=animal)
    texts = []
    for protocol, every in scores.items():
        cell = every.cell(name, own)
        if cell is not None:
            page.record(name, own, cell, metric=f"{own.metric}_{protocol}")
        texts.append(EMPTY if cell is None else interval(cell.mean, cell.low, cell.high))
    for protocol in scores:
        if protocol != SEEN:
            found = between_protocols(scores[protocol].pick(name, own), scores[SEEN].pick(name, own))
            page.record(name, own, found, metric=f"{own.metric}_{protocol}_minus_{SEEN}")
            texts.append(EMPTY if not found.n else interval(found.mean, found.low, found.high, sign=True))
    return Line(animal or "all animals", "", tuple(texts))
