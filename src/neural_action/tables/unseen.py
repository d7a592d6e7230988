"""The table of unseen animals: what leaving one out of pretraining costs, and what adapting to it recovers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.evaluation.statistics import hierarchical_bootstrap, recovered_share
from neural_action.tables import notes
from neural_action.tables.document import Block, Document, Line, Span, interval, percent
from neural_action.tables.page import Page
from neural_action.tables.published import Published
from neural_action.tables.scores import Cell, Column, Scores

PROTOCOLS = {"new_trials": "seen", "new_animal": "not seen", "adapted": "not seen, adapted"}


def unseen_animal(sections: Sections, path: Path) -> tuple[Document, Page]:
    """One block a row: every animal in turn, and all. InputError as ``Scores.read``."""
    settings = sections.tables
    methods = {name: sections.methods[name] for name in sections.adapt.rows}
    by_protocol = {
        name: Scores.read(path, methods, sections.dataset, name, settings, only=True) for name in PROTOCOLS
    }
    some = by_protocol["new_trials"]
    fraction = some.fractions("multi_animal")[-1]
    column = Column("multi_animal", fraction, settings.metric, "Multi-animal", str(fraction))
    page = Page(some, methods, Published("", "", {}))
    for name, row in methods.items():
        parts = [scores.pick(name, column) for scores in by_protocol.values()]
        lines = [_line(page, name, column, parts, None)]
        lines += [_line(page, name, column, parts, animal) for animal in some.animals]
        spans = (
            Span("in pretraining the animal was", tuple(PROTOCOLS.values())),
            Span("of the loss", ("recovered, %",)),
        )
        page.blocks.append(Block(row.label, spans, tuple(lines)))
    text = [
        ("Rows", "the animal that is tested; nothing of it was seen with a label in any column"),
        (
            "Columns",
            "what pretraining saw of that animal: its trials that are not tested, without labels (seen, protocol "
            "new_trials); nothing (not seen, new_animal); nothing, and then its trials that are not tested, without "
            "labels, in a short training of the neural encoder alone (adapted)",
        ),
        ("Metric", f"{notes.METRICS[settings.metric]}; linear probe trained on the other animals"),
        (
            "Recovered",
            "(adapted - not seen) / (seen - not seen), in percent; where the loss is small it says nothing",
        ),
        notes.interval_note(
            sections, "animals, folds within an animal and seeds within a fold are drawn anew"
        ),
    ]
    return Document("Unseen animal", notes.opening(sections), tuple(page.blocks), tuple(text)), page


def _line(page: Page, name: str, column: Column, parts: list[pd.DataFrame], animal: str | None) -> Line:
    settings = page.scores.settings
    own = [part if animal is None else part[part["animal"] == animal] for part in parts]
    texts = []
    for protocol, part in zip(PROTOCOLS, own, strict=True):
        cell = Cell(*hierarchical_bootstrap(part, settings.bootstrap, settings.seed), len(part))
        page.record(name, column, f"{column.metric}_{protocol}_{animal or 'all'}", cell)
        texts.append(interval(cell.mean, cell.low, cell.high))
    seen, unseen, adapted = own
    share = recovered_share(seen, unseen, adapted, settings.bootstrap, settings.seed)
    page.record(name, column, f"recovered_{animal or 'all'}", Cell(*share, len(own[0])))
    texts.append(interval(*share) if animal is None else percent(share[0]))
    return Line(animal or "all animals", "", tuple(texts))
