"""Settings of the evaluation: features of raw bins, probes, tasks and label budgets."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from neural_action.config.kinds import Count, Each, Fraction, FromText, Positive, Section
from neural_action.errors import InputError

Task = Literal[
    "within",
    "across_sessions",
    "across",
    "identity",
    "decoding",
    "continuous_within",
    "continuous_across_sessions",
    "continuous_across",
    "clusters",
]
#: Tasks of actions, and of behaviour variables, from the easiest to the hardest.
ACTIONS = ("within", "across_sessions", "across")
CONTINUOUS = ("continuous_within", "continuous_across_sessions", "continuous_across")
#: Tasks whose probes are trained on other sessions of the same animal too.
ACROSS_SESSIONS = ("across_sessions", "continuous_across_sessions")
#: Tasks whose probes are trained on the tested animal itself.
OWN = ("within", "decoding", "continuous_within")
#: Tasks whose targets are values computed from behaviour, which needs no labels.
VALUES = (*CONTINUOUS, "clusters")
_OF_CLASSES = tuple(task for task in get_args(Task) if task not in VALUES)
LabelBudget = Annotated[Literal["all", "half"] | Annotated[int, Field(ge=1)], FromText]
#: Scaling of centred features: each by its own standard deviation (``zscore``), or all by one number (``centred``).
Scale = Literal["zscore", "centred"]


class FeatureSettings(Section):
    """Features that a row computes from raw bins, without labels, before probes read them.

    ``counts``: means over the last ``windows`` bins of the same trial. ``prediction``: the linear map that best
    predicts the mean of the ``lag`` bins before and after. ``discriminant``: the linear map that keeps what a bin
    shares with its trial (or with a block of ``block_bins`` bins of it) and with the ``neighbors`` nearest trials,
    which are searched ``rounds`` times. For both maps, validation chooses one of ``ranks`` and one of ``penalties``
    (times the mean variance).
    """

    name: Literal["counts", "prediction", "discriminant"]
    windows: Annotated[list[Count], Field(min_length=1)] = [1, 2, 4, 8, 16, 32, 64]
    ranks: Annotated[list[Count], Field(min_length=1)] = [8, 32]
    penalties: Annotated[list[Positive], Field(min_length=1)] = [0.1, 1.0]
    lag: Count = 1
    neighbors: Annotated[int, Field(ge=0)] = 12
    rounds: Annotated[int, Field(ge=0)] = 3
    block_bins: Count | None = None


class ProbeConfig(Section):
    """A probe, which reads frozen representations and outputs scores of classes or values of variables.

    ``softmax``: multinomial logistic regression. Solver ``sgd`` trains a linear layer for ``steps``; ``exact`` finds
    the optimum; ``epochs`` trains a linear layer for up to ``epochs`` passes over the windows, with one of
    ``learning_rates``, multiplied by ``factor`` at each of ``milestones`` (validation chooses rate and epoch).
    ``angle``: ridge regression of (cos, sin) of the class, which is a direction. ``ridge``: ridge regression of
    values of behaviour. ``knn``: share of each class among the ``neighbors`` nearest training windows. ``mlp``: a
    network with ``hidden`` layers, trained for ``epochs``, or without ``epochs`` until early stopping on a tenth of the
    training windows.

    ``penalties``: first and last exponent; the penalties are 2 to each whole number between. They are chosen on
    validation windows, or on held-out training trials if a split has none. ``vote`` averages scores over
    ``vote_windows`` windows before and after, or over the trial. A probe without ``tasks`` is not used.
    """

    kind: Literal["softmax", "angle", "ridge", "knn", "mlp"]
    tasks: Annotated[list[Task], Each]
    label: str | None = None
    vote: Literal["none", "neighbors", "trial"] = "none"
    vote_windows: Count = 1
    class_weight: Literal["balanced", "none"] = "none"
    solver: Literal["sgd", "exact", "epochs"] = "exact"
    penalties: Annotated[list[int], Field(min_length=2, max_length=2)] = [-10, 9]
    steps: Count = 400
    batch: Count = 256
    learning_rate: Positive = 0.1
    learning_rates: Annotated[list[Positive], Field(min_length=1), Each] = [0.04]
    milestones: list[Count] = []
    factor: Fraction = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3
    neighbors: Count = 10
    hidden: Annotated[list[Count], Field(min_length=1)] = [64]
    epochs: Count | None = None

    @model_validator(mode="after")
    def _has_epochs(self) -> ProbeConfig:
        if self.kind == "softmax" and self.solver == "epochs" and self.epochs is None:
            raise ValueError("epochs, a number, for solver 'epochs'")
        return self

    def check_tasks(self, where: str) -> None:
        """Raise InputError, naming ``where``, if a probe of this kind cannot read one of its tasks."""
        read, called = (
            (VALUES, "tasks of behaviour") if self.kind == "ridge" else (_OF_CLASSES, "tasks of classes")
        )
        for task in self.tasks:
            if task not in read:
                raise InputError(
                    f"{where}.tasks: {task!r}, expected {called} for a probe of kind {self.kind}"
                )
            if self.kind == "angle" and task == "identity":
                raise InputError(f"{where}.tasks: {task!r}, expected tasks with directions for kind angle")


class EvaluationSettings(Section):
    """Evaluation of frozen representations: task x probe x label budget x metric.

    Tasks: ``within`` (the probe is trained on other trials of the tested animal), ``across`` (on the other animals),
    ``across_sessions`` (on all other sessions, where ``split.animal_of_session`` says that animals are sessions),
    ``identity`` (which animal), ``decoding`` (like within, shown as MYOW's table), ``continuous_within``,
    ``continuous_across_sessions`` and ``continuous_across`` (behaviour variables instead of classes), ``clusters``
    (like across, but membership of ``clusters`` behaviour clusters, without labels). Label budgets: ``all``, ``half``
    (half of each animal's blocks of ``label_block_seconds``), or a number of labelled trials of each class; in a
    recording without trials, a bout of one class, cut to ``labelled_seconds``, counts as a trial. ``choose_by``: metric
    for choices on validation windows. ``scale``: scaling of features by training windows. ``raw_pool_time`` and
    ``raw_pool_space``: frames and pixels over which raw windows are averaged. ``variables``: behaviour variables of the
    continuous tasks; null means all.
    """

    tasks: Annotated[list[Task], Field(min_length=1), Each] = ["within", "across", "identity"]
    label_budgets: Annotated[list[LabelBudget], Field(min_length=1), Each] = ["half", "all"]
    label_block_seconds: Positive = 10.0
    labelled_seconds: Positive = 60.0
    identity_samples: Count = 1000
    choose_by: Literal["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"] = "accuracy"
    scale: Scale = "zscore"
    raw_pool_time: Count = 4
    raw_pool_space: Count = 2
    variables: list[str] | None = None
    clusters: Annotated[int, Field(ge=2)] = 16
    consistency_dimensions: Count = 8
