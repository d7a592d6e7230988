"""The main columns of a dataset, which its overview shows."""

from __future__ import annotations

from neural_action.config.evaluation_settings import CONTINUOUS
from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.tables import action, continuous, decoding
from neural_action.tables.registry import CLASS_TASKS
from neural_action.tables.scores import Column, Scores

#: Behaviour variables in the picture, at most; the CSV of the table has all.
_PANELS = 8


def headlines(sections: Sections, scores: Scores) -> list[Column]:
    """The main class task, by the first probe with the most labels: across animals, else within, else decoding.

    For a dataset without class tasks: R2 of its behaviour variables. Raises InputError if neither was scored.
    """
    for task in CLASS_TASKS:
        if probes := scores.read_by(task):
            if task == "decoding":
                budget = scores.budgets(task, probes[0])[-1]
                return [decoding.headline(animal, probes[0], budget=budget) for animal in scores.animals]
            return [action.headline(scores, probes[0], sections.tables.metric)]
    found = continuous_headlines(scores)
    if not found:
        raise InputError("scores: no task was scored; expected actions, classes or behaviour variables")
    return found


def continuous_headlines(scores: Scores) -> list[Column]:
    """R2 over all behaviour variables and of the first seven: across animals, else within, by the first probe."""
    for task in reversed(CONTINUOUS):
        if probes := scores.read_by(task):
            return continuous.columns(scores, task, probes[0])[:_PANELS]
    return []
