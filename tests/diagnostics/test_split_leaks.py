"""Leaks in the splits of what is decoded, planted; and what a dataset of spikes is told."""

from dataclasses import replace

import numpy as np
import pytest
from laid_out import FRAMES, fold, laid_out

from neural_action.config.settings import WindowSettings
from neural_action.datasets.dataset import dataset_of, normalise_pose
from neural_action.datasets.split_table import Piece
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.balance import check_balance, class_counts
from neural_action.diagnostics.duplicates import check_overlap
from neural_action.diagnostics.finding import worst
from neural_action.diagnostics.lags import too_short
from neural_action.diagnostics.leaks import check_gaps, check_normalisation, check_windows

BINS = WindowSettings(frames=1, poses=1, behavior_stride=1)
SPLIT, ROLES = "repeat-0", ("test", "validation", "train", "train")


@pytest.fixture(scope="module")
def reaches(recordings):
    """Animal A alone, each of its four recordings one trial called ``reach``."""
    names = list(fold(0))[:4]
    return laid_out(names, [recordings[name] for name in names], segment="reach")


@pytest.fixture
def pieces():
    """One split of them: what is not trained on is hidden."""
    return {
        ("A", f"t{at}"): [Piece(0, FRAMES, role, role == "train", role == "train")]
        for at, role in enumerate(ROLES)
    }


@pytest.fixture
def animal(reaches, pieces):
    """The dataset as the split sees it."""
    return dataset_of(reaches, pieces, BINS)


def checked(reaches, pieces, animal, windows):
    return check_windows(reaches, pieces, animal, windows, 1, SPLIT)


def test_a_sound_split_leaks_nothing(reaches, pieces, animal):
    windows = window_table(animal, BINS, stride=1)
    assert worst(checked(reaches, pieces, animal, windows)) == "ok"
    assert worst(check_normalisation(animal, SPLIT)) == "ok"
    assert worst(check_overlap(animal)) == "ok"


@pytest.mark.parametrize("at", [0, 1])
def test_a_role_that_is_trained_on(reaches, pieces, animal, at):
    windows = window_table(animal, BINS, stride=1)
    seen = replace(windows, sees_input=windows.sees_input | (windows.trial == at))
    (finding,) = checked(reaches, pieces, animal, seen)
    assert (finding.severity, finding.subject) == ("error", SPLIT)
    assert f"A/t{at}" in finding.message


def test_a_split_may_show_the_inputs_of_validation(reaches, pieces):
    """As published splits do."""
    pieces["A", "t1"] = [Piece(0, FRAMES, "validation", True, False)]
    animal = dataset_of(reaches, pieces, BINS)
    windows = window_table(animal, BINS, stride=1)
    assert windows.sees_input[windows.trial == 1].all()
    assert worst(checked(reaches, pieces, animal, windows)) == "ok"


def test_a_trial_in_another_role_than_its_table_says(reaches, pieces, animal):
    pieces["A", "t2"] = [Piece(0, FRAMES, "test", False, False)]
    found = checked(reaches, pieces, animal, window_table(animal, BINS, stride=1))
    said = {f"{one.subject} {one.message}" for one in found}
    assert "A/t2/reach is used as train (seen), expected test (hidden) as in the split table" in said


def test_a_window_of_one_block_with_a_pose_of_another(reaches, pieces):
    """A recording cut by time, where only the table says which of its frames are hidden."""
    pieces["A", "t2"] = [Piece(0, 200, "train", True, True), Piece(250, FRAMES, "test", False, False)]
    animal = dataset_of(reaches, pieces, BINS)
    windows = window_table(animal, BINS, stride=1)
    assert worst(checked(reaches, pieces, animal, windows)) == "ok"
    at = int(np.flatnonzero(windows.sees_input)[0])
    for sample, message in ((2 * 1500 + 1000, "A/t2 from frame 250"), (2 * 1500 + 550, "outside all pieces")):
        pose = windows.pose.copy()
        pose[at] = sample
        found = checked(reaches, pieces, animal, replace(windows, pose=pose))
        assert {finding.severity for finding in found} == {"error"}
        assert message in found[0].message


def test_statistics_of_behaviour_that_saw_the_test(animal):
    every = [replace(trial, sees_input=True) for trial in animal.trials]
    seen = replace(animal, pose=normalise_pose(animal.pose_raw, every))
    assert worst(check_normalisation(seen, SPLIT)) == "error"


def test_blocks_of_time_that_meet(animal):
    first = animal.trials[0]
    cut = [
        replace(first, name="t0/0", role="train", frames=slice(0, 300)),
        replace(first, name="t0/350", role="test", frames=slice(350, 600)),
    ]
    blocks = replace(animal, trials=tuple(cut))
    # The first ends at 29.9 s, the second starts at 35.0.
    assert worst(check_gaps(blocks, SPLIT, 5.1)) == "ok"
    (finding,) = check_gaps(blocks, SPLIT, 5.2)
    assert (finding.severity, finding.subject) == ("error", "A/t0/350")
    assert finding.values["seconds"] == pytest.approx(5.1)
    same = replace(blocks, trials=(cut[0], replace(cut[1], role="train")))
    assert worst(check_gaps(same, SPLIT, 5.2)) == "ok"


def test_a_class_that_a_role_does_not_have(animal):
    labels = animal.labels.copy()
    for trial in animal.trials:
        if trial.role != "validation":
            labels[trial.samples] = np.where(labels[trial.samples] == 2, 1, labels[trial.samples])
    gone = replace(animal, labels=labels)
    counts = class_counts(gone, window_table(gone, BINS, stride=1), SPLIT)
    warned = [finding for finding in check_balance(counts) if finding.severity == "warning"]
    assert {finding.subject for finding in warned} == {SPLIT}
    assert {finding.message for finding in warned} == {
        "no train window of groom: no probe is trained on it",
        "no test window of groom: it is not tested in this split",
    }
    assert set(counts["role"]) == {"train", "validation", "test"}


def test_trials_that_are_too_short_for_lags():
    assert too_short([0.5, 0.5, 60.0], 4.0) is not None
    assert too_short([60.0, 60.0, 0.5], 4.0) is None
