"""The consistency table: how well one embedding of a row maps linearly onto another embedding of that row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.errors import InputError, reading
from neural_action.tables import notes
from neural_action.tables.document import Block, Document, Line, Span, interval
from neural_action.tables.page import Page
from neural_action.tables.scores import Scores

COLUMNS = ("row", "kind", "measure", "one", "other", "value")
#: Kinds of comparison and their headings.
KINDS = {
    "animals": "Between animals",
    "runs": "Between runs",
    "seeds": "Between seeds",
}
MEASURES = {"held_out": "R2, held out", "cebra": "R2, CEBRA"}
_PARTS = ("mean", "lowest", "highest")


def read_consistency(path: Path) -> pd.DataFrame:
    """Columns ``row, kind, measure, one, other`` as text, and ``value``, an R2. InputError for another file."""
    with reading(path, "CSV", OSError, ValueError):
        table = pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[:5], str), keep_default_na=False)
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise InputError(f"{path}: column {missing[0]!r} is missing, expected a table of consistency")
        table["value"] = table["value"].astype(float)
    return table


def consistency(sections: Sections, scores: Scores, path: Path) -> tuple[Document, Page]:
    """One block for each kind: mean, lowest and highest R2 over ordered pairs of embeddings, for each measure."""
    table = read_consistency(path)
    page = Page(scores, sections.methods)
    spans = (*(Span(name, _PARTS) for name in MEASURES.values()), Span("", ("pairs",)))
    for kind, title in KINDS.items():
        lines = []
        for name, row in sections.methods.items():
            own = table[(table["row"] == name) & (table["kind"] == kind)]
            if own.empty:
                continue
            texts, pairs = [], 0
            for measure in MEASURES:
                values = own.loc[own["measure"] == measure, "value"]
                texts += [_plain(value) for value in (values.mean(), values.min(), values.max())]
                pairs = max(pairs, len(values))
                page.records.append(
                    {
                        **{"method": name, "label": row.label, "group": row.group, "task": "consistency"},
                        **{"unit": kind, "metric": measure, "mean": values.mean(), "n_scores": len(values)},
                    }
                )
            lines.append(Line(row.label, row.group, (*texts, str(pairs))))
        if lines:
            page.blocks.append(Block(title, spans, tuple(lines)))
    text = [
        ("Protocol", f"{sections.split.protocol}: {notes.PROTOCOLS[sections.split.protocol]}"),
        *notes.supervised_note(sections, sections.methods),
        (
            "Columns",
            f"R2 of the least-squares map between the {sections.evaluation.consistency_dimensions} leading principal "
            "components of two embeddings, in both directions. Between animals, windows with similar behaviour are "
            "compared; between runs and seeds, the same windows, including those that pretraining saw. Held out: "
            "fitted on some trials and scored on others. CEBRA: like its consistency_score, fitted and scored on the "
            "same points, so it grows with the dimension of the embedding",
        ),
        (
            "Intervals",
            "none, because pairs share embeddings. Lowest and highest are the values of single pairs",
        ),
    ]
    return Document("Consistency", notes.opening(sections), tuple(page.blocks), tuple(text)), page


def _plain(value: float) -> str:
    nan = float("nan")
    return interval(value, nan, nan, metric="r2")
