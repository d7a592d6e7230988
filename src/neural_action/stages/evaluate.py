"""Stage: probe the frozen representation of one row."""

from __future__ import annotations

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
from neural_action.recordings.clips import clip_table
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds


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
    test_folds = sections.split.test_folds
    reads_neural = row.representation in ("trained", "raw")
    cohort = load_cohort(manifests, read_folds(folds), hidden, clip_settings, neural=reads_neural)
    clips = clip_table(cohort, clip_settings, stride=clip_settings.stride)
    features = represent(row, cohort, clips, settings, **given, seed=seed)
    reading = Reading(
        classes=len(cohort.class_names),
        animals=len(cohort.animals),
        settings=settings,
        seed=seed,
        by_feature=row.representation != "raw",
        mlp=row.probe == "mlp",
        permuted=row.labels == "permuted",
    )

    rows, predicted = [], np.full(len(clips), -1)
    for name, values in features.items():

        def add(probe: Probe, kind: str, metric: str, value: float, name: str = name) -> None:
            what = (sections.dataset, hidden.protocol, method, name, kind)
            where = (probe.task, probe.fraction, probe.fold, probe.animal, seed)
            rows.append((*what, *where, metric, value, len(probe.train), len(probe.test)))

        for probe in action_probes(clips, cohort.animals, hidden, settings, seed):
            if probe.task not in row.tasks or (test_folds and probe.fold not in test_folds):
                continue
            result, guesses = run_action_probe(probe, values, clips, reading)
            for metric, value in result.items():
                add(probe, row.probe, metric, value)
            whole_labels = probe.task == "multi_animal" and probe.fraction == max(settings.fractions)
            if name != "projection" and whole_labels:
                predicted[probe.test] = guesses
        for probe in identity_probes(clips, cohort.animals, hidden, settings, seed):
            if "identity" not in row.tasks or (test_folds and probe.fold not in test_folds):
                continue
            for kind, metric, value in run_identity_probe(probe, values, clips, reading):
                add(probe, kind, metric, value)
    if not rows:
        raise InputError(
            f"method {method}, holdout {holdout}: no probe has labelled clips to train and test on"
        )

    with whole(scores) as partial:
        pd.DataFrame(rows, columns=EVERY).to_csv(partial, index=False, float_format="%.6f")
    with whole(embedding) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            # What another row's networks represent stands in that row's file.
            **{
                name: values.astype(np.float16)
                for name, values in features.items()
                if row.objective is not None
            },
            label=clips.label,
            animal=clips.animal,
            trial=clips.trial,
            fold=clips.fold,
            time=clips.time,
            tested=predicted >= 0,
            predicted=predicted,
            class_names=np.array(cohort.class_names),
            animals=np.array(cohort.animals),
            method=np.array(method),
            holdout=np.array(holdout),
            seed=np.array(seed),
        )
