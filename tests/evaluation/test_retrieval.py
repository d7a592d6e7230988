"""Behaviour retrieval: its summary, its probe against a loop, and that no label is used."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.errors import InputError
from neural_action.evaluation.probes import build_probe
from neural_action.evaluation.probes.probe import Training
from neural_action.evaluation.retrieval import COMPONENTS, behavior_summary

CONFIG = ProbeConfig(kind="retrieval", tasks=["retrieval"], neighbors=3)


def test_the_probe_is_a_loop_over_the_nearest_windows():
    rng = np.random.default_rng(0)
    values, target, others = (
        rng.standard_normal((40, 5)),
        rng.standard_normal((40, 2)),
        rng.standard_normal((9, 5)),
    )
    found = build_probe("retrieval", CONFIG).scores(Training(values, target, 0), others)
    for row, other in enumerate(others):
        nearest = np.argsort(((values - other) ** 2).sum(1))[:3]
        np.testing.assert_allclose(found[0, row], target[nearest].mean(0), rtol=1e-5)


def test_the_summary_does_not_depend_on_the_phase_of_a_movement():
    time = np.arange(8) / 8
    phase = np.random.default_rng(0).uniform(0, 1, 60)
    slow = np.sin(2 * np.pi * (time[None] + phase[:30, None]))
    fast = np.sin(2 * np.pi * (2 * time[None] + phase[30:, None]))
    summary = behavior_summary(np.concatenate([slow, fast])[..., None], np.arange(60))
    apart = np.linalg.norm(summary[:30].mean(0) - summary[30:].mean(0))
    assert apart > 3 * summary[:30].std(0).max()


def test_the_summary_is_of_the_fitted_windows_alone():
    poses = np.random.default_rng(0).standard_normal((50, 4, 6))
    changed = poses.copy()
    changed[40:] *= 100
    fitted = np.arange(40)
    np.testing.assert_allclose(behavior_summary(poses, fitted)[:40], behavior_summary(changed, fitted)[:40])
    assert behavior_summary(poses, fitted).shape == (50, COMPONENTS)


def test_windows_of_one_sample_have_their_mean():
    poses = np.random.default_rng(0).standard_normal((30, 1, 3))
    summary = behavior_summary(poses, np.arange(30))
    z = (poses[:, 0] - poses[:, 0].mean(0)) / poses[:, 0].std(0)
    np.testing.assert_allclose((summary**2).sum(1), (z**2).sum(1))


def test_retrieval_is_read_by_probes_that_give_values():
    with pytest.raises(InputError, match="tasks: 'retrieval', expected tasks of classes"):
        build_probe("a", ProbeConfig(kind="knn", tasks=["retrieval"]))
    with pytest.raises(InputError, match="tasks: 'across', expected the task retrieval"):
        build_probe("a", ProbeConfig(kind="retrieval", tasks=["across"]))
