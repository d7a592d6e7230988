"""Evaluation in the configuration: features of raw bins, probes, tasks and label budgets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from neural_action.config.kinds import Count, Each, Fraction, Positive, Section

Task = Literal["within", "across", "identity", "decoding", "continuous_within", "continuous_across"]
#: What a probe's features are centred and divided by: each by its own standard deviation, or all by one number.
Scale = Literal["zscore", "centred"]


class FeatureSettings(Section):
    """What a row makes of raw bins before they are read, without labels.

    ``counts``: means over the last ``windows`` bins of the same trial. ``prediction``: the linear map that best
    predicts the mean of the ``lag`` bins before and after, of each of ``ranks`` and each of ``penalties``, times the
    mean variance; validation chooses. ``discriminant``: of each of ``ranks`` and ``penalties`` too, the linear map that
    keeps what a bin shares with its trial, or with ``while_bins`` of it, and with the ``neighbors`` trials that are
    nearest to it, looked for ``rounds`` times.
    """

    name: Literal["counts", "prediction", "discriminant"]
    windows: Annotated[list[Count], Field(min_length=1)] = [1, 2, 4, 8, 16, 32, 64]
    ranks: Annotated[list[Count], Field(min_length=1)] = [8, 32]
    penalties: Annotated[list[Positive], Field(min_length=1)] = [0.1, 1.0]
    lag: Count = 1
    neighbors: Annotated[int, Field(ge=0)] = 12
    rounds: Annotated[int, Field(ge=0)] = 3
    while_bins: Count | None = None


class ProbeConfig(Section):
    """A probe: what reads frozen representations. It gives scores of classes, or values of variables.

    ``softmax``: multinomial logistic regression, by ``sgd`` (a linear layer trained for ``steps``), ``exact`` (to
    the optimum, with the weight decay that validation chooses) or ``epochs`` (a linear layer that sees every window
    once an epoch, with one of ``learning_rates`` times ``factor`` from each of ``milestones`` on, up to one of
    ``epochs``; validation chooses both). ``angle``: ridge on (cos, sin) of the class, which
    stands for a direction. ``ridge``: of behaviour variables. ``knn``: the share of the ``neighbors`` nearest windows
    of training in each class. ``mlp``: a network of ``hidden`` layers, for ``epochs``, or until a tenth of the
    training windows stops it early.

    ``penalties`` are two to each whole number from the first to the last. They are chosen on validation windows, or
    where a split has none on held-out trials of training. ``vote`` averages scores over ``vote_windows`` windows
    before and after, or over the trial. A probe without ``tasks`` is left out.
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
            raise ValueError("epochs, a number, with solver 'epochs'")
        return self


class EvaluationSettings(Section):
    """How frozen representations are evaluated: task x probe x label budget x metric.

    Tasks: ``within`` (an animal's own other trials train the probe), ``across`` (the other animals' trials train it),
    ``identity`` (which animal), ``decoding`` (as within, laid out as MYOW's table), ``continuous_within`` and
    ``continuous_across`` (behaviour variables in place of classes). Label budgets: ``all``, ``half`` (of each animal's
    blocks of ``label_block_seconds``), or a number of labelled trials of each class; in a recording without trials a
    run of one class is cut to ``labelled_seconds`` for these. ``choose_by`` is the metric that validation chooses by.
    ``scale`` centres and scales features by training windows. Raw windows are averaged over ``raw_pool_time`` frames
    and ``raw_pool_space`` pixels. ``variables`` names the behaviour variables of the continuous tasks; null: all.
    """

    tasks: Annotated[list[Task], Field(min_length=1), Each] = ["within", "across", "identity"]
    label_budgets: Annotated[list[Literal["all", "half"] | Count], Field(min_length=1), Each] = [
        "half",
        "all",
    ]
    label_block_seconds: Positive = 10.0
    labelled_seconds: Positive = 60.0
    identity_samples: Count = 1000
    choose_by: Literal["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"] = "accuracy"
    scale: Scale = "zscore"
    raw_pool_time: Count = 4
    raw_pool_space: Count = 2
    variables: list[str] | None = None
    consistency_dimensions: Count = 8
