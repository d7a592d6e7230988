"""Views of firing rates against slow loops."""

from dataclasses import replace

import pytest
import torch

from neural_action.augmentations.augmentation import WindowRows
from neural_action.augmentations.dropout import Dropout
from neural_action.augmentations.noise import Noise
from neural_action.augmentations.noise_pool import NoisePool
from neural_action.augmentations.pepper import Pepper
from neural_action.config.settings import AugmentationSettings, ComponentConfig, WindowSettings
from neural_action.datasets.windows import window_table
from neural_action.training.batches import BatchSampler, augmentation_context

ROWS = WindowRows(*(torch.zeros(2000, dtype=torch.int64) for _ in range(3)))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rates():
    return 1 + torch.rand(2000, 1, 60, generator=generator(9))


def slices(pool, state, count, size):
    """What a pool gives, number by number."""
    first = torch.randint(len(pool.numbers) - size, (count,), generator=state)
    return [[pool.numbers[f + k].item() for k in range(size)] for f in first.tolist()]


def test_dropout_is_its_loop(context):
    before, view = rates()[:40], Dropout(context, most=0.5, apply=0.7)
    after, state = view(before.clone(), ROWS[:40], generator(1)), generator(1)
    most = torch.rand(40, generator=state)
    applied = torch.rand(40, generator=state)
    numbers = slices(view.pool, state, 40, 60)
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


def test_dropout_of_units_takes_them_out_of_the_whole_window(context):
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
    numbers = slices(view.pool, state, 40, 60)
    for b in range(40):
        for u in range(60):
            added = 1.5 if applied[b] < 0.5 and numbers[b][u] < 0.3 else 0
            assert after[b, 0, u].item() == pytest.approx(before[b, 0, u].item() + added)


def test_pepper_has_its_share(context):
    added = Pepper(context, probability=0.3, size=1.5, apply=0.5)(rates(), ROWS, generator()) - rates()
    changed = (added > 1).any(2).float().mean().item()
    assert changed == pytest.approx(0.5, abs=0.04)
    assert (added > 1).float().mean().item() == pytest.approx(0.15, abs=0.01)


def test_noise_is_added_to_its_share_of_windows(context):
    added = Noise(context, sd=1.5, apply=0.5)(rates(), ROWS, generator()) - rates()
    noisy = (added != 0).any(2)[:, 0]
    assert noisy.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert added[noisy].std().item() == pytest.approx(1.5, abs=0.05)


def test_pools_are_uniform_and_normal(context):
    uniform, normal = NoisePool.uniform(context, 1).numbers, NoisePool.normal(2.0, context).numbers
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.002)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert normal.std().item() == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("view", [Noise, Dropout, Pepper])
def test_runs_of_other_seeds_draw_from_other_pools(context, view):
    one, again, other = (view(replace(context, seed=seed)).pool.numbers for seed in (3, 3, 4))
    assert torch.equal(one, again)
    # Unrelated, also where one is shifted against the other: a slice of one is none of the other.
    assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1].item()) < 0.005
    assert len(set(one[:1000].tolist()) & set(other.tolist())) < 100


def test_views_of_one_run_share_no_pool(context):
    dropout, pepper = Dropout(context).pool.numbers, Pepper(context).pool.numbers
    assert abs(torch.corrcoef(torch.stack([dropout, pepper]))[0, 1].item()) < 0.005


def test_the_sampler_gives_its_seed_to_what_views_draw_once(dataset):
    windows = window_table(dataset, WindowSettings(frames=16, poses=4), stride=1)
    shared = augmentation_context(dataset, windows, torch.device("cpu"))
    views = AugmentationSettings(neural=[ComponentConfig(name="noise")])
    one, again, other = (
        BatchSampler(shared, windows, views, 8, seed).neural_augmentations[0].pool.numbers
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.isclose(one, other).all()
