"""The table of consistency: how well one embedding of a row maps linearly onto another of the same row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.tables import notes
from neural_action.tables.document import EMPTY, Block, Document, Line, Span, interval
from neural_action.tables.page import Page
from neural_action.tables.scores import Scores

COLUMNS = ("row", "kind", "measure", "one", "other", "value")
#: What each kind and measure compares.
KINDS = {
    f"{kind}{suffix}": f"Between {kind}, {measure}"
    for kind in ("animals", "seeds", "runs")
    for suffix, measure in (("", "cross-validated"), ("_cebra", "CEBRA's measure"))
}


def read_consistency(path: Path) -> pd.DataFrame:
    """Columns ``row, kind, one, other`` as text and ``value``, a R2; kinds are those of ``KINDS``.

    InputError if the file is something else.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[:5], str), keep_default_na=False)
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise InputError(f"{path}: column {missing[0]!r} is missing, expected consistency of embeddings")
        table["value"] = table["value"].astype(float)
        table["kind"] += table["measure"].map({"held_out": "", "cebra": "_cebra"})
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV ({' '.join(str(error).split())})") from None
    return table


def consistency(sections: Sections, scores: Scores, path: Path) -> tuple[Document, Page]:
    """A block a kind: mean R2 over ordered pairs of embeddings, the lowest, the highest, and how many pairs."""
    table = read_consistency(path)
    page = Page(scores, sections.methods)
    spans = (Span("R2 of the linear map", ("mean", "lowest", "highest", "pairs")),)
    for kind in table["kind"].unique():
        lines = []
        for name, row in sections.methods.items():
            own = table.loc[(table["row"] == name) & (table["kind"] == kind), "value"]
            if own.empty:
                continue
            nan = float("nan")
            texts = [interval(value, nan, nan, metric="r2") for value in (own.mean(), own.min(), own.max())]
            lines.append(Line(row.label, row.group, (*texts, str(len(own)))))
            page.records.append(
                {
                    **{"method": name, "label": row.label, "group": row.group, "task": "consistency"},
                    **{"metric": kind, "mean": own.mean(), "n_scores": len(own)},
                }
            )
        if lines:
            page.blocks.append(Block(KINDS.get(kind, kind.replace("_", " ")), spans, tuple(lines)))
    text = [
        ("Protocol", f"{sections.split.protocol}: {notes.PROTOCOLS[sections.split.protocol]}"),
        *notes.supervised_note(sections, sections.methods),
        (
            "Measure",
            f"R2 of the least-squares map between the leading {sections.evaluation.consistency_dimensions} principal "
            "components of two embeddings, both ways. Between animals, windows are matched by behaviour; between seeds "
            "and runs they are the same windows, also those that pretraining saw. Cross-validated: the map is "
            "fitted and tested on different trials. CEBRA's measure: fitted and tested on the same windows, so that "
            f"embeddings with more dimensions score higher. {EMPTY} is an embedding without variance",
        ),
        ("Intervals", "none: pairs share embeddings. Lowest and highest are of single pairs"),
    ]
    return Document("Consistency", notes.opening(sections), tuple(page.blocks), tuple(text)), page
