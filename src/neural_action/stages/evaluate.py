"""Stage: probe the frozen representation of one row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.evaluation.columns import EVERY
from neural_action.evaluation.representation import represent
from neural_action.evaluation.tasks import (
    Probe,
    Reading,
    action_probes,
    identity_probes,
    run_action_probe,
    run_identity_probe,
)
from neural_action.files import whole
from neural_action.progress import progress
from neural_action.datasets.windows import Windows, window_table
from neural_action.datasets.dataset import load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.stages.decoding import decode_splits


def run(
    config: str,
    method: str,
    folds: Path,
    holdout: str,
    seed: int,
    threads: int,
    weights: Path | None,
    swaps: Path | None,
    scores: Path,
    embedding: Path,
    manifests: tuple[Path, ...],
    external: Path | None = None,
) -> None:
    """Score every probe that ``holdout`` leaves to test; write the scores and the representations."""
    given = {"weights": weights, "swaps": swaps, "external": external, "threads": threads}
    with threadpool_limits(threads):
        _run(config, method, folds, holdout, seed, given, scores, embedding, manifests)


def _run(config, method, folds, holdout, seed, given, scores, embedding, manifests) -> None:
    sections = Sections(config)
    row, settings, clip_settings = sections.method(method), sections.probe, sections.clips
    hidden = Holdout.parse(holdout)
    if hidden.kind == "split":
        networks = (given["threads"], given["weights"], given["external"])
        rows, content = decode_splits(sections, method, folds, hidden, seed, *networks, manifests)
        _write(rows, scores, content, embedding, method, holdout, seed)
        return
    test_folds = sections.split.test_folds
    reads_neural = row.representation in ("trained", "raw")
    dataset = load_cohort(manifests, read_folds(folds), hidden, clip_settings, neural=reads_neural)
    clips = window_table(dataset, clip_settings, stride=clip_settings.stride)
    _check_classes(clips, dataset.class_names)
    features = represent(row, dataset, clips, settings, **given, seed=seed)
    reading = Reading(
        classes=len(dataset.class_names),
        animals=len(dataset.animals),
        settings=settings,
        seed=seed,
        by_feature=row.representation != "raw",
        mlp=row.probe == "mlp",
        permuted=row.labels == "permuted",
    )

    def asked(probes: Iterable[Probe]) -> list[Probe]:
        return [
            probe
            for probe in probes
            if probe.task in row.tasks and not (test_folds and probe.fold not in test_folds)
        ]

    actions = asked(action_probes(clips, dataset.animals, hidden, settings, seed))
    identities = asked(identity_probes(clips, dataset.animals, hidden, settings, seed))
    rows, predicted = [], np.full(len(clips), -1)
    # What is kept of a single animal is predicted within it: nothing can be across animals.
    kept = "multi_animal" if len(dataset.animals) > 1 else "single_animal"
    for name, values in features.items():

        def add(probe: Probe, kind: str, metric: str, value: float, name: str = name) -> None:
            what = (sections.dataset, hidden.protocol, method, name, kind)
            where = (probe.task, probe.fraction, probe.fold, probe.animal, seed)
            rows.append((*what, *where, metric, value, len(probe.train), len(probe.test)))

        for probe in progress(actions, f"actions, {name}", "probe"):
            result, guesses = run_action_probe(probe, values, clips, reading)
            for metric, value in result.items():
                add(probe, row.probe, metric, value)
            whole_labels = probe.task == kept and probe.fraction == max(settings.fractions)
            if name != "projection" and whole_labels:
                predicted[probe.test] = guesses
        for probe in progress(identities, f"identity, {name}", "probe"):
            for kind, metric, value in run_identity_probe(probe, values, clips, reading):
                add(probe, kind, metric, value)
    if not rows:
        raise InputError(
            f"method {method}, holdout {holdout}: no probe has labelled clips to train and test on"
        )

    # What another row's networks represent stands in that row's file.
    represented = {
        name: values.astype(np.float16) for name, values in features.items() if row.objective is not None
    }
    content = {
        **represented,
        "label": clips.label,
        "animal": clips.animal,
        "trial": clips.trial,
        "fold": clips.fold,
        "time": clips.time,
        "tested": predicted >= 0,
        "predicted": predicted,
        "class_names": np.array(dataset.class_names),
        "animals": np.array(dataset.animals),
    }
    _write(rows, scores, content, embedding, method, holdout, seed)


def _write(
    rows: list,
    scores: Path,
    content: dict[str, np.ndarray],
    embedding: Path,
    method: str,
    holdout: str,
    seed: int,
) -> None:
    with whole(scores) as partial:
        pd.DataFrame(rows, columns=EVERY).to_csv(partial, index=False, float_format="%.6f")
    with whole(embedding) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            **content,
            method=np.array(method),
            holdout=np.array(holdout),
            seed=np.array(seed),
        )


def _check_classes(clips: Windows, names: tuple[str, ...]) -> None:
    """InputError if the labels name one class alone: nothing can be read from them."""
    found = np.unique(clips.label[clips.label >= 0])
    if len(found) == 1:
        raise InputError(f"labels: every labelled clip is {names[found[0]]}, expected two classes or more")
