"""Decoding: which labels are given, what validation chooses, what is scored."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from neural_action.config.settings import DecodingSettings, ReadoutSettings
from neural_action.evaluation.decoding import Bins, Labels, decode, guess, label_sets
from neural_action.evaluation.metrics import all_scores

TRIALS, LENGTH, CLASSES = 80, 5, 8
SETTINGS = DecodingSettings(readout="angle", labelled_trials=[1, 2, 4])


@pytest.fixture
def bins() -> Bins:
    """80 trials of 5 bins in eight directions: 64 train, 8 validate, 8 test."""
    rng = np.random.default_rng(0)
    direction = np.tile(np.arange(CLASSES), TRIALS // CLASSES)
    part = np.repeat(["train", "validation", "test"], [64, 8, 8])
    order = rng.permutation(TRIALS)
    return Bins(
        np.repeat(direction[order], LENGTH),
        np.repeat(part[order], LENGTH),
        np.repeat(np.arange(TRIALS), LENGTH),
        np.tile(0.1 * np.arange(LENGTH), TRIALS),
        CLASSES,
    )


@pytest.fixture
def rates(bins) -> np.ndarray:
    rng = np.random.default_rng(1)
    preferred = rng.uniform(0, 2 * np.pi, 20)
    tuned = np.cos(2 * np.pi * bins.label[:, None] / CLASSES - preferred)
    return (tuned + 0.8 * rng.standard_normal(tuned.shape)).astype(np.float32)


def whole(bins) -> Labels:
    return next(iter(label_sets(bins, SETTINGS, 0, 0)))


def test_labels_are_whole_trials_and_few_are_among_more(bins):
    sets = {labels.name: labels for labels in label_sets(bins, SETTINGS, 3, 0)}
    assert list(sets) == ["all", "1", "2", "4"]
    assert (len(sets["all"].train), len(sets["all"].validation)) == (64 * LENGTH, 8 * LENGTH)
    before: set[int] = set()
    for name, labels in sets.items():
        for rows, part in ((labels.train, "train"), (labels.validation, "validation")):
            assert set(bins.part[rows]) == {part}
        if name == "all":
            continue
        trials = np.unique(bins.span[labels.train])
        assert len(labels.train) == LENGTH * len(trials)
        assert np.bincount(bins.label[labels.train]).tolist() == [LENGTH * int(name)] * CLASSES
        assert labels.fraction == pytest.approx(8 * int(name) / 64)
        assert np.bincount(bins.label[labels.validation], minlength=8).max() == LENGTH
        assert before <= set(trials)
        before = set(trials)
    other = {labels.name: labels for labels in label_sets(bins, SETTINGS, 4, 0)}
    assert set(other["1"].train) != set(sets["1"].train)


def test_a_recording_without_trials_is_labelled_a_while_at_a_time():
    label = np.repeat([0, 1, 0], [40, 10, 50])
    time = 4.0 * np.arange(100)
    bins = Bins(label, np.full(100, "train"), np.zeros(100, int), time, 2)
    units = bins.units("train", 60.0)
    for unit in np.unique(units):
        own = np.flatnonzero(units == unit)
        assert len(set(label[own])) == 1
        assert np.ptp(own) == len(own) - 1
        assert np.ptp(time[own]) < 60
    assert len(np.unique(units)) == 3 + 1 + 4


@pytest.mark.parametrize("name", ["angle", "softmax"])
def test_tuned_rates_are_decoded_and_permuted_labels_are_not(bins, rates, name):
    readout = ReadoutSettings(name=name)
    decoded = decode({"raw": rates}, bins, whole(bins), readout, SETTINGS, "none")
    assert decoded.scores["accuracy"] > 0.6
    assert ("delta_accuracy" in decoded.scores) == (name == "angle")
    if name == "angle":
        assert decoded.scores["delta_accuracy"] >= decoded.scores["accuracy"]
    permuted = [
        decode(
            {"raw": rates}, bins, whole(bins), readout, SETTINGS, "none", np.random.default_rng(at)
        ).scores["accuracy"]
        for at in range(5)
    ]
    assert np.mean(permuted) < 0.25
    guesses = [
        guess(bins, whole(bins), np.random.default_rng(at), name).scores["accuracy"] for at in range(50)
    ]
    assert np.mean(guesses) == pytest.approx(1 / CLASSES, abs=0.03)


@pytest.mark.parametrize("name", ["angle", "softmax"])
def test_nothing_is_learned_or_chosen_by_the_test(bins, rates, name):
    """Other test labels and rates change no prediction of a bin whose own rates are the same."""
    readout, test = ReadoutSettings(name=name), bins.part == "test"
    one = decode({"raw": rates}, bins, whole(bins), readout, SETTINGS, "none")
    changed = rates.copy()
    kept = np.flatnonzero(test)[0]
    changed[np.flatnonzero(test)[1:]] = 50.0
    labels = np.where(test, (bins.label + 3) % CLASSES, bins.label)
    other_bins = Bins(labels, bins.part, bins.span, bins.time, CLASSES)
    other = decode({"raw": changed}, other_bins, whole(other_bins), readout, SETTINGS, "none")
    assert one.predicted[one.test == kept] == other.predicted[other.test == kept]


def test_validation_chooses_among_candidates(bins, rates):
    noise = np.random.default_rng(2).standard_normal(rates.shape)
    both = {"noise": noise, "raw": rates}
    chosen = decode(both, bins, whole(bins), ReadoutSettings(), SETTINGS, "none")
    alone = decode({"raw": rates}, bins, whole(bins), ReadoutSettings(), SETTINGS, "none")
    assert chosen.scores == alone.scores


def test_votes_gather_evidence_within_a_trial(bins, rates):
    noisy = rates + 1.5 * np.random.default_rng(3).standard_normal(rates.shape)
    scores = {
        vote: decode({"raw": noisy}, bins, whole(bins), ReadoutSettings(vote=vote), SETTINGS, "none").scores[
            "accuracy"
        ]
        for vote in ("none", "neighbors", "trial")
    }
    assert scores["trial"] > scores["neighbors"] > scores["none"]


def test_scores_are_scikit_learns():
    rng = np.random.default_rng(0)
    true, predicted = rng.choice(3, 200, p=[0.6, 0.35, 0.05]), rng.integers(3, size=200)
    found = all_scores(true, predicted, 3)
    assert found["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(true, predicted))
    for average in ("macro", "weighted"):
        assert found[f"{average}_f1"] == pytest.approx(f1_score(true, predicted, average=average))
