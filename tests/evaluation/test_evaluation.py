"""Probes, tasks, metrics and intervals against known answers."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from neural_action.config.settings import (
    ClipSettings,
    EncoderSettings,
    MethodSettings,
    Named,
    NeighborSettings,
    ProbeSettings,
)
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.evaluation.metrics import scores
from neural_action.evaluation.probes import class_weights, linear_probe, same_class_neighbors, scale, softmax
from neural_action.evaluation.representation import external_frames, raw_clips, represent
from neural_action.evaluation.statistics import hierarchical_bootstrap, paired_difference, recovered_share
from neural_action.evaluation.tasks import (
    Reading,
    action_probes,
    identity_probes,
    label_subset,
    run_action_probe,
    run_identity_probe,
)
from neural_action.neighbors.table import build_swap_table
from neural_action.datasets.windows import window_table
from neural_action.recordings.splits import Holdout
from neural_action.tables.document import interval
from neural_action.training.model import create, load_model, save_model

PROBE = ProbeSettings(steps=200, label_block_seconds=1.0, identity_samples=120)


@pytest.fixture
def clips(dataset):
    return window_table(dataset, ClipSettings(frames=16, poses=4), stride=2)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_metrics_agree_with_scikit_learn(pairs):
    true, predicted = np.array(pairs).T
    ours = scores(true, predicted, 4)
    present = np.unique(true)
    assert ours["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    recall = [np.mean(predicted[true == c] == c) for c in present]
    assert ours["balanced_accuracy"] == pytest.approx(np.mean(recall))
    assert ours["macro_f1"] == pytest.approx(
        f1_score(true, predicted, labels=present, average="macro", zero_division=0)
    )
    if set(predicted) <= set(present):
        assert ours["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(true, predicted))


@pytest.mark.parametrize("name", ["none", "fold-1", "animal-B"])
def test_no_probe_trains_on_a_test_trial(dataset, clips, name):
    holdout = Holdout.parse(name)
    probes = [*action_probes(clips, dataset.animals, holdout, PROBE, 0)]
    assert probes
    for probe in [*probes, *identity_probes(clips, dataset.animals, holdout, PROBE, 0)]:
        assert not set(clips.trial[probe.train]) & set(clips.trial[probe.test])
        assert (clips.fold[probe.test] == probe.fold).all()
        assert (clips.fold[probe.train] != probe.fold).all()
    for probe in probes:
        tested = set(clips.animal[probe.test])
        assert tested == {dataset.animals.index(probe.animal)}
        trained = set(clips.animal[probe.train])
        assert trained == tested if probe.task == "single_animal" else not trained & tested
        assert holdout.tests(probe.animal, probe.fold)


def test_half_of_the_labels_is_half_of_the_blocks(clips):
    kept = label_subset(clips, 0.5, PROBE, 0)
    assert 0.4 < kept.mean() < 0.6
    block = clips.trial * 1000 + clips.time.astype(int)
    for number in np.unique(block):
        assert len(set(kept[block == number])) == 1


def test_identity_samples_are_even(dataset, clips):
    for probe in identity_probes(clips, dataset.animals, Holdout.parse("fold-2"), PROBE, 0):
        counts = np.bincount(clips.animal[probe.train])
        assert len(set(counts)) == 1
        assert len(probe.test) == 30


def separable(seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 400)
    return (np.eye(3)[labels] * 4 + rng.standard_normal((400, 3))).astype(np.float32), labels


def test_the_written_out_gradient_is_that_of_the_weighted_cross_entropy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 5)).astype(np.float32), rng.integers(0, 3, 20)
    layer, weights = rng.standard_normal((5, 3)).astype(np.float32), np.array([0.5, 1.0, 2.0], np.float32)
    error = (softmax(x @ layer) - np.eye(3)[y]) * (weights[y] / weights[y].sum())[:, None]
    matrix = torch.tensor(layer, requires_grad=True)
    F.cross_entropy(torch.tensor(x) @ matrix, torch.tensor(y), torch.tensor(weights)).backward()
    assert np.allclose(x.T @ error, matrix.grad.numpy(), atol=1e-6)


@pytest.mark.parametrize("classifier", ["sgd", "logistic_regression"])
def test_linear_probes_read_what_is_there(classifier):
    x, y = separable()
    train, test = scale(x[:300], x[300:], by_feature=True)
    predicted = linear_probe(train, y[:300], test, 3, PROBE.model_copy(update={"classifier": classifier}), 0)
    assert np.mean(predicted == y[300:]) > 0.9


def readable(clips):
    """Features from which the label of a clip can be read."""
    noise = np.random.default_rng(0).standard_normal((len(clips), 3))
    return (np.eye(3)[np.maximum(clips.label, 0)] + 0.1 * noise).astype(np.float32)


@pytest.mark.parametrize("mlp", [False, True])
@pytest.mark.parametrize(("permuted", "low", "high"), [(False, 0.9, 1.0), (True, 0.2, 0.47)])
def test_permuted_labels_come_out_at_chance(dataset, clips, permuted, low, high, mlp):
    settings = PROBE.model_copy(update={"mlp_hidden": [32], "mlp_epochs": 50})
    reading = Reading(3, 3, settings, 0, mlp=mlp, permuted=permuted)
    probes = [*action_probes(clips, dataset.animals, Holdout.parse("none"), settings, 0)]
    values = [
        run_action_probe(probe, readable(clips), clips, reading)[0]["balanced_accuracy"] for probe in probes
    ]
    assert low <= np.mean(values) <= high


@pytest.mark.parametrize(("permuted", "low", "high"), [(False, 0.99, 1.0), (True, 0.2, 0.47)])
def test_permuted_identities_come_out_at_chance(dataset, clips, permuted, low, high):
    features = np.eye(3, dtype=np.float32)[clips.animal]
    reading = Reading(3, 3, PROBE, 0, permuted=permuted)
    values = [
        value
        for probe in identity_probes(clips, dataset.animals, Holdout.parse("none"), PROBE, 0)
        for kind, metric, value in run_identity_probe(probe, features, clips, reading)
        # So few clips are too few for the MLP's early stopping.
        if kind != "mlp" and metric in ("accuracy", "knn_same_animal")
    ]
    assert low <= np.mean(values) <= high


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"representation": "none"}, 0),
        ({"representation": "labels"}, 4),
        ({"representation": "behavior"}, 4 * 6),
    ],
)
def test_rows_without_a_model_show_what_they_say(dataset, clips, row, shape):
    ((_, values),) = represent(MethodSettings(label="x", **row), dataset, clips, PROBE).items()
    assert values.shape == (len(clips), shape)
    if row["representation"] == "labels":
        assert (values.argmax(1) == np.where(clips.label < 0, 3, clips.label)).all()
    if row["representation"] == "behavior":
        assert np.array_equal(values[5].reshape(4, 6), dataset.pose[clips.pose[5]])


def test_an_encoder_of_behaviour_sees_swapped_poses(dataset, clips, tmp_path):
    encoders = EncoderSettings(
        neural=Named(name="image_cnn", width=4, layers=1), behavior=Named(name="pose_cnn", width=8)
    )
    part, shapes = Named(name="infonce"), Shapes(16, (4, 4), 4, 6)
    save_model(create(part, encoders, shapes, 0), part, encoders, shapes, tmp_path / "m.safetensors", {})
    table = build_swap_table(
        dataset.pose,
        dataset.pose_animal,
        np.ones(len(dataset.pose), bool),
        NeighborSettings(neighbors=8, draws=4),
        names=dataset.animals,
    )
    table.save(tmp_path / "swaps.npz")
    files = {"weights": tmp_path / "m.safetensors", "swaps": tmp_path / "swaps.npz"}

    def shown(probability):
        views = {"behavior": [{"name": "swap", "probability": probability}]}
        row = MethodSettings(label="x", representation="behavior_encoder", model="ours", views=views)
        return represent(row, dataset, clips, PROBE, **files)["behavior_encoder"]

    model = load_model(files["weights"])
    with torch.inference_mode():
        plain = model.embed_behavior(torch.from_numpy(dataset.pose[clips.pose])).numpy()
    assert np.allclose(shown(0.0), plain, atol=1e-5)
    assert not np.allclose(shown(1.0), plain, atol=1e-2)


def test_what_another_package_made_is_averaged_like_the_raw_clip(dataset, clips, tmp_path):
    row = MethodSettings(
        label="x", representation="external", external={"name": "cebra", "conditional": "time"}
    )
    frames = np.random.default_rng(0).standard_normal((len(dataset.neural), 3))
    np.savez(tmp_path / "frames.npz", whole=frames, **{"split-3": frames[::-1]})
    values = represent(row, dataset, clips, PROBE, external=tmp_path / "frames.npz")["external"]
    first, time = clips.start[7], PROBE.raw_pool_time
    parts = [frames[at : at + time].mean(0) for at in range(first, first + clips.frames, time)]
    assert np.allclose(values[7], np.concatenate(parts), atol=1e-6)
    split = represent(row, dataset, clips, PROBE, external=tmp_path / "frames.npz", part="split-3")["external"]
    assert np.allclose(split, raw_clips(frames[::-1], clips, PROBE), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"whole": np.zeros((5, 3))}, "expected \\(1440, dimension\\)"),
        ({"whole": np.full((1440, 3), np.nan)}, "not finite"),
        ({"other": np.zeros(3)}, "cannot be read"),
        ({"whole": np.array([{}])}, "cannot be read"),
    ],
)
def test_frames_of_another_package_that_do_not_fit_are_a_line(tmp_path, content, message):
    np.savez(tmp_path / "frames.npz", **content)
    with pytest.raises(InputError, match=message):
        external_frames(tmp_path / "frames.npz", 1440, "whole")


def test_scaling_uses_the_training_clips_alone():
    x, _ = separable()
    one = scale(x[:300], x[300:], by_feature=True)[0]
    other = scale(x[:300], 100 * x[300:], by_feature=True)[0]
    assert np.array_equal(one, other)
    assert one.mean(0) == pytest.approx(0, abs=1e-5)


def test_class_weights_balance():
    weights = class_weights(np.array([0, 0, 0, 1]), 3, "balanced")
    assert weights.tolist() == pytest.approx([4 / 6, 2.0, 0.0])


def test_same_class_neighbors_against_a_loop():
    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((50, 4)), rng.standard_normal((20, 4))
    a, b = rng.integers(0, 2, 50), rng.integers(0, 2, 20)
    slow = np.mean(
        [
            np.mean(a[np.argsort(((train - row) ** 2).sum(1))[:10]] == label)
            for row, label in zip(test, b, strict=True)
        ]
    )
    assert same_class_neighbors(train, a, test, b) == pytest.approx(slow)


def test_raw_clips_are_block_means(dataset, clips):
    raw = raw_clips(dataset.neural, clips, ProbeSettings(raw_pool_time=4, raw_pool_space=2))
    k = 11
    clip = dataset.neural[clips.start[k] : clips.start[k] + 16]
    slow = [
        clip[4 * t : 4 * t + 4, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean()
        for t in range(4)
        for y in range(2)
        for x in range(2)
    ]
    assert raw[k] == pytest.approx(slow, rel=1e-5)


def table(values):
    index = pd.MultiIndex.from_product([["A", "B"], [0, 1], [0, 1, 2]], names=["animal", "fold", "seed"])
    return pd.DataFrame({"value": values}, index=index).reset_index()


def test_interval_is_of_the_mean_over_animals():
    values = np.concatenate([np.full(6, 0.4), np.full(6, 0.8)])
    mean, low, high = hierarchical_bootstrap(table(values), 2000, 0)
    assert (mean, low, high) == pytest.approx((0.6, 0.4, 0.8))


def test_a_single_score_has_no_interval():
    single = pd.DataFrame({"animal": ["a"], "fold": [0], "seed": [0], "value": [0.4]})
    mean, low, high = hierarchical_bootstrap(single, 100, 0)
    assert mean == pytest.approx(0.4)
    assert np.isnan([low, high]).all()
    assert interval(mean, low, high) == "40.0"
    assert np.isnan(paired_difference(single, single, 100, 0)[1:]).all()


def test_paired_difference_ignores_what_is_common():
    rng = np.random.default_rng(0)
    common = rng.random(12)
    mean, low, high = paired_difference(table(common + 0.1), table(common), 500, 0)
    assert (mean, low, high) == pytest.approx((0.1, 0.1, 0.1))


def test_the_recovered_share_is_of_the_means():
    rng = np.random.default_rng(0)
    unseen = rng.random(12)
    loss = np.concatenate([np.full(6, 0.2), np.full(6, 0.4)])
    mean, low, high = recovered_share(table(unseen + loss), table(unseen), table(unseen + loss / 2), 500, 0)
    assert (mean, low, high) == pytest.approx((0.5, 0.5, 0.5))
    mean, low, high = recovered_share(table(unseen + loss), table(unseen), table(unseen + 0.1), 500, 0)
    assert mean == pytest.approx(1 / 3)
    assert (low, high) == pytest.approx((0.25, 0.5))
