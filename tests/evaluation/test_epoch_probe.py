"""The probe of pictures against torch's own layer and optimizer, and neighbours against a loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neural_action.errors import InputError
from neural_action.evaluation import epoch_probe as module
from neural_action.evaluation.epoch_probe import EpochProbeSettings, epoch_probe, neighbor_votes


def data(count, seed=0, features=6, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=count)
    centres = np.random.default_rng(9).normal(size=(classes, features))
    return (centres[labels] + 0.8 * rng.normal(size=(count, features))).astype(np.float32), labels


def test_it_is_torchs_sgd_with_steps_of_the_rate():
    settings = EpochProbeSettings(epochs=7, milestones=(3, 5), batch=16, refit=False)
    features, labels = data(50)
    made = [
        (epoch, layer.copy()) for epoch, layer in module._epochs((features, labels), 3, settings, 0.04, 7, 0)
    ]
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(6)
    layer = rng.uniform(-bound, bound, (7, 3)).astype(np.float32)
    linear = torch.nn.Linear(6, 3)
    linear.weight.data, linear.bias.data = torch.tensor(layer[:-1].T.copy()), torch.tensor(layer[-1])
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.04, momentum=0.9)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5], 0.1)
    for epoch in range(7):
        for rows in np.split(rng.permutation(50), range(16, 50, 16)):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(
                linear(torch.tensor(features[rows])), torch.tensor(labels[rows])
            ).backward()
            optimizer.step()
        schedule.step()
        assert made[epoch][0] == epoch + 1
        assert np.allclose(made[epoch][1][:-1].T, linear.weight.detach(), atol=1e-5)
        assert np.allclose(made[epoch][1][-1], linear.bias.detach(), atol=1e-5)


def test_validation_chooses_rate_and_epoch_and_test_is_read_once(monkeypatch):
    train, validation, (test, true) = data(60), data(40, 1), data(500, 2)
    settings = EpochProbeSettings(learning_rates=(1e-4, 0.1), epochs=12, batch=16, refit=False)
    found = epoch_probe(train, validation, test, 3, settings, 0)
    right = {
        (rate, epoch): (module._logits(validation[0], layer).argmax(1) == validation[1]).mean()
        for rate in settings.learning_rates
        for epoch, layer in module._epochs(train, 3, settings, rate, 12, 0)
    }
    best = max(right.values())
    assert (found.learning_rate, found.epoch) == next(key for key, value in right.items() if value == best)
    assert found.validation == pytest.approx(best)
    assert (found.scores.argmax(1) == true).mean() > 0.6
    reads, logits = [], module._logits
    monkeypatch.setattr(module, "_logits", lambda x, layer: reads.append(x is test) or logits(x, layer))
    epoch_probe(train, validation, test, 3, settings, 0)
    assert sum(reads) == 1
    assert reads[-1]


def test_refit_uses_all_pictures_up_to_the_chosen_epoch():
    train, validation, (test, _) = data(60), data(40, 1), data(100, 2)
    settings = EpochProbeSettings(epochs=5, batch=16)
    found = epoch_probe(train, validation, test, 3, settings, 0)
    both = tuple(np.concatenate(parts) for parts in zip(train, validation, strict=True))
    *_, (_, layer) = module._epochs(both, 3, settings, 0.04, found.epoch, 0)
    assert np.array_equal(found.scores, module._logits(test, layer))
    assert epoch_probe(train, validation, test, 3, replace(settings, refit=False), 0).epoch == found.epoch


def test_neighbours_are_a_loop():
    (train, labels), (test, _) = data(80), data(30, 1)
    scores = neighbor_votes(train, labels, test, 3, k=7)
    for at in range(30):
        similar = [float(a @ test[at] / np.linalg.norm(a) / np.linalg.norm(test[at])) for a in train]
        near = sorted(range(80), key=lambda i, s=similar: -s[i])[:7]
        votes = np.bincount(labels[near], minlength=3)
        assert np.array_equal(np.round(scores[at] * 7).astype(int), votes)
        best = np.flatnonzero(votes == votes.max())
        sums = [sum(similar[i] for i in near if labels[i] == one) for one in best]
        assert scores[at].argmax() == best[int(np.argmax(sums))]


def test_too_few_pictures_are_refused():
    train, nothing = data(8), (np.empty((0, 6), np.float32), np.empty(0, int))
    with pytest.raises(InputError, match="8 pictures to look for neighbours among, expected at least k = 10"):
        neighbor_votes(*train, train[0], 3)
    with pytest.raises(InputError, match="no validation pictures"):
        epoch_probe(train, nothing, train[0], 3, EpochProbeSettings(), 0)
