"""Syllables of a dataset: only of what is visible, and back from a file."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from neural_action.config.settings import SyllableSettings
from neural_action.errors import InputError
from neural_action.syllables.posterior import Syllables, fit_syllables, load_posterior

SETTINGS = SyllableSettings(states=3, lags=2, dimensions=4, iterations=8)


@pytest.fixture
def syllables(dataset):
    return fit_syllables(dataset, SETTINGS)


def test_rows_of_visible_samples_sum_to_1_and_hidden_ones_are_0(dataset, syllables):
    assert syllables.posterior.shape == (len(dataset.pose), 3)
    assert syllables.posterior.dtype == np.float32
    visible = dataset.pose_visible
    assert 0 < visible.sum() < len(visible)
    assert (syllables.posterior >= 0).all()
    assert syllables.posterior[visible].sum(1) == pytest.approx(1, abs=1e-5)
    assert not syllables.posterior[~visible].any()


def test_the_first_samples_of_a_trial_have_the_posterior_of_the_first_modelled(dataset, syllables):
    for trial in dataset.trials:
        if trial.sees_input:
            part = syllables.posterior[trial.samples]
            assert np.array_equal(part[0], part[2])
            assert np.array_equal(part[1], part[2])
            assert not np.array_equal(part[2], part[3])


def test_syllables_find_three_ways_to_move(dataset):
    """Runs of 30 samples around one of three centres, in a plane of the six features."""
    rng, count = np.random.default_rng(0), len(dataset.pose)
    way = np.repeat(rng.integers(0, 3, count // 30 + 1), 30)[:count]
    plane, centres = rng.standard_normal((2, 6)), np.array([[0.0, 0.0], [2.0, 0.0], [-2.0, 1.0]])
    x = np.zeros((count, 2))
    for t in range(1, count):
        x[t] = x[t - 1] + 0.5 * (centres[way[t]] - x[t - 1]) + 0.1 * rng.standard_normal(2)
    pose = (x @ plane).astype(np.float32)
    settings = SyllableSettings(states=3, lags=1, dimensions=2, iterations=20)
    found = fit_syllables(dataclasses.replace(dataset, pose=pose), settings).posterior.argmax(1)
    visible = dataset.pose_visible
    assert adjusted_rand_score(way[visible], found[visible]) > 0.9


def test_hidden_poses_change_nothing(dataset, syllables):
    changed = dataset.pose.copy()
    changed[~dataset.pose_visible] = 1e3
    again = fit_syllables(dataclasses.replace(dataset, pose=changed), SETTINGS)
    assert np.array_equal(again.posterior, syllables.posterior)
    assert again.report == syllables.report


def test_visible_poses_change_something(dataset, syllables):
    changed = dataset.pose.copy()
    changed[np.flatnonzero(dataset.pose_visible)[:50]] *= -1
    again = fit_syllables(dataclasses.replace(dataset, pose=changed), SETTINGS)
    assert not np.array_equal(again.posterior, syllables.posterior)


def test_the_report_says_what_was_fitted(dataset, syllables):
    report = json.loads(json.dumps(syllables.report))
    visible = np.concatenate([dataset.pose[trial.samples] for trial in dataset.trials if trial.sees_input])
    variance = np.sort(np.linalg.eigvalsh(np.cov(visible.T)))
    assert report["variance_explained"] == pytest.approx(variance[-4:].sum() / variance.sum(), rel=1e-4)
    assert (report["states"], report["lags"], report["components"]) == (3, 2, 4)
    assert 1 <= report["iterations"] <= 8
    assert sum(report["share"]) == pytest.approx(1, abs=1e-3)


def test_durations_are_of_runs_of_the_likeliest_state(dataset, syllables):
    durations = []
    for trial in dataset.trials:
        if trial.sees_input:
            likeliest = syllables.posterior[trial.samples][2:].argmax(1)
            run = 1
            for before, now in itertools.pairwise(likeliest):
                if now == before:
                    run += 1
                else:
                    durations.append(run)
                    run = 1
            durations.append(run)
    assert syllables.report["median_duration_samples"] == np.median(durations)


def test_a_trial_shorter_than_the_lags_is_left_out(dataset):
    first = next(trial for trial in dataset.trials if trial.sees_input)
    short = dataclasses.replace(first, samples=slice(first.samples.start, first.samples.start + 2))
    trials = tuple(short if trial is first else trial for trial in dataset.trials)
    posterior = fit_syllables(dataclasses.replace(dataset, trials=trials), SETTINGS).posterior
    assert not posterior[first.samples].any()
    other = [trial for trial in trials if trial.sees_input][1]
    assert posterior[other.samples].sum(1) == pytest.approx(1, abs=1e-5)


def test_too_few_poses_are_one_clear_line(dataset):
    trials = [
        dataclasses.replace(trial, samples=slice(trial.samples.start, trial.samples.start + 4))
        for trial in dataset.trials
    ]
    with pytest.raises(InputError, match=r"18 visible poses are too few for syllables\.states 3"):
        fit_syllables(dataclasses.replace(dataset, trials=tuple(trials)), SETTINGS)


def test_a_posterior_survives_a_file(dataset, syllables, tmp_path):
    syllables.save(tmp_path / "syllables.npz", tmp_path / "syllables.json")
    again = load_posterior(tmp_path / "syllables.npz", dataset)
    assert again.dtype == np.float32
    assert np.abs(again - syllables.posterior).max() < 1e-3
    assert json.loads((tmp_path / "syllables.json").read_text()) == syllables.report
    assert sorted(path.name for path in tmp_path.iterdir()) == ["syllables.json", "syllables.npz"]


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_holds_no_syllables_is_one_clear_line(dataset, tmp_path, content):
    path = tmp_path / "syllables.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as syllables"):
        load_posterior(path, dataset)


def test_a_missing_file_is_one_clear_line(dataset, tmp_path):
    with pytest.raises(InputError, match="cannot be read as syllables"):
        load_posterior(tmp_path / "none.npz", dataset)


def test_an_archive_of_something_else_is_one_clear_line(dataset, tmp_path):
    np.savez(tmp_path / "other.npz", targets=np.zeros(3))
    with pytest.raises(InputError, match="cannot be read as syllables"):
        load_posterior(tmp_path / "other.npz", dataset)


@pytest.mark.parametrize("shape", [(5, 3), (2244,), (2245, 3)])
def test_a_posterior_of_other_poses_is_one_clear_line(dataset, tmp_path, shape):
    assert len(dataset.pose) == 2244
    Syllables(np.zeros(shape, np.float32), {}).save(tmp_path / "a.npz", tmp_path / "a.json")
    with pytest.raises(InputError, match="expected one row for each of 2244 poses"):
        load_posterior(tmp_path / "a.npz", dataset)
