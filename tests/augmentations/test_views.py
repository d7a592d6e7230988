"""Views against slow loops written from the equations."""

import dataclasses

import numpy as np
import pytest
import torch

from neural_action.augmentations.augmentation import WindowRows
from neural_action.augmentations.calcium import Calcium
from neural_action.augmentations.intensity import Intensity
from neural_action.augmentations.noise import Noise
from neural_action.augmentations.pose_noise import PoseNoise
from neural_action.augmentations.swap import Swap
from neural_action.errors import InputError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def rows():
    start = torch.tensor([0, 5, 32, 40, 50, 72])
    pose = torch.arange(6)[:, None] * 10 + torch.arange(4)
    return WindowRows(start, pose, (start >= 40).long())


def windows_of(context, rows):
    return torch.stack([context.neural[s : s + context.frames] for s in rows.start.tolist()])


def test_calcium_is_n_plus_kernel_times_one_frame(context, rows):
    view = Calcium(context, probability=1.0, amplitude=0.7)
    before = windows_of(context, rows)
    drawn = view.draw(rows, generator(3))
    state = generator(3)
    torch.rand(len(before), generator=state)  # the view first draws which windows change
    after = view(before.clone(), rows, generator(3))
    frame = view.draw(rows, state)
    for b in range(len(before)):
        for t in range(context.frames):
            expected = before[b, t] + 0.7 * np.exp(-t / 4.0) * context.neural[frame[b]]
            assert torch.allclose(after[b, t], expected, atol=1e-6)
    assert drawn.shape == (6,)


def test_calcium_frames_come_from_the_same_animal_outside_the_window(context, rows):
    view, state = Calcium(context, probability=1.0), generator(1)
    seen = [set() for _ in range(len(rows.start))]
    for _ in range(600):
        for k, frame in enumerate(view.draw(rows, state).tolist()):
            seen[k].add(frame)
    for k, start in enumerate(rows.start.tolist()):
        own = set(range(0, 40)) if start < 40 else set(range(40, 80))
        assert seen[k] == own - set(range(start, start + context.frames))


def test_calcium_never_takes_a_hidden_frame(context, rows):
    hidden = dataclasses.replace(context, animal_frames=(torch.arange(0, 40), torch.arange(40, 80)[::1][:36]))
    view, state = Calcium(hidden, probability=1.0), generator(1)
    inside = WindowRows(rows.start[:5], rows.pose[:5], rows.animal[:5])
    assert max(int(view.draw(inside, state).max()) for _ in range(200)) < 76


def test_calcium_leaves_windows_alone_at_probability_zero(context, rows):
    before = windows_of(context, rows)
    assert torch.equal(Calcium(context, probability=0.0)(before.clone(), rows, generator()), before)


def test_swapped_poses_are_pre_drawn_neighbours_of_a_uniform_animal(context, rows):
    view = Swap(context, probability=1.0)
    values = context.pose[rows.pose]
    counts = np.zeros(2)
    for seed in range(200):
        swapped = view(values, rows, generator(seed))
        for b in range(len(values)):
            for k in range(values.shape[1]):
                targets = context.swap_targets[rows.pose[b, k]]
                hits = [
                    (context.pose[targets[d].long()] == swapped[b, k]).all(1).any().item() for d in range(2)
                ]
                assert any(hits)
                counts[int(np.argmax(hits))] += 1
    assert abs(counts[0] / counts.sum() - 0.5) < 0.03


def test_swap_probability_and_domains(context, rows):
    others = dataclasses.replace(context, swap_domains=~torch.eye(2, dtype=torch.bool))
    values = context.pose[rows.pose]
    assert torch.equal(Swap(context, probability=0.0)(values, rows, generator()), values)
    changed = np.mean(
        [
            (Swap(context, probability=0.3)(values, rows, generator(s)) != values).any(2).float().mean()
            for s in range(300)
        ]
    )
    assert abs(changed - 0.3) < 0.02
    for seed in range(50):
        swapped = Swap(others, probability=1.0)(values, rows, generator(seed))
        for b in range(len(values)):
            other = 1 - int(rows.animal[b])
            for k in range(values.shape[1]):
                allowed = context.pose[context.swap_targets[rows.pose[b, k], other].long()]
                assert (allowed == swapped[b, k]).all(1).any()


def test_swap_needs_a_table(context):
    with pytest.raises(InputError, match="needs a swap table"):
        Swap(dataclasses.replace(context, swap_targets=None))


def test_noise_has_its_size_and_differs_between_windows(context, rows):
    values = torch.zeros(400, 8, 5)
    out = Noise(context, sd=0.5)(values, rows, generator())
    assert abs(out.std().item() - 0.5) < 0.02
    assert not torch.equal(out[0], out[1])


def test_intensity_is_one_line_a_window(context, rows):
    before = windows_of(context, rows)
    after = Intensity(context, contrast=0.3, brightness=0.2)(before.clone(), rows, generator(1))
    for b in range(len(before)):
        slope, offset = np.polyfit(before[b].ravel().numpy(), after[b].ravel().numpy(), 1)
        assert np.allclose(slope * before[b].numpy() + offset, after[b].numpy(), atol=1e-5)
        assert np.exp(-0.3) <= slope <= np.exp(0.3)
        assert abs(offset) <= 0.2 + 1e-6


def test_pose_noise_keeps_the_input_and_has_its_size(context, rows):
    values = torch.ones(500, 4, 3)
    out = PoseNoise(context, sd=0.2, scale=0.0)(values, rows, generator())
    assert torch.equal(values, torch.ones(500, 4, 3))
    assert abs((out - 1).std().item() - 0.2) < 0.01
