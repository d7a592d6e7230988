"""Behaviour clusters: their summary, that k-means finds groups that are there, and that no label is used."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from neural_action.config.evaluation_settings import EvaluationSettings, ProbeConfig
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.clusters import COMPONENTS, behavior_clusters, behavior_summary
from neural_action.evaluation.evaluate import EvaluationData, evaluate
from neural_action.evaluation.probes import build_probe


def groups(rng, count, each=40):
    """(window, 3) summaries in ``count`` groups far apart, and the group of each."""
    group = np.repeat(np.arange(count), each)
    return 20 * rng.standard_normal((count, 3))[group] + rng.standard_normal((len(group), 3)), group


def test_clusters_are_the_groups_that_are_there():
    summary, group = groups(np.random.default_rng(0), 6)
    found = behavior_clusters(summary, np.arange(len(summary)), 6)
    assert found.dtype == np.int64
    assert adjusted_rand_score(group, found) == 1


def test_clusters_are_as_close_as_those_of_scikit_learn():
    summary = np.random.default_rng(1).standard_normal((500, 8))
    found = behavior_clusters(summary, np.arange(500), 12)
    centres = np.stack([summary[found == number].mean(0) for number in range(12)])
    inertia = ((summary - centres[found]) ** 2).sum()
    assert inertia < 1.02 * KMeans(12, n_init=4, random_state=0).fit(summary).inertia_


def test_clusters_are_searched_in_the_fitted_windows_alone():
    summary, _ = groups(np.random.default_rng(0), 4)
    changed = summary.copy()
    changed[100:] += 1000
    fitted = np.arange(100)
    np.testing.assert_array_equal(
        behavior_clusters(summary, fitted, 4)[:100], behavior_clusters(changed, fitted, 4)[:100]
    )


def test_equal_behaviour_is_one_cluster_without_a_warning(recwarn):
    assert len(np.unique(behavior_clusters(np.ones((30, 2)), np.arange(30), 4))) == 1
    assert not recwarn.list


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


def test_clusters_are_read_by_probes_of_classes():
    with pytest.raises(InputError, match="tasks: 'clusters', expected continuous tasks"):
        build_probe("a", ProbeConfig(kind="ridge", tasks=["clusters"]))
    with pytest.raises(InputError, match="tasks: 'clusters', expected tasks with directions"):
        build_probe("a", ProbeConfig(kind="angle", tasks=["clusters"]))


def test_clusters_are_read_on_the_animal_left_out_without_labels(make_windows):
    windows = make_windows(3, "ttte", 60, 3, bout=6, unlabelled=1.0)
    assert (windows.label == -1).all()
    rng = np.random.default_rng(0)
    clusters = rng.integers(5, size=len(windows.label))
    features = {"encoder": np.eye(5)[clusters] + 0.1 * rng.standard_normal((len(clusters), 5))}
    settings = EvaluationSettings(tasks=["clusters"], label_budgets=["half", "all"], clusters=5)
    probes = {"softmax": ProbeConfig(kind="softmax", tasks=["clusters"])}
    row = MethodSettings(label="x", representation="behavior")
    data = EvaluationData(windows, ["a", "b", "c"], ["x", "y", "z"], clusters=clusters)
    scores = evaluate(features, data, row, probes, settings, "fold-0", 0).scores
    assert {(one.animal, one.label_budget) for one in scores} == {("a", "all"), ("b", "all"), ("c", "all")}
    assert {one.n_train for one in scores} == {2 * 180}
    assert all(one.value == 1 for one in scores if one.metric == "balanced_accuracy")
    shuffled = {"encoder": rng.permutation(features["encoder"])}
    chance = evaluate(shuffled, data, row, probes, settings, "fold-0", 0).scores
    assert np.mean([one.value for one in chance if one.metric == "balanced_accuracy"]) < 0.4
    with pytest.raises(ValueError, match="task clusters needs behaviour"):
        evaluate(
            features, EvaluationData(windows, ["a", "b", "c"], ["x"]), row, probes, settings, "fold-0", 0
        )
