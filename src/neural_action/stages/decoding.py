"""What the evaluate stage does with splits of an animal's trials: read classes from single bins."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.decoding import TRIAL_METRICS, WHOLE, Bins, Decoded, decode, guess, label_sets
from neural_action.evaluation.features import raw_features
from neural_action.evaluation.representation import represent
from neural_action.recordings.clips import Clips, clip_table
from neural_action.recordings.cohort import Cohort, load_cohort, read_assignment
from neural_action.recordings.splits import Holdout

Row = tuple[Any, ...]


def decode_splits(
    sections: Sections,
    method: str,
    folds: Path,
    hidden: Holdout,
    seed: int,
    threads: int,
    weights: Path | None,
    external: Path | None,
    manifests: tuple[Path, ...],
) -> tuple[list[Row], dict[str, np.ndarray]]:
    """Scores of every split of ``hidden`` (``columns.EVERY``), and representations and predictions of the first.

    ``fold`` is the number of the split, ``probe`` says which labels were used: ``all``, or the number of labelled
    trials of each class. A single split is also scored trial by trial, for its interval: metric ``trial_<metric>``,
    ``fold`` the number of the test trial.
    """
    row = sections.method(method)
    rows: list[Row] = []
    embedding: dict[str, np.ndarray] = {}
    for holdout in hidden.parts:
        cohort = load_cohort(
            manifests,
            read_assignment(folds, holdout),
            holdout,
            sections.clips,
            neural=row.representation in ("trained", "raw"),
        )
        clips = clip_table(cohort, sections.clips, stride=sections.clips.stride)
        bins = _bins(cohort, clips)
        features = represent(
            row,
            cohort,
            clips,
            sections.probe,
            weights=weights,
            external=external,
            threads=threads,
            seed=seed,
            part=holdout.part_name,
        )
        for name, values in features.items():
            if name == "projection":
                continue
            for decoded in _readouts(sections, row, bins, clips, values, holdout, seed):
                what = (
                    sections.dataset,
                    sections.split.protocol,
                    method,
                    name,
                    decoded.labels.name,
                    "decoding",
                )
                where = (decoded.labels.fraction, holdout.fold, holdout.value, seed)
                sizes = (len(decoded.labels.train), len(decoded.test))
                rows += [(*what, *where, metric, value, *sizes) for metric, value in decoded.scores.items()]
                if sections.split.protocol == "published" and decoded.labels.name == WHOLE:
                    whole = (decoded.labels.fraction, holdout.value, seed, sizes[0])
                    rows += _by_trial(what, whole, decoded, bins, sections.split.block_seconds)
                if not embedding or (holdout.fold == hidden.fold and decoded.labels.name == WHOLE):
                    embedding = _embedding(row, features, cohort, clips, bins, decoded)
    return rows, embedding


def _bins(cohort: Cohort, clips: Clips) -> Bins:
    part = np.array([span.part for span in cohort.trials])[clips.trial]
    bins = Bins(clips.label, part, clips.trial, clips.time, len(cohort.class_names))
    for name in ("train", "validation", "test"):
        if len(bins.rows(name)) == 0:
            raise InputError(f"animal {cohort.animals[0]}: its split has no labelled bins in {name}")
    return bins


def _readouts(
    sections: Sections,
    row: MethodSettings,
    bins: Bins,
    clips: Clips,
    values: np.ndarray,
    holdout: Holdout,
    seed: int,
) -> list[Decoded]:
    settings = sections.decoding
    entropy = zlib.crc32(f"{seed} {holdout.value} {holdout.fold}".encode())
    out = []
    candidates = {"representation": values}
    if row.features is not None:
        candidates = raw_features(row.features, values, bins.span, clips.visible)
    for labels in label_sets(bins, settings, holdout.fold, seed):
        rng = np.random.default_rng(entropy)
        if values.shape[1] == 0:
            out.append(guess(bins, labels, rng, row.readout.name or settings.readout))
            continue
        permuted = rng if row.labels == "permuted" else None
        weighting = sections.probe.class_weight
        out.append(decode(candidates, bins, labels, row.readout, settings, weighting, permuted))
    return out


def _by_trial(what: tuple, where: tuple, decoded: Decoded, bins: Bins, block_seconds: float) -> list[Row]:
    """Mean scores of every test trial, or block of time; ``n_test`` is its number of bins."""
    fraction, animal, seed, n_train = where
    unit = bins.span[decoded.test] * (1 << 20) + (bins.time[decoded.test] // block_seconds).astype(np.int64)
    unit = np.unique(unit, return_inverse=True)[1]
    counts = np.bincount(unit)
    rows = []
    for metric, hits_of in TRIAL_METRICS.items():
        if (hits := hits_of(decoded, bins.label)) is not None:
            means = np.bincount(unit, hits) / counts
            rows += [
                (*what, fraction, at, animal, seed, f"trial_{metric}", value, n_train, counts[at])
                for at, value in enumerate(means)
            ]
    return rows


def _embedding(
    row: MethodSettings,
    features: dict[str, np.ndarray],
    cohort: Cohort,
    clips: Clips,
    bins: Bins,
    decoded: Decoded,
) -> dict[str, np.ndarray]:
    predicted = np.full(len(clips), -1)
    predicted[decoded.test] = decoded.predicted
    return {
        **{name: values.astype(np.float16) for name, values in features.items() if row.objective is not None},
        "label": clips.label,
        "animal": clips.animal,
        "trial": clips.trial,
        "fold": clips.fold,
        "part": bins.part,
        "time": clips.time,
        "tested": predicted >= 0,
        "predicted": predicted,
        "class_names": np.array(cohort.class_names),
        "animals": np.array(cohort.animals),
    }
