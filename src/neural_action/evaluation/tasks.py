"""The three tasks of the paper: which clips train and test each probe, and what is scored."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neural_action.config.settings import ProbeSettings
from neural_action.errors import InputError
from neural_action.evaluation.metrics import scores
from neural_action.evaluation.probes import (
    guess,
    linear_probe,
    mlp_probe,
    same_class_neighbors,
    scale,
    supervised_mlp,
)
from neural_action.recordings.clips import Clips
from neural_action.recordings.splits import Holdout

ALL_ANIMALS = "all"


@dataclass(frozen=True)
class Probe:
    """One probe: rows of the clip table that train it and that it is scored on.

    ``animal`` is the animal whose clips are tested; ``fraction`` the part of the training labels that is used.
    """

    task: str
    fraction: float
    fold: int
    animal: str
    train: np.ndarray
    test: np.ndarray


def action_probes(
    clips: Clips, animals: tuple[str, ...], holdout: Holdout, settings: ProbeSettings, seed: int
) -> Iterator[Probe]:
    """Single-animal and multi-animal action recognition for every fold and animal that ``holdout`` leaves to test.

    Tested are the animal's clips in the fold's test trials; trained on are, of the other trials only, the animal's
    own clips (``single_animal``) or all other animals' (``multi_animal``, leave one animal out). Unlabelled clips
    take no part. A probe with fewer than two classes to train on or nothing to test is left out.
    """
    labelled = clips.label >= 0
    for fold in np.unique(clips.fold):
        for number, animal in enumerate(animals):
            if not holdout.tests(animal, int(fold)):
                continue
            own, tested = clips.animal == number, clips.fold == fold
            test = np.flatnonzero(labelled & own & tested)
            for fraction in settings.fractions:
                kept = labelled & ~tested & label_subset(clips, fraction, settings, seed)
                for task, train in (("single_animal", kept & own), ("multi_animal", kept & ~own)):
                    rows = np.flatnonzero(train)
                    if len(test) and len(np.unique(clips.label[rows])) > 1:
                        yield Probe(task, fraction, int(fold), animal, rows, test)


def identity_probes(
    clips: Clips, animals: tuple[str, ...], holdout: Holdout, settings: ProbeSettings, seed: int
) -> Iterator[Probe]:
    """Identity recognition: equally many clips of every animal, trained and tested on different trials.

    Of ``identity_samples`` clips a quarter is drawn from the fold's test trials (1000 samples and four folds: the
    paper; different trials: our choice, since neighbouring clips of a trial are nearly copies). Labels are not
    needed, so unlabelled clips take part.
    """
    each = settings.identity_samples // len(animals)
    for fold in np.unique(clips.fold):
        if not any(holdout.tests(animal, int(fold)) for animal in animals):
            continue
        rng = np.random.default_rng([seed, int(fold)])
        tested = clips.fold == fold
        train, test = [], []
        for number in range(len(animals)):
            own = clips.animal == number
            train.append(_sample(np.flatnonzero(own & ~tested), each - each // 4, rng))
            test.append(_sample(np.flatnonzero(own & tested), each // 4, rng))
        for fraction in settings.fractions:
            part = [rows[: max(1, round(fraction * len(rows)))] for rows in train]
            name = holdout.value if holdout.kind in ("animal", "adapted") else ALL_ANIMALS
            yield Probe("identity", fraction, int(fold), name, np.concatenate(part), np.concatenate(test))


def label_subset(clips: Clips, fraction: float, settings: ProbeSettings, seed: int) -> np.ndarray:
    """(clip,) bool: the clips whose labels may be used when only a ``fraction`` of each animal's is.

    Labels are kept or dropped in whole blocks of ``label_block_seconds``: dropping single clips would leave
    overlapping neighbours with the same label (our choice).
    """
    if fraction == 1:
        return np.ones(len(clips), bool)
    block = clips.trial * 1_000_000 + (clips.time // settings.label_block_seconds).astype(np.int64)
    keep = np.zeros(len(clips), bool)
    for number in np.unique(clips.animal):
        own = np.unique(block[clips.animal == number])
        chosen = np.random.default_rng([seed, int(number)]).permutation(own)[
            : max(1, round(fraction * len(own)))
        ]
        keep |= np.isin(block, chosen)
    return keep


@dataclass(frozen=True)
class Reading:
    """How probes read a representation.

    Attributes:
        classes: number of actions.
        animals: number of animals.
        settings: of the probes.
        seed: of the probes and of guesses.
        by_feature: whether features are scaled one by one, see ``probes.scale``.
        mlp: whether the probe is the supervised network instead of a linear one.
        permuted: whether training labels are shuffled among the training clips: a control, which must end at chance.
    """

    classes: int
    animals: int
    settings: ProbeSettings
    seed: int
    by_feature: bool = True
    mlp: bool = False
    permuted: bool = False

    def labels(self, probe: Probe, true: np.ndarray) -> np.ndarray:
        """What the clips that train ``probe`` are said to be."""
        labels = true[probe.train]
        if not self.permuted:
            return labels
        return np.random.default_rng(hash_seed(probe, self.seed)).permutation(labels)


def run_action_probe(
    probe: Probe, features: np.ndarray, clips: Clips, reading: Reading
) -> tuple[dict[str, float], np.ndarray]:
    """Scores and predicted classes of one action probe. No features (n, 0): guessing."""
    check_apart(probe, clips)
    true = clips.label[probe.test]
    if features.shape[1] == 0:
        predicted = guess(len(true), reading.classes, hash_seed(probe, reading.seed))
    else:
        train, test = scale(features[probe.train], features[probe.test], by_feature=reading.by_feature)
        classify = supervised_mlp if reading.mlp else linear_probe
        labels = reading.labels(probe, clips.label)
        predicted = classify(train, labels, test, reading.classes, reading.settings, reading.seed)
    return scores(true, predicted, reading.classes), predicted


def run_identity_probe(
    probe: Probe, features: np.ndarray, clips: Clips, reading: Reading
) -> Iterator[tuple[str, str, float]]:
    """(probe name, metric, value) for the linear, 10-nearest-neighbour and MLP probes of identity."""
    check_apart(probe, clips)
    animals, seed = reading.animals, reading.seed
    labels, true = reading.labels(probe, clips.animal), clips.animal[probe.test]
    if features.shape[1] == 0:
        rng_seed = hash_seed(probe, seed)
        predicted = guess(len(true), animals, rng_seed)
        yield from (("linear", metric, value) for metric, value in scores(true, predicted, animals).items())
        neighbors = np.random.default_rng(rng_seed).integers(animals, size=(len(true), 10))
        yield "knn", "knn_same_animal", float(np.mean(neighbors == true[:, None]))
        return
    train, test = scale(features[probe.train], features[probe.test], by_feature=reading.by_feature)
    predicted = linear_probe(train, labels, test, animals, reading.settings, seed)
    yield from (("linear", metric, value) for metric, value in scores(true, predicted, animals).items())
    yield "knn", "knn_same_animal", same_class_neighbors(train, labels, test, true)
    predicted = mlp_probe(train, labels, test, seed)
    yield from (("mlp", metric, value) for metric, value in scores(true, predicted, animals).items())


def check_apart(probe: Probe, clips: Clips) -> None:
    """InputError if a trial both trains and tests the probe: its overlapping clips would be scored on themselves."""
    shared = np.intersect1d(clips.trial[probe.train], clips.trial[probe.test])
    if len(shared):
        raise InputError(
            f"{probe.task}, fold {probe.fold}, animal {probe.animal}: {len(shared)} trials train and test the probe, "
            "expected none"
        )


def hash_seed(probe: Probe, seed: int) -> int:
    """A seed of its own for each probe, so that guesses differ between them."""
    text = f"{seed} {probe.task} {probe.fraction} {probe.fold} {probe.animal}"
    return zlib.crc32(text.encode())


def _sample(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(rows)[:count]
