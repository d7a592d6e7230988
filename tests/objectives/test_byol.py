"""BYOL, MYOW, mining and the target network against slow loops and formulas."""

import math

import pytest
import torch
from spikes import ENCODERS, SHAPES, sampler_of, spikes

from neural_action.config.settings import AugmentationSettings, ComponentConfig
from neural_action.objectives.byol import target_momentum
from neural_action.objectives.mining import mine
from neural_action.training.model import create


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


@pytest.fixture
def batch():
    return sampler_of(spikes(), AugmentationSettings(neural=[ComponentConfig(name="dropout")], shift=2))(0)


def test_momentum_runs_from_its_base_to_1():
    assert target_momentum(0.98, 0.0) == pytest.approx(0.98)
    assert target_momentum(0.98, 0.5) == pytest.approx(0.99)
    assert target_momentum(0.98, 1.0) == 1.0
    for progress in (0.1, 0.3, 0.7):
        expected = 1 - 0.02 * (1 + math.cos(math.pi * progress)) / 2
        assert target_momentum(0.98, progress) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["byol", "myow"])
def test_the_target_starts_as_a_copy_and_follows(name):
    model = create(ComponentConfig(name=name, momentum=0.9), ENCODERS, SHAPES, 0)
    pairs = {
        key: key.removeprefix("target.") for key, _ in model.named_parameters() if key.startswith("target.")
    }
    assert any("mined_projector" in key for key in pairs) == (name == "myow")
    state = dict(model.named_parameters())
    assert all(torch.equal(state[key], state[own]) for key, own in pairs.items())
    with torch.no_grad():
        for own in pairs.values():
            state[own].add_(torch.randn(state[own].shape, generator=generator()))
    before = {key: state[key].clone() for key in pairs}
    model.progress = 0.25
    model.follow()
    momentum = target_momentum(0.9, 0.25)
    for key, own in pairs.items():
        expected = momentum * before[key] + (1 - momentum) * state[own]
        assert torch.allclose(state[key], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["byol", "myow"])
def test_no_gradient_reaches_the_target(name, batch):
    model = create(ComponentConfig(name=name), ENCODERS, SHAPES, 0)
    model.progress = 0.5
    encodings = model.encode(batch)
    assert not encodings["target"].requires_grad
    model.loss(encodings, batch).backward()
    for key, parameter in model.named_parameters():
        if key.startswith("target."):
            assert not parameter.requires_grad
            assert parameter.grad is None
        else:
            assert parameter.grad is not None
            assert parameter.grad.abs().sum() > 0, key


def test_byol_is_the_mean_cosine_distance_both_ways(batch):
    model = create(ComponentConfig(name="byol"), ENCODERS, SHAPES, 0)
    one, other = batch.neural().clone(), batch.neural().clone()
    batch.neural = iter([one, other]).__next__
    loss = model.loss(model.encode(batch), batch)
    with torch.no_grad():
        q, q_again = (model.predictor(model.f_n(view)) for view in (one, other))
        z, z_again = (model.target["f_n"](view) for view in (one, other))
    slow = sum(2 - cosine(q[i], z_again[i]) - cosine(q_again[i], z[i]) for i in range(32)) / 64
    assert loss.item() == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_mining_is_brute_force(k):
    anchors, candidates = (torch.randn(n, 4, generator=generator(n)) for n in (9, 13))
    excluded = torch.rand(9, 13, generator=generator(1)) < 0.5
    excluded[2] = True
    excluded[3, 2:] = True
    excluded[3, :2] = False
    seen = [set() for _ in range(9)]
    for chance in torch.arange(0, 1, 1 / 64):
        index, found = mine(anchors, candidates, excluded, k, chance.expand(9))
        assert found.tolist() == [row != 2 for row in range(9)]
        for row in range(9):
            seen[row].add(int(index[row]))
    for row in range(9):
        allowed = [c for c in range(13) if not excluded[row, c]]
        best = sorted(allowed, key=lambda c, row=row: -cosine(anchors[row], candidates[c]))[:k]
        if row != 2:
            assert seen[row] == set(best)


def test_neighbours_are_the_same_where_networks_run_in_half_precision():
    anchors, candidates = (torch.randn(n, 16, generator=generator(n)) for n in (50, 400))
    none = torch.zeros(50, 400, dtype=torch.bool)
    expected, _ = mine(anchors, candidates, none, 1, torch.zeros(50))
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = mine(anchors, candidates, none, 1, torch.zeros(50))
    assert torch.equal(found, expected)


@pytest.mark.parametrize(("exclude", "window"), [("trial", 0), ("window", 12)])
def test_mined_views_are_never_temporal_neighbours(batch, exclude, window):
    sampler = batch.sampler
    model = create(ComponentConfig(name="myow", exclude=exclude, window=window), ENCODERS, SHAPES, 0)
    for step in range(20):
        batch = sampler(step)
        encodings = model.encode(batch)
        excluded = batch.excluded(model.window)
        index, found = mine(encodings["neural"], encodings["target"], excluded, 5, batch.uniform(32))
        trial, start = sampler.order.trial[batch.windows], batch.rows.start
        for i in found.nonzero()[:, 0].tolist():
            j = int(index[i])
            if exclude == "trial":
                assert trial[i] != trial[j]
            else:
                assert abs(int(start[i] - start[j])) > 12


def test_myow_mixes_both_terms_by_the_weight_of_the_moment(batch):
    model = create(ComponentConfig(name="myow", neighbors=1, weight=0.4, warmup=0.5), ENCODERS, SHAPES, 0)
    encodings = {key: value.detach() for key, value in model.encode(batch).items()}
    byol = super(type(model), model).loss(encodings, batch).item()
    with torch.no_grad():
        r = model.mined_predictor(model.mined_projector(encodings["neural"]))
        v = model.target["mined_projector"](encodings["target"])
    mined = []
    excluded = batch.excluded(None)
    for i in range(32):
        allowed = [j for j in range(32) if not excluded[i, j]]
        nearest = max(allowed, key=lambda j, i=i: cosine(encodings["neural"][i], encodings["target"][j]))
        mined.append(1 - cosine(r[i], v[nearest]))
    mined = sum(mined) / 32
    for progress, weight in ((0.0, 0.0), (0.25, 0.2), (0.5, 0.4), (0.9, 0.4)):
        model.progress = progress
        assert model.mined_weight == pytest.approx(weight)
        loss = model.loss(encodings, batch).item()
        assert loss == pytest.approx((1 - weight) * byol + weight * mined, rel=1e-4)


def test_a_batch_of_one_trial_has_no_mined_term(batch):
    batch.excluded = lambda window, others: torch.ones(32, 32, dtype=torch.bool)
    model = create(ComponentConfig(name="myow", weight=0.4, warmup=0.0), ENCODERS, SHAPES, 0)
    encodings = model.encode(batch)
    byol = super(type(model), model).loss(encodings, batch)
    assert model.loss(encodings, batch).item() == pytest.approx(0.6 * byol.item(), rel=1e-5)
