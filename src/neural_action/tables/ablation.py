"""The ablation table: what each part of the method adds, for actions and for identity."""

from __future__ import annotations

from neural_action.config.evaluation_settings import ACTIONS
from neural_action.config.sections import Sections
from neural_action.tables import action, identity, notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.scores import Column, Scores


def ablation(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """The figure method and the ablation rows, one block for each probe, with paired differences to the figure method.

    Raises InputError if the figure method is not configured.
    """
    metric, reference = sections.tables.metric, sections.tables.figure_method
    kept = {name: row for name, row in sections.methods.items() if row.table == "ablation"}
    methods = {reference: sections.method(reference), **kept}
    page = Page(scores, methods)
    shown: list[Column] = []
    for probe in scores.read_by(*ACTIONS, "identity"):
        label = scores.probe_label(probe)
        for where, projection in (("", False), (", on the projection", True)):
            columns = [
                column
                for column in (
                    *action.columns(scores, probe, metric, projection=projection),
                    *identity.columns(scores, probe, projection=projection),
                )
                if column.label_budget == "all"
            ]
            page.measured(f"Ablation, {label}{where}", columns)
            shown += columns
        if probe in scores.read_by(*ACTIONS):
            column = action.headline(scores, probe, metric)
            page.differences(
                f"Differences, {label}, {column.heading.lower()}, {column.part}", column, [reference]
            )
    text = [
        *notes.shared_notes(sections, scores, methods, shown),
        ("Rows", "each row changes one thing in the first row; see `config/ablation.yaml`"),
        ("Identity", "lower is better: the representation encodes less about the animal"),
        notes.difference_note(sections),
    ]
    return Document("Ablation", notes.opening(sections), tuple(page.blocks), tuple(text)), page
