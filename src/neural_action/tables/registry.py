"""The tables and pictures of a dataset, which follow from its tasks, label budgets and rows.

The workflow imports this module before any job runs, so it imports no heavy package.
"""

from __future__ import annotations

from collections.abc import Iterable

from neural_action.config.evaluation_settings import ACTIONS, CONTINUOUS, EvaluationSettings
from neural_action.config.settings import MethodSettings

CLASS_TASKS = (*reversed(ACTIONS), "decoding")


def table_names(
    evaluation: EvaluationSettings,
    methods: Iterable[MethodSettings],
    *,
    decoding: str = "decoding",
    unseen: bool = False,
    consistency: bool = False,
) -> list[str]:
    """Names of the tables, in order.

    Args:
        evaluation: tasks and label budgets.
        methods: the rows that are shown.
        decoding: name of the table of the task decoding.
        unseen: whether the model is adapted to animals left out of pretraining.
        consistency: whether the consistency of embeddings is measured.
    """
    tasks = set(evaluation.tasks)
    made = {
        "action_recognition": tasks & set(ACTIONS),
        decoding: "decoding" in tasks,
        "identity_recognition": "identity" in tasks,
        "label_efficiency": _few_labels(evaluation),
        "continuous": tasks & set(CONTINUOUS),
        "label_free": "clusters" in tasks,
        "consistency": consistency,
        "ablation": tasks & set(ACTIONS) and any(row.table == "ablation" for row in methods),
        "unseen_animal": unseen,
    }
    return [name for name, wanted in made.items() if wanted]


def picture_names(
    evaluation: EvaluationSettings, *, swaps: bool, consistency: bool = False, mined: bool = False
) -> list[str]:
    """Names of the pictures, in order.

    Args:
        evaluation: tasks and label budgets.
        swaps: whether there is a swap table.
        consistency: whether the consistency of embeddings is measured.
        mined: whether a row mines views.
    """
    tasks = set(evaluation.tasks)
    classes = bool(tasks & set(CLASS_TASKS))
    made = {
        "scores": classes,
        "label_efficiency": _few_labels(evaluation),
        "continuous": tasks & set(CONTINUOUS),
        "confusion": classes,
        "statistics": True,
        "neighbors": swaps,
        "consistency": consistency,
        "mined": mined,
        "training": True,
        # Last, because it takes as long as all others together.
        "embedding": True,
    }
    return [name for name, wanted in made.items() if wanted]


def _few_labels(evaluation: EvaluationSettings) -> bool:
    few = any(isinstance(budget, int) for budget in evaluation.label_budgets)
    return few and bool(set(evaluation.tasks) & set(CLASS_TASKS))
