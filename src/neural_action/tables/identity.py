"""The table of identity recognition (Table 2 of the poster), with the probes that a linear one may miss."""

from __future__ import annotations

from neural_action.config.sections import Sections
from neural_action.tables import notes
from neural_action.tables.document import Document
from neural_action.tables.page import Page
from neural_action.tables.published import beside
from neural_action.tables.scores import Column, Scores, of_the_papers


def columns(scores: Scores) -> list[Column]:
    """The linear probe with every fraction of the training clips; nearest neighbours and MLP with all."""
    fractions = scores.fractions("identity")
    linear = [
        Column("identity", fraction, "accuracy", "Linear probe", str(fraction), "linear")
        for fraction in fractions
    ]
    whole = fractions[-1:]
    return [
        *linear,
        *(Column("identity", f, "knn_same_animal", "10 nearest neighbours", str(f), "knn") for f in whole),
        *(Column("identity", f, "accuracy", "MLP probe", str(f), "mlp") for f in whole),
    ]


def identity_recognition(sections: Sections, scores: Scores) -> tuple[Document, Page]:
    """How well the animal is recognised from the encoder, and from the projection."""
    methods = of_the_papers(sections)
    page = Page(scores, methods, beside("identity_recognition", sections.tables))
    main = columns(scores)
    page.measured("Identity recognition (lower is better)", main)
    page.measured(
        "Identity recognition from the projection (the layer the objective is trained on)",
        main,
        projection=True,
    )
    linear = [column for column in main if column.probe == "linear"]
    chance = [notes.chance_note(scores, methods, column) for column in linear[-1:]]
    text = [
        *notes.shared_notes(sections, scores),
        (
            "Columns",
            "fraction of the training clips that is used. Which animal a clip is from, by probes trained on "
            "other trials than they are tested on, with equally many clips of every animal",
        ),
        (
            "Metric",
            "accuracy of a linear and of an MLP probe; for nearest neighbours, the share of a clip's ten "
            "nearest training clips that are from its own animal",
        ),
        *chance,
        (
            "Floor",
            "animals differ in what they do, so behaviour alone already tells them apart better than chance. "
            "The reference rows say how well: the action label of a clip, and the behaviour encoder of Ours on "
            "poses that are swapped across animals as in its training (half of them) or altogether",
        ),
        notes.interval_note(
            sections,
            "folds, and seeds within a fold, are drawn anew. A score is of all animals together, so these "
            "intervals do not hold the variation between sets of animals",
        ),
        *notes.paper_note(page.paper),
    ]
    return Document("Identity recognition", notes.opening(sections), tuple(page.blocks), tuple(text)), page
