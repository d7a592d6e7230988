"""Numbers of views are drawn for many steps at once, and each view of each step has its own."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from neural_action.augmentations.augmentation import DrawnAugmentation
from neural_action.training.ahead import STEPS, Ahead


class Numbers(NamedTuple):
    number: Tensor


class Numbered(DrawnAugmentation):
    def __init__(self):
        self.drawn = []

    def draw(self, count, generator):
        self.drawn.append(count)
        return Numbers(torch.rand(count, 2, generator=generator))

    def apply(self, values, prepared):
        return values.copy_(prepared[0])


def numbers(ahead, view, steps, counts=(5, 5, 3)):
    """For each step, the numbers of each of its views."""
    found = []
    for step in steps:
        ahead.begin(step)
        found.append([ahead(view, count)[0].clone() for count in counts])
    return found


def ahead(seed=0):
    return Ahead(seed, torch.device("cpu"))


def test_numbers_do_not_depend_on_the_steps_before():
    steps = range(2 * STEPS + 3)
    whole = numbers(ahead(), Numbered(), steps)
    for first in (1, STEPS - 1, STEPS, STEPS + 7, 2 * STEPS):
        resumed = numbers(ahead(), Numbered(), steps[first:])
        for expected, found in zip(whole[first:], resumed, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    # A view that joins in the middle of a block has the same numbers after an interruption there.
    late, fresh, view = ahead(), ahead(), Numbered()
    numbers(late, view, [0, 1], (5,))
    assert torch.equal(numbers(late, view, [2])[0][2], numbers(fresh, view, [2])[0][2])


def test_every_view_of_every_step_and_window_has_its_own_numbers():
    found = numbers(ahead(), Numbered(), range(2 * STEPS + 1))
    assert [len(one) for one in found[0]] == [5, 5, 3]
    every = torch.cat([one for step in found for one in step])
    assert len(every.unique(dim=0)) == len(every)
    other = torch.cat(numbers(ahead(1), Numbered(), [0])[0])
    assert not torch.isin(other, every).any()


@pytest.mark.parametrize("once", [False, True])
def test_numbers_are_drawn_once_for_many_steps(once):
    view = Numbered()
    view.once = once
    found = numbers(ahead(), view, range(STEPS))
    assert view.drawn == [STEPS * (1 if once else count) for count in (5, 5, 3)]
    for step in found:
        for one in step:
            assert len(one.unique(dim=0)) == (1 if once else len(one))
