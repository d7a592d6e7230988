"""Leaks, duplicates and wrong names, planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_action.config.settings import ClipSettings, NeighborSettings
from neural_action.datasets.dataset import normalise_pose
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.duplicates import check_digests, check_overlap
from neural_action.diagnostics.leaks import check_leak, check_normalisation, check_swaps
from neural_action.diagnostics.names import check_names
from neural_action.neighbors.table import build_swap_table
from neural_action.recordings.store import ArrayDigest, Manifest

CLIPS = ClipSettings(frames=16, poses=4)


def severities(findings):
    return {finding.severity for finding in findings}


@pytest.fixture
def clips(coupled):
    return window_table(coupled, CLIPS, stride=8)


@pytest.fixture(scope="module")
def swaps(coupled):
    settings = NeighborSettings(neighbors=8, draws=4)
    visible = (coupled.pose, coupled.pose_animal, coupled.pose_visible)
    return build_swap_table(*visible, settings, names=coupled.animals)


def test_sound_runs_leak_nothing(coupled, clips, swaps, folds):
    assert severities(check_leak(coupled, clips, folds, "fold-0")) == {"ok"}
    assert severities(check_swaps(coupled, swaps, folds, "fold-0")) == {"ok"}
    assert severities(check_normalisation(coupled, folds, "fold-0")) == {"ok"}
    assert severities(check_overlap(coupled)) == {"ok"}


def test_a_hidden_trial_that_is_trained_on(coupled, clips, folds):
    visible = clips.sees_input | (clips.trial == 4)
    (finding,) = check_leak(coupled, replace(clips, visible=visible), folds, "fold-0")
    assert (finding.severity, finding.subject) == ("error", "fold-0")
    assert "B/t0" in finding.message
    # Of a run that hides another fold, nothing is right.
    assert severities(check_leak(coupled, clips, folds, "fold-1")) == {"error"}


def test_a_single_pose_of_a_hidden_trial_in_a_clip(coupled, clips, folds):
    pose = clips.pose.copy()
    at = int(np.flatnonzero(clips.sees_input)[10])
    pose[at, 2] = coupled.trials[0].samples.start
    found = check_leak(coupled, replace(clips, pose=pose), folds, "fold-0")
    assert [finding.values["clips"] for finding in found] == [1, 1]
    assert "two folds" in found[1].message


def test_a_trial_in_the_wrong_fold(coupled, clips, folds):
    folds["A", "t0"] = 1
    assert "A/t0" in {finding.subject for finding in check_leak(coupled, clips, folds, "fold-0")}


def test_overlapping_trials(coupled, clips, folds):
    first, second, *rest = coupled.trials
    longer = replace(second, frames=slice(second.frames.start - 20, second.frames.stop))
    found = check_leak(replace(coupled, trials=(first, longer, *rest)), clips, folds, "fold-0")
    assert "error" in severities(found)


def test_swap_targets_of_a_hidden_trial(coupled, swaps, folds):
    targets = swaps.targets.copy()
    targets[coupled.trials[1].samples.start, 0, 0] = coupled.trials[0].samples.start
    (finding,) = check_swaps(coupled, replace(swaps, targets=targets), folds, "fold-0")
    assert (finding.severity, finding.values["count"]) == ("error", 1)
    assert severities(check_swaps(coupled, swaps, folds, "fold-1")) == {"error"}


def test_swap_targets_of_another_animal(coupled, swaps, folds):
    targets = swaps.targets.copy()
    targets[coupled.trials[1].samples.start, 0, 0] = coupled.trials[5].samples.start
    (finding,) = check_swaps(coupled, replace(swaps, targets=targets), folds, "fold-0")
    assert "another animal" in finding.message


def test_a_swap_table_of_other_recordings(coupled, swaps, folds):
    (finding,) = check_swaps(coupled, replace(swaps, targets=swaps.targets[1:]), folds, "fold-0")
    assert finding.severity == "error"


def test_normalisation_fitted_on_hidden_trials(coupled, folds):
    every = [replace(span, visible=True) for span in coupled.trials]
    pose = coupled.pose_raw.copy()
    pose[coupled.trials[0].samples] += 0.5
    changed = replace(coupled, pose_raw=pose, pose=normalise_pose(pose, every))
    found = check_normalisation(changed, folds, "fold-0")
    assert severities(found) == {"error"}
    assert "A" in found[0].message


def test_an_animal_that_is_all_hidden_is_scaled_by_itself(coupled, folds):
    spans = tuple(replace(span, visible=span.animal != "B") for span in coupled.trials)
    seen = replace(coupled, trials=spans, pose=normalise_pose(coupled.pose_raw, spans))
    assert severities(check_normalisation(seen, folds, "animal-B")) == {"ok"}


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


def manifest(trial, digest):
    arrays = {
        name: ArrayDigest((10, 3), "float32", 10, (f"{digest}-{name}",)) for name in ("neural", "behavior")
    }
    return Manifest(Path("x"), {"animal": "A", "trial": trial}, arrays)


def test_one_recording_under_two_names():
    assert severities(check_digests([manifest("1", "a"), manifest("2", "b")])) == {"ok"}
    found = check_digests([manifest("1", "a"), manifest("2", "b"), manifest("3", "a")])
    assert severities(found) == {"error"}
    assert "A/1 and A/3" in found[0].message


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
