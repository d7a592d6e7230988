"""Gradient reversal: what reaches the encodings, what reaches the discriminator, and that it works."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression

from neural_action.adaptation.grl import Grl, Reversal


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def adaptation():
    torch.manual_seed(0)
    return Grl(["neural", "behavior"], 6, 3, weight=0.7, hidden=16, warmup=0.2)


@pytest.fixture
def encodings():
    return {name: torch.randn(9, 6, generator=generator(k)) for k, name in enumerate(("neural", "behavior"))}


ANIMAL = torch.tensor([0, 1, 2] * 3)


def gradients(adaptation, encodings, progress):
    """Of the term: by modality of the encodings, by name of the discriminators' parameters."""
    leaves = {name: value.clone().requires_grad_() for name, value in encodings.items()}
    adaptation.zero_grad()
    adaptation(leaves, ANIMAL, progress).backward()
    own = {name: value.grad.clone() for name, value in adaptation.named_parameters()}
    return {name: value.grad for name, value in leaves.items()}, own


def unreversed(adaptation, encodings):
    """The same of the discriminators' mean cross-entropy, written without reversal."""
    leaves = {name: value.clone().requires_grad_() for name, value in encodings.items()}
    adaptation.zero_grad()
    loss = sum(F.cross_entropy(adaptation.discriminators[name](x), ANIMAL) for name, x in leaves.items()) / 2
    loss.backward()
    own = {name: value.grad.clone() for name, value in adaptation.named_parameters()}
    return {name: value.grad for name, value in leaves.items()}, own, loss.item()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 5.0])
def test_reversal_is_the_identity_with_the_gradient_times_minus_weight(weight):
    x = torch.randn(4, 3, generator=generator(), requires_grad=True)
    upstream = torch.randn(4, 3, generator=generator(1))
    y = Reversal.apply(x, weight)
    assert torch.equal(y, x)
    y.backward(upstream)
    assert torch.equal(x.grad, -weight * upstream)


def test_the_term_is_the_mean_cross_entropy_of_the_discriminators(adaptation, encodings):
    expected = unreversed(adaptation, encodings)[2]
    for progress in (0.0, 0.5):
        assert adaptation(encodings, ANIMAL, progress).item() == pytest.approx(expected, rel=1e-6)


def test_encodings_get_minus_weight_times_the_gradient(adaptation, encodings):
    reached, _ = gradients(adaptation, encodings, 0.5)
    plain, _, _ = unreversed(adaptation, encodings)
    for name in encodings:
        assert plain[name].abs().max() > 1e-3
        assert torch.allclose(reached[name], -0.7 * plain[name], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("progress", [0.0, 0.1, 0.5])
def test_the_discriminators_own_gradient_is_neither_reversed_nor_weighted(adaptation, encodings, progress):
    _, own = gradients(adaptation, encodings, progress)
    _, plain, _ = unreversed(adaptation, encodings)
    assert own.keys() == plain.keys()
    for name, value in own.items():
        assert value.abs().max() > 1e-4
        assert torch.allclose(value, plain[name], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(("progress", "silent"), [(0.0, True), (0.19, True), (0.2, False), (0.9, False)])
def test_encodings_get_no_gradient_during_the_warm_up(adaptation, encodings, progress, silent):
    reached, own = gradients(adaptation, encodings, progress)
    assert all((value.count_nonzero() == 0) == silent for value in reached.values())
    assert all(value.count_nonzero() > 0 for value in own.values())


def separability(weight):
    """Cross-entropy of a fresh classifier of animals, in nats, after a linear encoder was trained with Grl.

    The first axis of the inputs is the task, the second says the animal, the others are noise.
    """
    torch.manual_seed(0)
    animal = torch.arange(2).repeat(200)
    x = torch.randn(400, 4)
    x[:, 1] = 0.5 * x[:, 1] + 4.0 * animal - 2.0
    encoder, readout = torch.nn.Linear(4, 3), torch.nn.Linear(3, 1)
    adaptation = Grl(["neural"], 3, 2, weight=weight, hidden=16, warmup=0.1)
    parts = torch.nn.ModuleList([encoder, readout, adaptation])
    optimizer = torch.optim.Adam(parts.parameters(), 1e-2)
    for step in range(400):
        z = encoder(x)
        task = F.mse_loss(readout(z)[:, 0], x[:, 0])
        loss = task + adaptation({"neural": z}, animal, step / 400)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    z = encoder(x).detach().numpy()
    z = (z - z.mean(0)) / z.std(0)
    probability = LogisticRegression().fit(z, animal).predict_proba(z)
    return -np.log(probability[np.arange(400), animal]).mean(), task.item()


def test_an_encoder_trained_with_it_says_less_about_the_animal_and_keeps_the_task():
    (plain, _), (adapted, task) = separability(0.0), separability(1.0)
    assert plain < 0.1
    assert adapted > 0.5  # chance is log 2 = 0.69
    assert task < 0.1
