"""Faults of clocks and labels, planted in one trial or in all."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.synchrony import check_synchrony


def raised(findings):
    """Subjects that a check warns of."""
    return {finding.subject for finding in findings if finding.severity in ("warning", "error")}


def test_sound_recordings_raise_nothing(coupled, settings):
    synchrony, curves = check_synchrony(coupled, settings)
    labels, _ = check_labels(coupled, settings)
    assert raised(synchrony) == raised(labels) == set()
    assert len(synchrony) == len(labels) == len(coupled.trials)
    # Calcium of .5 s, .3 s behind.
    assert np.median([whole.lag for whole, _, _ in curves.values()]) == pytest.approx(0.65, abs=0.25)


def test_a_shifted_neural_clock_of_one_trial(changed, settings):
    findings, _ = check_synchrony(changed(5, "neural_time", lambda clock: clock + 1.5), settings)
    assert raised(findings) == {"B/t1"}
    assert "shifted" in next(f.message for f in findings if f.subject == "B/t1")


def test_a_clock_that_drifts(changed, settings):
    findings, _ = check_synchrony(changed(2, "neural_time", lambda clock: clock * 1.035), settings)
    assert raised(findings) == {"A/t2"}
    (finding,) = (finding for finding in findings if finding.subject == "A/t2")
    assert finding.values["drift_per_minute"] == pytest.approx(60 * 0.035, rel=0.2)


def test_a_clock_that_runs_away(changed, settings):
    findings, _ = check_synchrony(changed(2, "neural_time", lambda clock: clock * 1.5), settings)
    assert raised(findings) == {"A/t2"}


def test_all_clocks_shifted(coupled, settings):
    findings, _ = check_synchrony(replace(coupled, neural_time=coupled.neural_time - 1.6), settings)
    assert raised(findings) == {"all"}


def test_labels_a_second_late_in_one_trial(changed, settings):
    late = changed(7, "labels", lambda labels: np.roll(labels, 25))
    findings, _ = check_labels(late, settings)
    assert raised(findings) == {"B/t3"}
    assert next(f for f in findings if f.subject == "B/t3").values["lag"] == pytest.approx(-1, abs=0.15)


def test_labels_a_second_late_in_all(coupled, settings):
    labels = np.concatenate([np.roll(coupled.labels[trial.samples], 25) for trial in coupled.trials])
    findings, _ = check_labels(replace(coupled, labels=labels), settings)
    assert "all" in raised(findings)


def test_labels_without_behaviour_are_held_against_neural_activity(coupled, settings):
    count = len(coupled.pose)
    bare = replace(coupled, pose=np.empty((count, 0), np.float32), pose_raw=np.empty((count, 0), np.float32))
    assert check_synchrony(bare, settings)[0][0].severity == "note"
    assert raised(check_labels(bare, settings)[0]) == set()
    trial = coupled.trials[4]
    labels = coupled.labels.copy()
    labels[trial.samples] = np.roll(labels[trial.samples], 40)
    assert raised(check_labels(replace(bare, labels=labels), settings)[0]) == {"B/t0"}


def test_what_there_is_nothing_to_tell_from_is_said(coupled, settings):
    rng = np.random.default_rng(0)
    noise = replace(coupled, neural=rng.standard_normal(coupled.neural.shape).astype(np.float32))
    assert raised(check_synchrony(noise, settings)[0]) == set()
    unlabelled = replace(coupled, labels=np.full_like(coupled.labels, -1))
    assert [(f.severity, f.subject) for f in check_labels(unlabelled, settings)[0]] == [("note", "all")]
    each = np.concatenate(
        [np.full(trial.samples.stop - trial.samples.start, at % 3) for at, trial in enumerate(coupled.trials)]
    )
    (only,) = check_labels(replace(coupled, labels=each.astype(np.int8)), settings)[0]
    assert "no trial has two labels" in only.message
