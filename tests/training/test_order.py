"""Draws of near, far and later windows against their definitions."""

import numpy as np
import pytest
import torch

from neural_action.errors import InputError
from neural_action.training.order import TrialOrder

TRIAL = np.repeat([0, 1, 2, 5], [4, 1, 6, 3])
# Frames of a window's start: one trial begins where the one before ends, but for a gap of ten frames before the last.
START = np.concatenate([np.arange(11), np.arange(21, 24)])
WINDOWS = torch.arange(len(TRIAL))
# Every draw of a fine grid: what is uniform over n is hit by all of them.
CHANCES = np.arange(0, 1, 1 / 840)


@pytest.fixture
def order():
    return TrialOrder.of(START, TRIAL, torch.device("cpu"))


def drawn(draw):
    """By window, how often each other window is drawn, (window, window)."""
    counts = np.zeros((len(TRIAL), len(TRIAL)), int)
    for chance in CHANCES:
        counts[WINDOWS, draw(torch.full((len(TRIAL),), chance, dtype=torch.float32))] += 1
    return counts


def assert_uniform(counts, allowed):
    """Each window draws those that ``allowed(window, other)`` says, alike."""
    for window in range(len(TRIAL)):
        expected = [other for other in range(len(TRIAL)) if allowed(window, other)]
        assert np.flatnonzero(counts[window]).tolist() == expected
        assert np.ptp(counts[window][expected]) <= 2


@pytest.mark.parametrize("most", [1, 2, 5])
def test_later_is_0_to_most_ahead_in_the_trial(order, most):
    counts = drawn(lambda chance: order.later(WINDOWS, most, chance))
    assert_uniform(counts, lambda c, o: TRIAL[c] == TRIAL[o] and 0 <= o - c <= most)


def test_later_without_limit_is_anywhere_in_the_trial(order):
    counts = drawn(lambda chance: order.later(WINDOWS, None, chance))
    assert_uniform(counts, lambda c, o: TRIAL[c] == TRIAL[o])


@pytest.mark.parametrize(("least", "most"), [(1, 1), (1, 3), (2, 4), (3, 9)])
def test_near_is_on_either_side_in_the_trial(order, least, most):
    def allowed(c, o):
        return TRIAL[c] == TRIAL[o] and least <= abs(o - c) <= most

    exists = order.near(WINDOWS, least, most, torch.zeros(len(TRIAL)))[1].tolist()
    lonely = [c for c in range(len(TRIAL)) if not any(allowed(c, o) for o in range(len(TRIAL)))]
    assert [c for c in range(len(TRIAL)) if not exists[c]] == lonely
    counts = drawn(lambda chance: order.near(WINDOWS, least, most, chance)[0])
    assert_uniform(counts, lambda c, o: c == o if c in lonely else allowed(c, o))


def test_far_is_another_trial(order):
    counts = drawn(lambda chance: order.far(WINDOWS, None, chance))
    assert_uniform(counts, lambda c, o: TRIAL[c] != TRIAL[o])


@pytest.mark.parametrize("beyond", [0, 2, 5])
def test_far_is_beyond_a_distance_in_frames_across_trials(order, beyond):
    counts = drawn(lambda chance: order.far(WINDOWS, beyond, chance))
    assert_uniform(counts, lambda c, o: abs(START[c] - START[o]) > beyond)


def test_nothing_far_is_one_line(order):
    with pytest.raises(InputError, match="14 windows are visible, expected more than 15"):
        order.far(WINDOWS, 7, torch.zeros(len(TRIAL)))
    alone = TrialOrder.of(np.arange(5), np.zeros(5, int), torch.device("cpu"))
    with pytest.raises(InputError, match="5 windows are visible, expected more than 5"):
        alone.far(torch.arange(5), None, torch.zeros(5))


def test_between_is_strictly_between(order):
    one, other = torch.tensor([5, 10, 5, 0, 4]), torch.tensor([10, 5, 7, 1, 4])
    seen = [set() for _ in range(5)]
    for chance in CHANCES:
        for k, window in enumerate(order.between(one, other, torch.full((5,), chance)).tolist()):
            seen[k].add(window)
    assert seen == [{6, 7, 8, 9}, {6, 7, 8, 9}, {6}, {0}, {4}]


@pytest.mark.parametrize("window", [None, 0, 3])
def test_excluded_pairs_are_of_one_trial_or_within_the_window(order, window):
    windows = torch.tensor([3, 11, 4, 3, 10])
    excluded = order.excluded(windows, window)
    for i, a in enumerate(windows.tolist()):
        for j, b in enumerate(windows.tolist()):
            near = TRIAL[a] == TRIAL[b] if window is None else abs(START[a] - START[b]) <= window
            assert excluded[i, j].item() == near


def test_a_draw_just_below_one_stays_in_range(order):
    chance = torch.full((1,), 1 - 2**-24)
    long = TrialOrder.of(np.arange(1026), np.repeat([0, 1], [1025, 1]), torch.device("cpu"))
    assert long.later(torch.tensor([0]), None, chance).item() == 1024
    assert long.far(torch.tensor([1025]), None, chance).item() == 1024


def test_without_windows_there_is_no_order():
    with pytest.raises(InputError, match="none is visible"):
        TrialOrder.of(np.empty(0, int), np.empty(0, int), torch.device("cpu"))
