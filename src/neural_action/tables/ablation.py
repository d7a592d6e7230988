"""The table of ablations: what each part of the method adds, on actions and on identity."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.action import headline
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import Published
from neural_action.tables.scores import Column, Scores


def ablation(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """Every row of the ablation, after the reference and its nearest baseline, with paired differences.

    The reference is the figure method. Raises InputError if nothing was scored across animals.
    """
    metric, reference = sections.tables.metric, sections.tables.figure_method
    kept = {name: row for name, row in sections.methods.items() if row.table == "ablation"}
    methods = {reference: sections.methods[reference], **kept}
    page = Page(scores, methods, Published("", "", {}))
    across = headline(scores, metric)
    whole = across.part
    columns = [
        Column("single_animal", across.fraction, metric, "Single-animal", whole),
        across,
        Column("identity", across.fraction, "accuracy", "Identity, linear", whole, "linear"),
        Column("identity", across.fraction, "knn_same_animal", "Identity, 10-NN", whole, "knn"),
        Column("identity", across.fraction, "accuracy", "Identity, MLP", whole, "mlp"),
    ]
    page.measured("Ablation, probed on the encoder's output", columns)
    page.measured("The same, probed on the projection", columns, projection=True)
    page.differences(
        f"Paired differences, {across.heading.lower()}, {whole} of the labels", across, [reference]
    )
    text = [
        *notes.shared_notes(sections, scores),
        ("Rows", "each changes one thing in the first row; `config/ablation.yaml` says what"),
        (
            "Columns",
            f"actions: {notes.METRICS[metric]}. Identity (lower says less about the animal): accuracy of a linear "
            "and of an MLP probe, and the share of a clip's ten nearest training clips that are of its animal",
        ),
        notes.interval_note(
            sections, "animals, folds within an animal and seeds within a fold are drawn anew"
        ),
        (
            "Differences",
            "row minus reference, in percentage points, paired by animal, fold and seed: an interval without 0 is "
            "a difference, but of many rows one in twenty has such an interval by chance",
        ),
    ]
    return Document("Ablation", notes.opening(sections), tuple(page.blocks), tuple(text)), page
