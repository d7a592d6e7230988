"""Stage: evaluate the frozen representation of one row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import needs
from neural_action.datasets.dataset import Dataset, Source, dataset_of
from neural_action.datasets.protocols import animals_of, protocol_of
from neural_action.datasets.windows import Windows, window_table
from neural_action.errors import InputError
from neural_action.evaluation.clusters import behavior_summary, cluster_membership
from neural_action.evaluation.columns import COLUMNS
from neural_action.evaluation.evaluate import Evaluation, EvaluationData, evaluate
from neural_action.evaluation.representation import represent
from neural_action.files import atomic_write
from neural_action.progress import progress


def run(
    config: str,
    method: str,
    source: Source,
    seed: int,
    threads: int,
    weights: Path | None,
    swaps: Path | None,
    external: Path | None,
    scores: Path,
    embedding: Path,
    representation: Path | None = None,
) -> None:
    """Evaluate the row on every split; write the scores, and the representation and predictions of each window.

    InputError if there is nothing to train or test on, the labels hold only one class, or a file does not fit.
    """
    sections = Sections(config)
    row = sections.method(method)
    files = {"weights": weights, "saved": representation, "swaps": swaps, "external": external}
    given = {**files, "threads": threads, "seed": seed, "device": sections.training.device}
    with threadpool_limits(threads):
        splits = list(_splits(sections, row, source, given, weights))
    rows = [line for split in splits for line in _lines(sections, method, split, seed)]
    with atomic_write(scores) as partial, partial.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    content = _content(splits, trained=row.objective is not None)
    about = {
        "method": np.array(method),
        "run": np.array(embedding.parent.parent.name),
        "seed": np.array(seed),
    }
    with atomic_write(embedding) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **content, **about)


@dataclass(frozen=True)
class Split:
    """One evaluated split."""

    name: str
    dataset: Dataset
    windows: Windows
    features: dict[str, np.ndarray]
    evaluation: Evaluation


def _splits(
    sections: Sections, row: MethodSettings, source: Source, given: dict[str, Any], weights: Path | None
) -> Iterator[Split]:
    """Evaluate every split of the run. Splits that see the same data share a model and its representation."""
    table = source.table()
    with_labels = row.objective is not None and "labels" in needs("objectives", row.objective.name)
    groups = table.models(source.names, source.animal, labels=with_labels)
    # A row that represents only behaviour or labels needs no neural data.
    layout = source.layout(neural=row.representation in ("trained", "raw", "ridge", "canonical"))
    settings, evaluation = sections.windows, sections.evaluation
    for group in groups:
        features, before = {}, None
        for name in progress(group, "splits", "split"):
            pieces = table.pieces(name, source.animal)
            dataset = dataset_of(layout, pieces, settings, animal=source.animal)
            windows = window_table(dataset, settings, stride=settings.stride)
            _check_classes(windows, dataset.class_names)
            if before is None or not np.array_equal(windows.start, before.start):
                part = group[0] if len(groups) > 1 and weights is not None else None
                features = represent(row, dataset, windows, evaluation, **given, part=part, split=group[0])
                before = windows
            data = EvaluationData(
                windows,
                dataset.animals,
                dataset.class_names,
                centre_behavior(dataset, windows),
                variables_of(dataset),
                clusters=clusters_of(dataset, windows, evaluation)
                if "clusters" in evaluation.tasks
                else None,
                owners=list(animals_of(dataset.animals, sections.split).values()),
                own_units=bool(dataset.units),
                # With a single split, the interval comes from its trials.
                unit_seconds=sections.split.block_seconds if protocol_of(name) == "published" else None,
            )
            read = row, sections.probes, evaluation, name, given["seed"]
            result = evaluate(features, data, *read, trained_with_labels=with_labels)
            yield Split(name, dataset, windows, features, result)


def centre_behavior(dataset: Dataset, windows: Windows) -> np.ndarray:
    """(window, variable) float32: behaviour at the middle of each window, normalised animal by animal."""
    return dataset.pose[windows.pose[:, windows.pose.shape[1] // 2]]


def clusters_of(dataset: Dataset, windows: Windows, settings: EvaluationSettings) -> np.ndarray:
    """(window, cluster): membership of behaviour clusters, which are searched in the windows that train.

    InputError without behaviour, or with fewer of these windows than clusters.
    """
    if not dataset.pose.shape[1]:
        raise InputError("evaluation.tasks: clusters needs behaviour, and these recordings have none")
    fitted = np.flatnonzero(windows.role == "train")
    if len(fitted) < settings.clusters:
        raise InputError(
            f"evaluation.clusters: {settings.clusters}, expected at most the {len(fitted)} training windows"
        )
    return cluster_membership(behavior_summary(dataset.pose[windows.pose], fitted), fitted, settings.clusters)


def variables_of(dataset: Dataset) -> tuple[str, ...]:
    """Names of behaviour variables: features, or each axis of each keypoint."""
    if len(dataset.behavior_shape) == 1:
        return dataset.behavior_names
    axes = "xyz"[: dataset.behavior_shape[1]]
    return tuple(f"{name} {axis}" for name in dataset.behavior_names for axis in axes)


def _lines(
    sections: Sections, method: str, split: Split, seed: int
) -> Iterator[tuple[str | int | float, ...]]:
    """Rows of the table of scores."""
    for score in split.evaluation.scores:
        yield (
            *(sections.dataset, protocol_of(split.name), method),
            *(score.layer, score.task, score.probe, score.label_budget, split.name, score.animal),
            *(seed, score.unit, score.metric, f"{score.value:.6f}", score.n_train, score.n_test),
        )


def _content(splits: list[Split], *, trained: bool) -> dict[str, np.ndarray]:
    """Arrays of the embedding file: the windows of the first split, their representation and predictions.

    Splits with the same representation (folds of one model) test other windows; they add their predictions.
    """
    first = splits[0]
    windows, dataset = first.windows, first.dataset
    predicted, where = np.full(len(windows), -1), np.full(len(windows), "", "U64")
    for split in splits:
        if split.features is first.features:
            tested = split.evaluation.predicted >= 0
            predicted[tested], where[tested] = split.evaluation.predicted[tested], split.name
    # An untrained row uses the networks of another row, whose own file holds the representation.
    layers = {name: stored(values) for name, values in first.features.items() if trained}
    return {
        **layers,
        "label": windows.label,
        "animal": windows.animal,
        "trial": windows.trial,
        "start": windows.start,
        "time": windows.time,
        "role": windows.role,
        "split": where,
        "tested": predicted >= 0,
        "predicted": predicted,
        "task": np.array(first.evaluation.shown),
        "class_names": np.array(dataset.class_names),
        "animals": np.array(dataset.animals),
    }


def stored(values: np.ndarray) -> np.ndarray:
    """A layer as float16 if that keeps it, otherwise as float32.

    float16 has no numbers above 65,504, and few below 2^-14; with a largest value of 2^-8 or more, what is lost is less
    than 2^-16 of it.
    """
    largest = float(np.abs(np.nan_to_num(values)).max(initial=0.0))
    fits = 2.0**-8 <= largest <= float(np.finfo(np.float16).max)
    return values.astype(np.float16 if fits else np.float32)


def _check_classes(windows: Windows, names: tuple[str, ...]) -> None:
    """InputError if all labelled windows have the same class: there is nothing to tell apart."""
    found = np.unique(windows.label[windows.label >= 0])
    if len(found) == 1:
        raise InputError(f"labels: every labelled window is {names[found[0]]}, expected two classes or more")
