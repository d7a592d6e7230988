"""Matched batches and neural swaps: windows of different animals whose poses are near."""

import dataclasses

import numpy as np
import pytest
import torch
from swap_tables import swap_table

from neural_action.augmentations.neural_mix import NeuralMix
from neural_action.augmentations.neural_swap import NeuralSwap
from neural_action.config.settings import AugmentationSettings, ComponentConfig, WindowSettings
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.training.batches import BatchSampler, augmentation_context, window_starts

# An odd number of poses has its middle one at the window's centre, so that the nearest window is of the same trial.
WINDOWS = WindowSettings(frames=16, poses=5)
NO_VIEWS = AugmentationSettings(neural=[], behavior=[])


@pytest.fixture
def windows(dataset):
    return window_table(dataset, WINDOWS, stride=1)


def context_of(dataset, windows, domains="all"):
    return augmentation_context(dataset, windows, torch.device("cpu"), swap=swap_table(dataset, domains))


def sampler_of(dataset, windows, batch=9, **options):
    return BatchSampler(context_of(dataset, windows), windows, NO_VIEWS, batch, 0, **options)


def hide(dataset, animal):
    trials = [dataclasses.replace(s, sees_input=s.sees_input and s.animal != animal) for s in dataset.trials]
    return dataclasses.replace(dataset, trials=tuple(trials))


def visible_windows(windows):
    """By trial, (centre pose, start) of each visible window."""
    table = {}
    for window in range(len(windows)):
        if windows.sees_input[window]:
            centre = int(windows.pose[window, len(windows.pose[window]) // 2])
            table.setdefault(int(windows.trial[window]), []).append((centre, int(windows.start[window])))
    return table


def nearest_starts(own, sample):
    """Starts of those of the windows ``own`` whose centre is nearest to a sample; two if equally near."""
    least = min(abs(centre - sample) for centre, _ in own)
    return {start for centre, start in own if abs(centre - sample) == least}


@pytest.mark.parametrize("stride", [1, 5])
def test_window_starts_are_of_the_nearest_window(dataset, stride):
    windows = window_table(dataset, WINDOWS, stride=stride)
    starts = window_starts(dataset, windows)
    assert starts.shape == (len(dataset.pose),)
    table = visible_windows(windows)
    for at, trial in enumerate(dataset.trials):
        for sample in range(trial.samples.start, trial.samples.stop):
            if trial.sees_input:
                assert starts[sample] in nearest_starts(table[at], sample)
            else:
                assert starts[sample] == -1


@pytest.mark.parametrize("poses", [4, 5, 8])
def test_the_ends_of_a_trial_get_its_first_and_last_window(dataset, poses):
    windows = window_table(dataset, WindowSettings(frames=16, poses=poses), stride=1)
    starts = window_starts(dataset, windows)
    for at, trial in enumerate(dataset.trials):
        if trial.sees_input:
            own = windows.start[windows.trial == at]
            assert starts[trial.samples.start] == own.min()
            assert starts[trial.samples.stop - 1] == own.max()


def test_an_animal_without_a_visible_window_has_no_window_starts(dataset, windows):
    only = windows.take(windows.animal != 1)
    starts = window_starts(dataset, only)
    assert (starts[dataset.pose_animal == 1] == -1).all()
    assert (starts[(dataset.pose_animal == 2) & dataset.pose_visible] >= 0).all()


def test_a_single_window_is_nearest_to_all_of_its_animal(dataset, windows):
    keep = np.flatnonzero((windows.animal == 0) & windows.sees_input)[[30]]
    starts = window_starts(dataset, windows.take(keep))
    own = (dataset.pose_animal == 0) & dataset.pose_visible
    assert (starts[own] == windows.start[keep[0]]).all()
    assert (starts[~own] == -1).all()


@pytest.mark.parametrize("batch", [6, 9, 11])
def test_every_group_is_a_run_of_one_window_of_each_animal(dataset, windows, batch):
    sampler = sampler_of(dataset, windows, batch, matched=True)
    for step in range(10):
        drawn = sampler(step)
        groups = batch // 3
        assert drawn.group.tolist() == [k for k in range(groups) for _ in range(3)]
        assert len(drawn.rows.start) == len(drawn.animal) == 3 * groups
        for k in range(groups):
            assert set(drawn.animal[3 * k : 3 * k + 3].tolist()) == {0, 1, 2}


def test_matched_windows_are_visible_windows_of_the_table(dataset, windows):
    visible = windows.take(windows.sees_input)
    poses = {int(start): pose.tolist() for start, pose in zip(visible.start, visible.pose, strict=True)}
    animals = {int(start): int(animal) for start, animal in zip(visible.start, visible.animal, strict=True)}
    sampler = sampler_of(dataset, windows, matched=True)
    for step in range(10):
        rows = sampler(step).rows
        for start, pose, animal in zip(
            *(a.tolist() for a in (rows.start, rows.pose, rows.animal)), strict=True
        ):
            assert poses[start] == pose
            assert animals[start] == animal


def test_the_others_of_a_group_are_nearest_to_a_swap_target_of_its_anchor(dataset, windows):
    sampler, table = sampler_of(dataset, windows, matched=True), visible_windows(windows)

    trial = np.repeat(np.arange(len(dataset.trials)), [len(dataset.pose[s.samples]) for s in dataset.trials])

    def is_near(centre, animal, start):
        targets = sampler.context.swap_targets[centre, animal].tolist()
        return any(start in nearest_starts(table[trial[target]], target) for target in targets)

    anchors = set()
    for step in range(8):
        rows = sampler(step).rows
        start, animal, centre = (a.view(3, 3).tolist() for a in (rows.start, rows.animal, rows.centre))
        for k in range(3):
            possible = [
                animal[k][a]
                for a in range(3)
                if all(is_near(centre[k][a], animal[k][m], start[k][m]) for m in range(3) if m != a)
            ]
            assert possible
            anchors |= set(possible)
    assert anchors == {0, 1, 2}


def test_a_hidden_animal_is_in_no_group(dataset):
    hidden = hide(dataset, "B")
    drawn = sampler_of(hidden, window_table(hidden, WINDOWS, stride=1), 8, matched=True)(0)
    assert drawn.group.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(set(pair) == {0, 2} for pair in drawn.animal.view(4, 2).tolist())


def test_matched_batches_follow_from_seed_and_step(dataset, windows):
    one, other = (sampler_of(dataset, windows, matched=True) for _ in range(2))
    one(0)
    assert torch.equal(one(5).rows.start, other(5).rows.start)
    assert not torch.equal(one(5).rows.start, other(6).rows.start)


@pytest.mark.parametrize("focus", [0, 2])
def test_half_of_a_batch_is_of_the_focus_and_the_rest_is_of_all(dataset, windows, focus):
    sampler = sampler_of(dataset, windows, 8, focus=focus)
    visible = set(windows.start[windows.sees_input].tolist())
    drawn = []
    for step in range(100):
        rows = sampler(step).rows
        assert set(rows.start.tolist()) <= visible
        assert (rows.animal == focus).sum() >= 4
        drawn.append(rows.animal)
    shares = torch.bincount(torch.cat(drawn), minlength=3) / 800
    assert shares[focus].item() == pytest.approx(1 / 2 + 1 / 6, abs=0.05)
    assert (shares > 0.1).all()
    starts = {start for step in range(100) for start in sampler(step).rows.start[:4].tolist()}
    assert len(starts) > 150  # of 315 visible windows of the animal


def test_without_focus_all_animals_are_drawn_alike(dataset, windows):
    sampler = sampler_of(dataset, windows, 8)
    shares = torch.bincount(torch.cat([sampler(step).animal for step in range(100)]), minlength=3) / 800
    assert (shares - 1 / 3).abs().max() < 0.06


def test_unmatched_batches_have_no_groups(dataset, windows):
    with pytest.raises(InputError, match="batches: matched"):
        _ = sampler_of(dataset, windows)(0).group


def test_matched_batches_need_a_swap_table(dataset, windows):
    context = augmentation_context(dataset, windows, torch.device("cpu"))
    with pytest.raises(InputError, match="needs a swap table"):
        BatchSampler(context, windows, NO_VIEWS, 9, 0, matched=True)


def test_matched_batches_need_two_windows_of_each_animal(dataset, windows):
    with pytest.raises(InputError, match=r"3 animals and training\.batch 5"):
        sampler_of(dataset, windows, 5, matched=True)


def test_matched_batches_need_two_animals(dataset):
    alone = hide(hide(dataset, "A"), "B")
    with pytest.raises(InputError, match="1 animals"):
        sampler_of(alone, window_table(alone, WINDOWS, stride=1), 9, matched=True)


def swapped_starts(context, windows, probability, seed=0):
    """The rows of 24 visible windows, what they held before and after the view, and where the latter start."""
    batch = BatchSampler(context, windows, NO_VIEWS, 24, seed)(0)
    values = batch.neural()
    before = values.clone()
    view = NeuralSwap(context, probability=probability)
    after = view(values, batch.rows, torch.Generator().manual_seed(seed))
    starts = []
    for window in after:
        (start,) = np.flatnonzero((context.neural == window[0]).all(1))  # frames are random: no two are equal
        assert torch.equal(window, context.neural[start : start + 16])
        starts.append(int(start))
    return batch.rows, before, after, starts


def test_a_neural_swap_with_probability_0_leaves_windows_alone(dataset, windows):
    rows, before, after, starts = swapped_starts(context_of(dataset, windows), windows, 0.0)
    assert torch.equal(before, after)
    assert starts == rows.start.tolist()


@pytest.mark.parametrize("domains", ["all", "others"])
def test_a_neural_swap_gives_windows_of_other_animals_near_a_swap_target(dataset, windows, domains):
    context = context_of(dataset, windows, domains)
    rows, _, _, starts = swapped_starts(context, windows, 1.0)
    animal_of = {int(start): int(animal) for start, animal in zip(windows.start, windows.animal, strict=True)}
    visible = set(windows.start[windows.sees_input].tolist())
    pairs = set()
    for start, animal, centre in zip(starts, rows.animal.tolist(), rows.centre.tolist(), strict=True):
        assert start in visible
        assert animal_of[start] != animal
        targets = context.swap_targets[centre, animal_of[start]].tolist()
        assert start in {int(context.window_starts[target]) for target in targets}
        pairs.add((animal, animal_of[start]))
    assert len(pairs) == 6  # every animal is replaced by both others


def test_a_neural_swap_replaces_its_share_of_windows(dataset, windows):
    context, replaced = context_of(dataset, windows), []
    for seed in range(20):
        rows, _, _, starts = swapped_starts(context, windows, 0.25, seed)
        replaced += [a != b for a, b in zip(starts, rows.start.tolist(), strict=True)]
    assert np.mean(replaced) == pytest.approx(0.25, abs=0.06)


def test_a_neural_swap_never_gives_hidden_frames(dataset):
    hidden = hide(dataset, "C")
    windows = window_table(hidden, WINDOWS, stride=1)
    rows, _, _, starts = swapped_starts(context_of(hidden, windows), windows, 1.0)
    assert set(rows.animal.tolist()) == {0, 1}
    assert set(starts) <= set(windows.start[windows.sees_input].tolist())


def test_a_neural_swap_is_a_view_of_the_sampler(dataset, windows):
    views = AugmentationSettings(neural=[ComponentConfig(name="neural_swap", probability=1.0)], behavior=[])
    batch = BatchSampler(context_of(dataset, windows), windows, views, 24, 0)(0)
    assert not any(
        np.array_equal(window[0], dataset.neural[start].ravel())
        for window, start in zip(batch.neural().numpy(), batch.rows.start.tolist(), strict=True)
    )


def test_a_neural_swap_needs_swaps_and_windows(dataset, windows, context):
    with pytest.raises(InputError, match="needs the windows"):
        NeuralSwap(context)
    with pytest.raises(InputError, match="needs a swap table"):
        NeuralSwap(augmentation_context(dataset, windows, torch.device("cpu")))


def mixed(context, windows, seed=0, **options):
    """A batch's rows, its windows before and after a mix."""
    batch = BatchSampler(context, windows, NO_VIEWS, 24, 0)(seed)
    before = batch.recorded().clone()
    return (
        batch.rows,
        before,
        NeuralMix(context, **options)(before.clone(), batch.rows, torch.Generator().manual_seed(seed)),
    )


@pytest.mark.parametrize("whose", ["others", "own"])
def test_a_mix_lies_between_a_window_and_one_of_a_near_pose(dataset, windows, whose):
    context = context_of(dataset, windows)
    rows, before, after = mixed(context, windows, probability=1.0, most=0.4, whose=whose)
    moved = 0
    for window, (animal, centre) in enumerate(zip(rows.animal.tolist(), rows.centre.tolist(), strict=True)):
        allowed = [animal] if whose == "own" else [other for other in range(3) if other != animal]
        near = context.window_starts[context.swap_targets[centre, allowed].flatten().long()].unique()
        change = (after[window] - before[window]).flatten()
        weights = []
        for start in near.tolist():
            towards = (context.neural[start : start + 16] - before[window]).flatten()
            weight = float(change @ towards / towards.square().sum().clamp(min=1e-12))
            if torch.allclose(change, weight * towards, atol=1e-5):
                weights.append(weight)
        assert weights
        assert all(-1e-6 <= weight <= 0.4 for weight in weights)
        moved += max(weights) > 1e-4
    # A pose may be its own neighbour.
    assert moved > (10 if whose == "own" else 20)


def test_a_mix_changes_its_share_of_windows(dataset, windows):
    context, changed = context_of(dataset, windows), []
    for seed in range(20):
        _, before, after = mixed(context, windows, seed, probability=0.25)
        changed += (before != after).any(2).any(1).tolist()
    assert np.mean(changed) == pytest.approx(0.25, abs=0.06)
    _, before, after = mixed(context, windows, probability=0.0)
    assert torch.equal(before, after)


def test_a_mix_needs_swaps_and_units_in_common(dataset, windows, context):
    with pytest.raises(InputError, match="augmentation neural_mix: needs the windows"):
        NeuralMix(context)
    others = context_of(dataset, windows, "others")
    with pytest.raises(InputError, match=r"swapped with itself, expected neighbors\.domains: all"):
        NeuralMix(others, whose="own")
    apart = context_of(dataset, windows)
    apart.neural[:, :3] = float("nan")
    with pytest.raises(InputError, match="their own units, expected whose: own"):
        NeuralMix(apart)
    NeuralMix(apart, whose="own")
