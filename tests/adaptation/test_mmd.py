"""The maximum mean discrepancy against a double sum over windows."""

import itertools
import math

import pytest
import torch

from neural_action.adaptation.mmd import SCALES, Mmd, mean_discrepancy


def cloud(count, dimension=3, seed=0):
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shifted(shift, count=40):
    """Two animals' clouds, the second moved by ``shift`` along the first axis, and whose is whose."""
    x = cloud(2 * count)
    animal = torch.arange(2).repeat_interleave(count)
    return x + shift * animal[:, None] * torch.eye(3)[0], animal


def double_sum(x, animal):
    """Mean over pairs of animals of MMD², window by window; the number of pairs of windows must be odd."""
    x, animal = x.tolist(), animal.tolist()

    def squared(i, j):
        return sum((a - b) ** 2 for a, b in zip(x[i], x[j], strict=True))

    apart = sorted(squared(i, j) for i, j in itertools.combinations(range(len(x)), 2))
    assert len(apart) % 2 == 1  # one median, whichever way it is defined
    median = apart[len(apart) // 2]

    def kernel(i, j):
        return sum(math.exp(-squared(i, j) / (scale * median)) for scale in SCALES) / len(SCALES)

    def expected(a, b):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if animal[i] == a and animal[j] == b]
        return sum(kernel(i, j) for i, j in pairs) / len(pairs)

    pairs = list(itertools.combinations(sorted(set(animal)), 2))
    return sum(expected(a, a) + expected(b, b) - 2 * expected(a, b) for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("animal", [[0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0]])
def test_mmd_is_the_double_sum(animal):
    animal = torch.tensor(animal)
    x = cloud(len(animal)) + 0.5 * animal[:, None]
    animals = int(animal.max()) + 1
    assert mean_discrepancy(x, animal, animals).item() == pytest.approx(double_sum(x, animal), rel=1e-9)


@pytest.mark.parametrize("names", [[0, 1], [1, 4], [3, 4]])
def test_animals_without_windows_take_no_part(names):
    x, animal = shifted(1.0, count=5)
    there = torch.tensor(names)[animal]
    assert mean_discrepancy(x, there, 6).item() == pytest.approx(double_sum(x, animal), rel=1e-9)


def test_mmd_of_one_animal_is_0():
    assert mean_discrepancy(cloud(7), torch.full((7,), 2), 4).item() == 0


def test_mmd_of_the_same_points_is_0():
    x = cloud(12).repeat(2, 1)
    assert mean_discrepancy(x, torch.arange(2).repeat_interleave(12), 2).item() == pytest.approx(0, abs=1e-12)


def test_mmd_does_not_depend_on_the_unit():
    x, animal = shifted(1.0)
    one, other = (mean_discrepancy(factor * x, animal, 2).item() for factor in (1.0, 100.0))
    assert one == pytest.approx(other, rel=1e-9)


def test_mmd_grows_with_the_shift_between_animals():
    values = [mean_discrepancy(*shifted(shift), 2).item() for shift in (0.0, 1.0, 2.0, 4.0)]
    assert all(b > 2 * a for a, b in itertools.pairwise(values))


def test_descent_brings_two_clouds_together():
    x, animal = shifted(3.0)
    move = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([move], 0.1)
    for _ in range(80):
        loss = mean_discrepancy(x + animal[:, None] * move, animal, 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    apart = x[animal == 1].mean(0) + move.detach() - x[animal == 0].mean(0)
    assert apart.norm() < 0.3


def test_the_median_is_a_constant_for_the_gradient():
    """Then the gradient along a common stretch of all windows is that of the kernel at a fixed width."""
    x, animal = shifted(2.0)
    x.requires_grad_()
    mean_discrepancy(x, animal, 2).backward()
    assert (x.grad * x.detach()).sum().abs() > 1e-2  # 0 for a scale-free loss


def test_the_module_is_weight_times_the_mean_over_modalities():
    one, animal = shifted(1.0)
    other = cloud(len(one), 5, seed=1) + animal[:, None]
    term = Mmd(["neural", "behavior"], 3, 2, weight=2.5)({"behavior": other, "neural": one}, animal, 0.9)
    a, b = (mean_discrepancy(x.float(), animal, 2).item() for x in (one, other))
    assert abs(a - b) > 1e-3
    assert term.item() == pytest.approx(2.5 * (a + b) / 2, rel=1e-5)


def test_encodings_it_was_not_made_for_are_left_alone():
    x, animal = shifted(1.0)
    term = Mmd(["neural"], 3, 2)({"neural": x, "behavior": 100 * x * animal[:, None]}, animal, 0.9)
    assert term.item() == pytest.approx(mean_discrepancy(x, animal, 2).item(), rel=1e-4)


@pytest.mark.parametrize(
    ("progress", "share"),
    [(0.0, 0), (0.1, 0), (0.2, 0), (0.25, 0.25), (0.3, 0.5), (0.4, 1), (0.41, 1), (0.99, 1)],
)
def test_the_weight_ramps_up_over_the_second_half_of_the_warm_up(progress, share):
    x, animal = shifted(2.0)
    full = mean_discrepancy(x.float(), animal, 2).item()
    term = Mmd(["neural"], 3, 2, warmup=0.4)({"neural": x}, animal, progress)
    assert term.item() == pytest.approx(share * full, rel=1e-5, abs=1e-9)


def test_without_a_warm_up_the_weight_is_full_at_once():
    x, animal = shifted(2.0)
    term = Mmd(["neural"], 3, 2, warmup=0.0)({"neural": x}, animal, 0.0)
    assert term.item() == pytest.approx(mean_discrepancy(x, animal, 2).item(), rel=1e-4)
