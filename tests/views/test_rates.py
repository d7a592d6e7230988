"""Views of firing rates against slow loops."""

import pytest
import torch
from neural_action.views.bank import Bank

from neural_action.views.dropout import Dropout
from neural_action.views.noise import Noise
from neural_action.views.pepper import Pepper
from neural_action.views.view import ClipRows

ROWS = ClipRows(*(torch.zeros(2000, dtype=torch.int64) for _ in range(3)))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rates():
    return 1 + torch.rand(2000, 1, 60, generator=generator(9))


def slices(bank, state, count, size):
    """What a bank gives, number by number."""
    first = torch.randint(len(bank.numbers) - size, (count,), generator=state)
    return [[bank.numbers[f + k].item() for k in range(size)] for f in first.tolist()]


def test_dropout_is_its_loop(context):
    before, view = rates()[:40], Dropout(context, most=0.5, apply=0.7)
    after, state = view(before.clone(), ROWS[:40], generator(1)), generator(1)
    most = torch.rand(40, generator=state)
    applied = torch.rand(40, generator=state)
    numbers = slices(view.bank, state, 40, 60)
    for b in range(40):
        p = 0.5 * most[b].item() if applied[b] < 0.7 else 0
        for u in range(60):
            assert after[b, 0, u] == (0 if numbers[b][u] < p else before[b, 0, u])


def test_dropout_drops_half_of_most_on_average(context):
    after = Dropout(context, most=0.4)(rates(), ROWS, generator())
    share = (after == 0).float().mean(dim=(1, 2))
    assert share.mean().item() == pytest.approx(0.2, abs=0.01)
    assert share.std().item() == pytest.approx(0.4 / 12**0.5, abs=0.03)
    assert ((Dropout(context, apply=0.0)(rates(), ROWS, generator())) == rates()).all()


def test_dropout_of_units_takes_them_out_of_the_whole_clip(context):
    before = 1 + torch.rand(500, 7, 60, generator=generator(9))
    after = Dropout(context, most=0.4, units=True)(before.clone(), ROWS[:500], generator())
    dropped = after == 0
    assert (dropped.all(1) == dropped.any(1)).all()
    assert dropped.float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert torch.equal(after[~dropped], before[~dropped])


def test_pepper_is_its_loop(context):
    before, view = rates()[:40], Pepper(context, probability=0.3, size=1.5, apply=0.5)
    after, state = view(before.clone(), ROWS[:40], generator(2)), generator(2)
    applied = torch.rand(40, generator=state)
    numbers = slices(view.bank, state, 40, 60)
    for b in range(40):
        for u in range(60):
            added = 1.5 if applied[b] < 0.5 and numbers[b][u] < 0.3 else 0
            assert after[b, 0, u].item() == pytest.approx(before[b, 0, u].item() + added)


def test_pepper_has_its_share(context):
    added = Pepper(context, probability=0.3, size=1.5, apply=0.5)(rates(), ROWS, generator()) - rates()
    changed = (added > 1).any(2).float().mean().item()
    assert changed == pytest.approx(0.5, abs=0.04)
    assert (added > 1).float().mean().item() == pytest.approx(0.15, abs=0.01)


def test_noise_is_added_to_its_share_of_clips(context):
    added = Noise(context, sd=1.5, apply=0.5)(rates(), ROWS, generator()) - rates()
    noisy = (added != 0).any(2)[:, 0]
    assert noisy.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert added[noisy].std().item() == pytest.approx(1.5, abs=0.05)


def test_banks_are_uniform_and_normal():
    device = torch.device("cpu")
    uniform, normal = Bank.uniform(1, device).numbers, Bank.normal(2.0, device).numbers
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.002)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert normal.std().item() == pytest.approx(2.0, rel=0.01)
