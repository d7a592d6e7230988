"""Neural frames at another rate: a known signal, no aliasing, gaps and trials kept apart, lazily."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy.signal import resample_poly

from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.recordings.convert import apply_steps
from neural_action.recordings.recording import Recording
from neural_action.recordings.resample import at_rate, resampled
from neural_action.recordings.streams import rate_of, same_rate


def recording(rate, signal, seconds=60.0, start=0.0, kept=None, segment=None):
    """``signal`` of time, at the middle of each frame, as two units; behaviour at 20 /s."""
    time = start + np.arange(round(seconds * rate)) / rate
    time = time if kept is None else time[kept(time)]
    values = signal(time + 0.5 / rate)
    samples = start + np.arange(round(20 * seconds)) / 20
    index = np.maximum(np.searchsorted(time, samples + 1e-9, "right") - 1, 0)
    return Recording(
        "a", "1", da.from_array(np.stack([values, 2 * values], 1).astype(np.float32), chunks=(97, 2)), time,
        np.zeros((len(samples), 2), np.float32), samples, np.zeros(len(samples), np.int8), index.astype(np.int32),
        ("x",), ("p", "q"), rate, 20.0, {"neural": "dF/F"},
        segment=None if segment is None else segment(time),
        segment_names=() if segment is None else ("s1", "s2"),
    )  # fmt: skip


def slow(time):
    return np.sin(2 * np.pi * 0.7 * time)


@pytest.mark.parametrize(
    ("recorded", "rate"), [(15.5, 10.0), (30.03, 10.0), (10.0, 15.5), (7.3, 7.0), (100.0, 2.0)]
)
def test_a_slow_signal_comes_back_at_the_times_of_the_new_frames(recorded, rate):
    new = resampled(recording(recorded, slow, start=5.0), rate, None, "here").check("here")
    assert new.neural_rate == rate
    np.testing.assert_allclose(np.diff(new.neural_time), 1 / rate)
    middle = slow(new.neural_time + 0.5 / rate)
    inside = slice(12, -12)
    tolerance = 0.05 if rate > 2 else 0.6  # 0.7 /s is close to half of 2 /s
    np.testing.assert_allclose(new.neural[inside, 0], middle[inside], atol=tolerance)
    np.testing.assert_allclose(new.neural[:, 1], 2 * np.asarray(new.neural[:, 0]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(new.neural_time[new.neural_index], new.behavior_time, atol=1.5 / rate)


def test_what_is_faster_than_half_of_the_new_rate_is_gone():
    fast = resampled(recording(30.0, lambda time: np.sin(2 * np.pi * 11 * time)), 10.0, None, "here")
    assert np.abs(np.asarray(fast.neural)[12:-12, 0]).max() < 0.02
    assert (
        np.abs(np.asarray(recording(30.0, lambda time: np.sin(2 * np.pi * 11 * time)).neural[::3])).max()
        > 0.5
    )


def test_a_constant_stays_one_up_to_the_ends():
    new = resampled(recording(30.0, lambda time: np.full(len(time), 3.0)), 7.0, None, "here")
    np.testing.assert_allclose(new.neural[:, 0], 3, rtol=1e-5)


def test_nothing_is_averaged_over_a_gap_or_over_two_trials():
    def step(time):
        return np.where(time < 30, 0.0, 5.0)

    gap = resampled(
        recording(30.0, step, kept=lambda time: (time < 28) | (time >= 32)), 10.0, None, "here"
    ).check("here")
    values = np.asarray(gap.neural)[:, 0]
    np.testing.assert_allclose(values, np.where(gap.neural_time < 30, 0, 5), atol=1e-5)
    assert np.diff(gap.neural_time).max() > 3.9
    assert not ((gap.behavior_time > 28.2) & (gap.behavior_time < 31.9)).any()
    two = resampled(
        recording(30.0, step, segment=lambda time: (time >= 30 - 1e-9).astype(np.int32)), 10.0, None, "here"
    ).check("here")
    np.testing.assert_allclose(np.asarray(two.neural)[:, 0], 5 * two.segment, atol=1e-5)


def test_the_same_rate_is_left_as_it_is_and_what_is_too_short_is_one_line():
    same = recording(10.0, slow)
    assert resampled(same, 10.0, None, "here") is same
    assert same_rate(30.0, 30.03)
    assert not same_rate(30.0, 31.0)
    with pytest.raises(InputError, match=r"here: convert\.neural_rate 0\.01: no frame of 100 s"):
        resampled(same, 0.01, None, "here")


def behaviour(rate, signal, seconds=60.0, kept=None, segment=None):
    """Frames at 10 /s, and ``signal`` of time as a keypoint; labels: 1 from 30 s on."""
    frames = np.arange(round(seconds * 10)) / 10
    time = np.arange(round(seconds * rate)) / rate
    time = time if kept is None else time[kept(time)]
    points = np.stack([signal(time), 2 * signal(time)], 1)[:, None].astype(np.float32)
    return Recording(
        "a", "1", np.zeros((len(frames), 2), np.float32), frames, points, time, (time >= 30).astype(np.int8),
        (time * 10 + 1e-6).astype(np.int32), ("x", "y"), ("nose",), 10.0, rate, {"neural": "dF/F"},
        segment=None if segment is None else segment(frames),
        segment_names=() if segment is None else ("s1", "s2"),
    )  # fmt: skip


@pytest.mark.parametrize(("recorded", "rate"), [(30.0, 20.0), (100.0, 20.0), (25.0, 30.0), (1000.0, 25.0)])
def test_behaviour_comes_back_at_its_own_moments_with_the_nearest_label(recorded, rate):
    new = resampled(behaviour(recorded, slow), None, rate, "here").check("here")
    assert (new.behavior_rate, new.behavior.shape[1:], new.neural_rate) == (rate, (1, 2), 10.0)
    np.testing.assert_allclose(np.diff(new.behavior_time), 1 / rate)
    np.testing.assert_allclose(new.behavior[12:-12, 0, 0], slow(new.behavior_time[12:-12]), atol=0.03)
    far = np.abs(new.behavior_time - 30) > 1 / rate
    np.testing.assert_array_equal(new.labels[far], (new.behavior_time >= 30)[far])
    np.testing.assert_array_equal(new.neural_index, (new.behavior_time * 10 + 1e-6).astype(int))


def test_fast_movement_does_not_turn_into_slow_movement():
    fast = behaviour(100.0, lambda time: np.sin(2 * np.pi * 19 * time))
    assert np.abs(resampled(fast, None, 20.0, "here").behavior[12:-12]).max() < 0.02
    assert np.abs(fast.behavior[::5]).max() > 0.5


def test_no_pose_is_a_mean_over_a_gap_or_over_two_trials():
    def step(time):
        return np.where(time < 30, 0.0, 5.0)

    gap = behaviour(100.0, step, kept=lambda time: (time < 28) | (time >= 32))
    new = resampled(gap, None, 30.0, "here").check("here")
    np.testing.assert_allclose(new.behavior[:, 0, 0], np.where(new.behavior_time < 30, 0, 5), atol=1e-5)
    assert np.diff(new.behavior_time).max() > 3.9
    two = behaviour(100.0, step, segment=lambda time: (time >= 30 - 1e-9).astype(np.int32))
    both = resampled(two, 5.0, 30.0, "here").check("here")
    np.testing.assert_allclose(both.behavior[:, 0, 0], 5 * both.segment[both.neural_index], atol=1e-5)
    assert (both.neural_rate, len(both.neural)) == (5.0, 300)


def test_recordings_without_behaviour_values_keep_their_labels():
    one = behaviour(30.0, slow)
    empty = Recording(**{**vars(one), "behavior": np.empty((len(one.behavior), 0)), "behavior_names": ()})
    new = resampled(empty, None, 10.0, "here").check("here")
    assert (new.behavior.shape, new.labels.sum()) == ((600, 0), 300)


def test_a_single_sample_between_gaps_stays():
    one = behaviour(30.0, slow, kept=lambda time: (time < 28) | (np.abs(time - 30) < 0.01) | (time >= 32))
    new = resampled(one, None, 20.0, "here").check("here")
    assert slow(30.0) == pytest.approx(
        float(new.behavior[np.argmin(np.abs(new.behavior_time - 30)), 0, 0]), abs=0.01
    )


def test_the_rate_of_a_clock_is_its_mean_step_without_gaps():
    assert rate_of(np.round(np.arange(600) / 30, 3)) == pytest.approx(30, rel=1e-3)
    assert rate_of(np.round(np.r_[0:300, 900:1200] / 60, 3)) == pytest.approx(60, rel=1e-3)
    assert (rate_of(np.array([1.0])), rate_of(np.arange(4.0))) == (0, 1)


def test_images_are_resampled_a_block_at_a_time():
    one = recording(30.0, slow, seconds=4)
    values = np.asarray(one.neural)[:, 0]
    images = da.from_array(np.tile(values[:, None, None], (1, 600, 600)), chunks=(5, 600, 600))
    many = resampled(Recording(**{**vars(one), "neural": images}), 10.0, None, "here")
    assert many.neural.numblocks[0] > 4
    np.testing.assert_allclose(
        many.neural[:, 3, 4], resampled(one, 10.0, None, "here").neural[:, 0], atol=1e-6
    )


def test_the_step_comes_before_statistics_of_the_trial():
    settings = ConvertSettings.model_validate(
        {"reader": "paired", "neural_rate": 10.0, "scale": {"low": 0.0, "high": 100.0}}
    )
    noisy = recording(30.0, lambda time: slow(time) + 5 * np.sin(2 * np.pi * 12 * time))
    out = np.asarray(apply_steps(settings, noisy).neural)[:, 0]
    assert (out.min(), out.max()) == (0, 1)
    middle = slow(np.arange(600) / 10 + 0.05)
    assert np.corrcoef(out[12:588], middle[12:588])[0, 1] > 0.99


@pytest.mark.parametrize(("up", "down"), [(1, 3), (2, 3), (3, 2)])
def test_on_an_even_clock_it_is_the_filter_of_scipy(up, down):
    values = np.random.default_rng(0).standard_normal((600, 2))
    new, times, _ = at_rate(values, np.arange(600) / 30, 30 * up / down, moments=True)
    expected = resample_poly(values, up, down, axis=0)[: len(times)]
    inside = slice(40, -40)
    np.testing.assert_allclose(np.asarray(new)[inside], expected[inside], atol=2e-3)
