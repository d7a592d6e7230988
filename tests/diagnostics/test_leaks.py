"""Leaks, duplicates and wrong names, planted. What may be seen is asked of the split table, never of flags."""

from dataclasses import replace

import numpy as np
import pytest
from laid_out import ANIMALS, TESTED, TRAINED, WINDOWS, fold, laid_out

from neural_action.config.settings import NeighborSettings
from neural_action.datasets.dataset import dataset_of, normalise_pose
from neural_action.datasets.split_table import Row, SplitTable
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.duplicates import check_digests, check_overlap
from neural_action.diagnostics.leaks import check_normalisation, check_swaps, check_table, check_windows
from neural_action.diagnostics.names import check_names
from neural_action.neighbors.table import build_swap_table


def severities(findings):
    return {finding.severity for finding in findings}


def checked(layout, pieces, dataset, windows=None):
    """What ``check_windows`` finds in fold 0."""
    windows = window_table(dataset, WINDOWS, stride=8) if windows is None else windows
    return check_windows(layout, pieces, dataset, windows, 1, "fold-0")


@pytest.fixture
def windows(coupled):
    return window_table(coupled, WINDOWS, stride=8)


@pytest.fixture(scope="module")
def swaps(coupled):
    settings = NeighborSettings(neighbors=8, draws=4)
    visible = (coupled.pose, coupled.pose_animal, coupled.pose_visible)
    return build_swap_table(*visible, settings, names=coupled.animals)


def test_sound_runs_leak_nothing(layout, pieces, coupled, swaps):
    assert severities(checked(layout, pieces, coupled)) == {"ok"}
    assert severities(check_swaps(coupled, swaps, "fold-0")) == {"ok"}
    assert severities(check_normalisation(coupled, "fold-0")) == {"ok"}
    assert severities(check_overlap(coupled)) == {"ok"}


def test_a_hidden_trial_that_is_trained_on(layout, pieces, coupled, windows):
    sees = replace(windows, sees_input=windows.sees_input | (windows.trial == 4))
    (finding,) = checked(layout, pieces, coupled, sees)
    assert (finding.severity, finding.subject) == ("error", "fold-0")
    assert "B/t0" in finding.message
    # Of a run of another split, nothing is right.
    assert severities(checked(layout, fold(1), coupled, windows)) == {"error"}


def test_labels_of_a_hidden_trial_that_are_trained_with(layout, pieces, coupled, windows):
    sees = replace(windows, sees_label=windows.sees_label | (windows.trial == 8))
    (finding,) = checked(layout, pieces, coupled, sees)
    assert finding.severity == "error"
    assert "windows of C/t0 from frame 0 are trained on with labels" in finding.message


def test_flags_that_agree_with_each_other_but_not_with_the_table(layout, pieces):
    """The dataset is read by another split: each of its flags fits the others, and every one is wrong."""
    other = dataset_of(layout, fold(1), WINDOWS)
    found = checked(layout, pieces, other)
    assert severities(found) == {"error"}
    subjects = {finding.subject for finding in found}
    assert subjects == {"fold-0", *(f"{animal}/t{trial}" for animal in ANIMALS for trial in (0, 1))}
    trained = next(finding for finding in found if finding.subject == "fold-0")
    assert "A/t0" in trained.message
    assert trained.values["windows"] > 0


def test_a_single_pose_of_a_hidden_trial_in_a_window(layout, pieces, coupled, windows):
    pose = windows.pose.copy()
    at = int(np.flatnonzero(windows.sees_input)[10])
    pose[at, 2] = coupled.trials[0].samples.start
    found = checked(layout, pieces, coupled, replace(windows, pose=pose))
    # It is seen, its label is used, and it holds two roles.
    assert [finding.values["windows"] for finding in found] == [1, 1, 1]
    assert "two roles" in found[2].message


def test_a_window_whose_last_frames_are_of_a_hidden_trial(layout, pieces, coupled, windows):
    start = windows.start.copy()
    # The last trial of A is seen, the first of B, which lies behind it, is hidden.
    at = int(np.flatnonzero(windows.trial == 3)[-1])
    start[at] = coupled.trials[3].frames.stop - 10
    found = checked(layout, pieces, coupled, replace(windows, start=start))
    assert [finding.values["windows"] for finding in found] == [1, 1, 1]
    assert "B/t0" in found[0].message


def test_a_trial_in_the_wrong_role(layout, pieces, coupled):
    pieces["A", "t0"] = [TRAINED]
    (finding,) = checked(layout, pieces, coupled)
    assert finding.subject == "A/t0"
    assert finding.message == "is used as test (hidden), expected train (seen) as in the split table"


def test_overlapping_trials(layout, pieces, coupled, windows):
    first, second, *rest = coupled.trials
    longer = replace(second, frames=slice(second.frames.start - 20, second.frames.stop))
    found = checked(layout, pieces, replace(coupled, trials=(first, longer, *rest)), windows)
    assert "A/t1" in {finding.subject for finding in found}
    assert "error" in severities(found)


def table(**flags):
    """Fold 0 as a split table, with what ``A/t0`` is changed to."""
    rows = []
    for (animal, trial), (piece,) in fold(0).items():
        own = replace(piece, **flags) if (animal, trial) == ("A", "t0") else piece
        rows.append(Row("fold-0", animal, trial, *vars(own).values()))
    return SplitTable(rows)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"sees_input": True}, "pretraining sees tested frames: A/t0"),
        ({"sees_label": True}, "training uses labels of frames outside the role train: A/t0"),
    ],
)
def test_a_table_that_breaks_its_protocol(flags, message):
    assert severities(check_table(table(), "fold-0")) == {"ok"}
    (finding,) = check_table(table(**flags), "fold-0")
    assert (finding.severity, finding.subject) == ("error", "fold-0")
    assert message in finding.message


def renamed(found: SplitTable, split: str) -> SplitTable:
    return SplitTable(row._replace(split=split) for row in found.rows)


def test_what_a_table_may_show_follows_from_its_protocol():
    seen = table(sees_input=True)
    assert severities(check_table(renamed(seen, "transductive-fold-0"), "transductive-fold-0")) == {"ok"}
    # All animals are tested and most of each is seen: not what leaving an animal out promises.
    found = check_table(renamed(table(), "without-A-fold-0"), "without-A-fold-0")
    assert ["tested animal" in finding.message for finding in found] == [True]
    rows = table().rows
    rest = SplitTable(row._replace(role="train", sees_label=row.sees_input) for row in rows)
    assert [finding.message for finding in check_table(rest, "fold-0")] == ["this split has no test frames"]
    twice = SplitTable([*rows, *(row._replace(start=10) for row in rows if row.trial == "t2")])
    assert ["share frame 10" in finding.message for finding in check_table(twice, "fold-0")] == [True]


def test_swap_targets_of_a_hidden_trial(layout, coupled, swaps):
    targets = swaps.targets.copy()
    targets[coupled.trials[1].samples.start, 0, 0] = coupled.trials[0].samples.start
    (finding,) = check_swaps(coupled, replace(swaps, targets=targets), "fold-0")
    assert (finding.severity, finding.values["count"]) == ("error", 1)
    assert severities(check_swaps(dataset_of(layout, fold(1), WINDOWS), swaps, "fold-1")) == {"error"}


def test_swap_targets_of_another_animal(coupled, swaps):
    targets = swaps.targets.copy()
    targets[coupled.trials[1].samples.start, 0, 0] = coupled.trials[5].samples.start
    (finding,) = check_swaps(coupled, replace(swaps, targets=targets), "fold-0")
    assert "another animal" in finding.message


def test_a_swap_table_of_other_recordings(coupled, swaps):
    (finding,) = check_swaps(coupled, replace(swaps, targets=swaps.targets[1:]), "fold-0")
    assert finding.severity == "error"


def test_normalisation_fitted_on_hidden_trials(coupled):
    every = [replace(trial, sees_input=True) for trial in coupled.trials]
    pose = coupled.pose_raw.copy()
    pose[coupled.trials[0].samples] += 0.5
    changed = replace(coupled, pose_raw=pose, pose=normalise_pose(pose, every))
    found = check_normalisation(changed, "fold-0")
    assert severities(found) == {"error"}
    assert "A" in found[0].message


def test_an_animal_that_is_all_hidden_is_scaled_by_itself(layout, pieces):
    for (animal, _), own in pieces.items():
        own[:] = [TESTED if animal == "B" else TRAINED]
    unseen = dataset_of(layout, pieces, WINDOWS)
    assert not any(trial.sees_input for trial in unseen.trials if trial.animal == "B")
    assert severities(check_normalisation(unseen, "without-B-fold-0")) == {"ok"}


def test_frames_that_two_trials_share(coupled):
    neural = coupled.neural.copy()
    neural[coupled.trials[6].frames][:50] = neural[coupled.trials[1].frames][100:150]
    (finding,) = check_overlap(replace(coupled, neural=neural))
    assert (finding.severity, finding.values["count"]) == ("error", 50)
    assert "A/t1 and B/t2" in finding.message


def test_coarse_values_that_meet_by_accident_are_no_duplicate(coupled):
    neural = coupled.neural.copy()
    one, other = coupled.trials[1].frames, coupled.trials[6].frames
    # As many frames as in the overlap above, one here and one there.
    neural[other][:100:2] = neural[one][100:200][::-2]
    found = check_overlap(replace(coupled, neural=neural))
    assert severities(found) == {"ok"}


def test_one_recording_under_two_names(layout, recordings):
    assert severities(check_digests(layout)) == {"ok"}
    names, made = list(recordings), list(recordings.values())
    for name, what in (("neural", "neural data"), ("behavior", "behaviour")):
        twice = [*made]
        twice[6] = {**made[6], name: made[1][name]}
        (finding,) = check_digests(laid_out(names, twice))
        assert finding.severity == "error"
        assert finding.message == f"A/t1 and B/t2 hold the same {what}"


def test_a_trial_under_another_animals_name(coupled, settings):
    assert severities(check_names(coupled, settings)) == {"ok"}
    neural, pose = coupled.neural.copy(), coupled.pose_raw.copy()
    for values, kind in ((neural, "frames"), (pose, "samples")):
        one, two = (getattr(coupled.trials[at], kind) for at in (1, 9))
        values[one], values[two] = values[two].copy(), values[one].copy()
    found = check_names(
        replace(coupled, neural=neural, pose_raw=pose), settings.model_copy(update={"names_share": 0.7})
    )
    assert {finding.subject for finding in found if finding.severity == "warning"} == {"A/t1", "C/t1"}


def test_animals_that_cannot_be_told_apart_raise_nothing(coupled, settings):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(coupled.neural.shape).astype(np.float32)
    pose = rng.standard_normal(coupled.pose_raw.shape).astype(np.float32)
    assert severities(check_names(replace(coupled, neural=noise, pose_raw=pose), settings)) == {"note"}
