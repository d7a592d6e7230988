"""Stage: probe the frozen representation of one row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.evaluation.columns import EVERY
from neural_action.evaluation.representation import represent
from neural_action.evaluation.tasks import (
    action_probes,
    identity_probes,
    run_action_probe,
    run_identity_probe,
)
from neural_action.files import whole
from neural_action.recordings.clips import clip_table
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.training.device import prepare


def run(
    config: str,
    method: str,
    folds: Path,
    holdout: str,
    seed: int,
    threads: int,
    weights: Path | None,
    scores: Path,
    embedding: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Score every probe that ``holdout`` leaves to test; write the scores and the representations."""
    sections = Sections(config)
    row, settings, clip_settings = sections.method(method), sections.probe, sections.clips
    hidden = Holdout.parse(holdout)
    device = prepare("cpu", threads)
    reads_neural = row.representation != "none"
    cohort = load_cohort(manifests, read_folds(folds), hidden, clip_settings, neural=reads_neural)
    clips = clip_table(cohort, clip_settings, stride=clip_settings.stride)
    features = represent(row, cohort.neural, clips, weights, settings, device)
    raw = row.representation == "raw"
    classes, animals = len(cohort.class_names), len(cohort.animals)

    rows, predicted = [], np.full(len(clips), -1)
    for name, values in features.items():

        def add(probe, kind: str, metric: str, value: float, name: str = name) -> None:
            where = (probe.task, probe.fraction, probe.fold, probe.animal, seed)
            counts = (len(probe.train), len(probe.test))
            rows.append(
                (
                    sections.dataset,
                    sections.split.protocol,
                    method,
                    name,
                    kind,
                    *where,
                    metric,
                    value,
                    *counts,
                )
            )

        for probe in action_probes(clips, cohort.animals, hidden, settings, seed):
            result, guesses = run_action_probe(probe, values, clips, classes, settings, seed, raw=raw)
            for metric, value in result.items():
                add(probe, "linear", metric, value)
            if (
                name != "projection"
                and probe.task == "multi_animal"
                and probe.fraction == max(settings.fractions)
            ):
                predicted[probe.test] = guesses
        for probe in identity_probes(clips, cohort.animals, hidden, settings, seed):
            for kind, metric, value in run_identity_probe(
                probe, values, clips, animals, settings, seed, raw=raw
            ):
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
            **{name: values.astype(np.float16) for name, values in features.items() if name != "raw"},
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
