"""Behaviour clusters: their summary, that k-means finds groups that are there, and that no label is used."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from neural_action.config.evaluation_settings import EvaluationSettings, ProbeConfig
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.clusters import CLUSTERINGS, COMPONENTS, behavior_summary, cluster_membership
from neural_action.evaluation.evaluate import EvaluationData, evaluate
from neural_action.evaluation.probes import build_probe


def groups(rng, count, each=40):
    """(window, 3) summaries in ``count`` groups far apart, and the group of each."""
    group = np.repeat(np.arange(count), each)
    return 20 * rng.standard_normal((count, 3))[group] + rng.standard_normal((len(group), 3)), group


def parts(member: np.ndarray, clusters: int) -> list[np.ndarray]:
    """(window,) number of the cluster of each window, one array a clustering."""
    return [member[:, first : first + clusters].argmax(1) for first in range(0, member.shape[1], clusters)]


def test_some_clusterings_are_the_groups_that_are_there():
    summary, group = groups(np.random.default_rng(0), 4)
    found = parts(cluster_membership(summary, np.arange(len(summary)), 4), 4)
    assert len(found) == CLUSTERINGS
    assert max(adjusted_rand_score(group, one) for one in found) == 1


def test_every_clustering_is_about_as_close_as_that_of_scikit_learn():
    summary = np.random.default_rng(1).standard_normal((500, 8))
    theirs = KMeans(12, n_init=4, random_state=0).fit(summary).inertia_
    for found in parts(cluster_membership(summary, np.arange(500), 12), 12):
        centres = np.stack([summary[found == number].mean(0) for number in range(12)])
        assert ((summary - centres[found]) ** 2).sum() < 1.05 * theirs


def test_a_window_is_in_one_cluster_of_each_clustering_and_all_clusters_weigh_the_same():
    summary, _ = groups(np.random.default_rng(2), 7)
    fitted = np.arange(0, len(summary), 2)
    member = cluster_membership(summary, fitted, 5)
    assert ((member > 0).sum(1) == CLUSTERINGS).all()
    np.testing.assert_allclose(member[fitted].std(0), 1)


def test_clusters_are_searched_in_the_fitted_windows_alone():
    summary, _ = groups(np.random.default_rng(0), 4)
    changed = summary.copy()
    changed[100:] += 1000
    fitted = np.arange(100)
    np.testing.assert_array_equal(
        cluster_membership(summary, fitted, 4)[:100], cluster_membership(changed, fitted, 4)[:100]
    )


def test_few_kinds_of_behaviour_are_one_cluster_each_without_a_warning(recwarn):
    summary = np.repeat([[0.0, 1.0], [2.0, 3.0]], 15, axis=0)
    member = cluster_membership(summary, np.arange(30), 4)
    assert member.shape == (30, 2)
    assert cluster_membership(np.ones((30, 2)), np.arange(30), 4).shape == (30, 0)
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


def test_clusters_are_read_by_a_ridge():
    with pytest.raises(InputError, match="tasks: 'clusters', expected tasks of classes"):
        build_probe("a", ProbeConfig(kind="softmax", tasks=["clusters"]))
    with pytest.raises(InputError, match="tasks: 'across', expected tasks of behaviour"):
        build_probe("a", ProbeConfig(kind="ridge", tasks=["across"]))


def test_clusters_are_read_on_the_animal_left_out_without_labels(make_windows):
    windows = make_windows(3, "ttte", 60, 3, bout=6, unlabelled=1.0)
    assert (windows.label == -1).all()
    rng = np.random.default_rng(0)
    member = np.eye(5)[rng.integers(5, size=len(windows.label))]
    features = {"encoder": member + 0.1 * rng.standard_normal(member.shape)}
    settings = EvaluationSettings(tasks=["clusters"], label_budgets=["half", "all"])
    probes = {"ridge": ProbeConfig(kind="ridge", tasks=["clusters"])}
    row = MethodSettings(label="x", representation="behavior")
    data = EvaluationData(windows, ["a", "b", "c"], ["x", "y", "z"], clusters=member)
    scores = evaluate(features, data, row, probes, settings, "fold-0", 0).scores
    assert [(one.animal, one.label_budget, one.metric) for one in scores] == [
        (animal, "all", "r2") for animal in "abc"
    ]
    assert {one.n_train for one in scores} == {2 * 180}
    assert all(one.value > 0.9 for one in scores)
    shuffled = {"encoder": rng.permutation(features["encoder"])}
    assert all(
        abs(one.value) < 0.1 for one in evaluate(shuffled, data, row, probes, settings, "fold-0", 0).scores
    )
    with pytest.raises(ValueError, match="task clusters needs behaviour"):
        evaluate(
            features, EvaluationData(windows, ["a", "b", "c"], ["x"]), row, probes, settings, "fold-0", 0
        )
