"""The linear layer of pictures against torch's own layer and optimizer, and how validation chooses its epoch."""

import numpy as np
import pytest
import torch

from neural_action.config.evaluation_settings import EvaluationSettings, ProbeConfig
from neural_action.config.settings import MethodSettings
from neural_action.datasets.windows import Windows
from neural_action.evaluation.evaluate import EvaluationData, evaluate
from neural_action.evaluation.probes import build_probe
from neural_action.evaluation.probes.probe import Training


def probe(**changes) -> ProbeConfig:
    return ProbeConfig(
        **{"kind": "softmax", "tasks": ["decoding"], "solver": "epochs", "batch": 16, **changes}
    )


def data(count, seed=0, features=6, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=count)
    centres = np.random.default_rng(9).normal(size=(classes, features))
    return (centres[labels] + 0.8 * rng.normal(size=(count, features))).astype(np.float32), labels


def path(config, train, others):
    return build_probe("linear", config).scores(Training(*train, 3, 0), others)


def test_it_is_torchs_sgd_with_steps_of_the_rate():
    (features, labels), (others, _) = data(50), data(20, 1)
    made = path(probe(epochs=7, milestones=[3, 5]), (features, labels), others)
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(6)
    layer = rng.uniform(-bound, bound, (7, 3)).astype(np.float32)
    linear = torch.nn.Linear(6, 3)
    linear.weight.data, linear.bias.data = torch.tensor(layer[:-1].T.copy()), torch.tensor(layer[-1])
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.04, momentum=0.9)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5], 0.1)
    assert made.shape == (7, 20, 3)
    for epoch in range(7):
        for rows in np.split(rng.permutation(50), range(16, 50, 16)):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(
                linear(torch.tensor(features[rows])), torch.tensor(labels[rows])
            ).backward()
            optimizer.step()
        schedule.step()
        assert np.allclose(made[epoch], torch.softmax(linear(torch.tensor(others)), 1).detach(), atol=1e-5)


def test_rates_are_tried_in_turn():
    train, (others, _) = data(50), data(20, 1)
    both = path(probe(epochs=3, learning_rates=[0.01, 0.1]), train, others)
    for at, rate in enumerate((0.01, 0.1)):
        assert np.array_equal(
            both[3 * at : 3 * at + 3], path(probe(epochs=3, learning_rates=[rate]), train, others)
        )


def test_validation_chooses_the_epoch_and_test_is_scored_at_that_one_alone():
    features, labels = data(300)
    role = np.repeat(["train", "validation", "test"], 100)
    at = np.arange(300)
    windows = Windows(
        start=at,
        pose=at[:, None],
        animal=np.zeros(300, int),
        role=role,
        sees_input=role != "test",
        sees_label=role == "train",
        label=labels,
        trial=at,
        time=at.astype(float),
        frames=1,
    )
    config = probe(epochs=6, learning_rates=[1e-4, 0.1])
    found = evaluate(
        {"raw": features},
        EvaluationData(windows, ("pictures",), tuple("abc")),
        MethodSettings(label="Pixels", representation="raw"),
        {"linear": config},
        EvaluationSettings(tasks=["decoding"], label_budgets=["all"], raw_pool_time=1, raw_pool_space=1),
        "published",
        0,
    )
    (score,) = (one for one in found.scores if one.metric == "accuracy")
    train = features[:100]
    scaled = (features - train.mean(0)) / np.sqrt(np.mean(train.std(0) ** 2))
    every = path(config, (scaled[:100], labels[:100]), scaled[100:])
    right = every.argmax(2) == labels[100:]
    loss = -np.log([one[np.arange(100), labels[100:200]] for one in every[:, :100]]).mean(1)
    chosen = max(range(12), key=lambda one: (right[one, :100].mean(), -loss[one]))
    assert score.value == pytest.approx(right[chosen, 100:].mean())
    assert chosen >= 6


def test_epochs_are_given():
    with pytest.raises(ValueError, match="for solver 'epochs'"):
        probe()
