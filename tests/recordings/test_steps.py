"""The explicit steps."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings import steps
from neural_action.recordings.steps import linear_map, normalise, resize, root_relative, sampled_frames


def lazy(array: np.ndarray, rows: int = 7) -> da.Array:
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


def run(array: np.ndarray, dff=None, scale=None, dtype="float32") -> np.ndarray:
    few = np.asarray(sampled_frames(lazy(array)), np.float32)
    return np.asarray(normalise(lazy(array), few, dff, scale, dtype))


@pytest.fixture
def movie() -> np.ndarray:
    return (5 + np.random.default_rng(0).random((30, 4, 6))).astype(np.float32)


def test_dff_is_relative_to_each_pixels_percentile(movie):
    base = np.percentile(movie, 10, axis=0)
    np.testing.assert_allclose(run(movie, dff=10.0), (movie - base) / base, atol=1e-5)


def test_scaling_maps_percentiles_to_0_and_1_and_windows(movie):
    low, high = np.percentile(movie, (5, 90))
    scaled = run(movie, scale=(5.0, 90.0))
    np.testing.assert_allclose(scaled, np.clip((movie - low) / (high - low), 0, 1), atol=1e-5)
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_both_steps_are_one_map_of_the_two(movie):
    both = run(movie, dff=10.0, scale=(1.0, 99.0))
    np.testing.assert_allclose(both, run(run(movie, dff=10.0), scale=(1.0, 99.0)), atol=1e-4)


def test_a_unit_is_scaled_by_itself_whatever_the_others_are(movie):
    traces = movie.reshape(30, -1)
    base = np.percentile(traces, 10, axis=0)
    dff = (traces - base) / base
    low, high = np.percentile(dff, (1, 99), axis=0)
    scaled = run(traces, 10.0, (1.0, 99.0))
    np.testing.assert_allclose(scaled, np.clip((dff - low) / (high - low), 0, 1), atol=1e-4)
    together = np.asarray(normalise(lazy(traces), traces, 10.0, (1.0, 99.0), "float32", per_unit=False))
    low, high = np.percentile(dff, (1, 99))
    np.testing.assert_allclose(together, np.clip((dff - low) / (high - low), 0, 1), atol=1e-4)
    # Neuropil subtracted to below zero, as of a cell that is brighter around than inside.
    traces[:, 3] = traces[:, 3] * 1e-4 - 1e-3
    bad = run(traces, 10.0, (1.0, 99.0))
    np.testing.assert_array_equal(np.delete(bad, 3, 1), np.delete(scaled, 3, 1))
    assert bad.std(0).min() > 0.2


def test_the_least_baseline_of_a_unit_is_in_proportion_to_it(movie):
    traces = movie.reshape(30, -1)
    traces[:, 3] -= traces[:, 3].mean()
    own = np.abs(traces[:, 3]).mean()
    assert steps.least_baseline(traces)[3] == pytest.approx(steps.LEAST_UNIT * own)
    # Of a unit a thousand times as bright, dF/F is the same.
    brighter = run(traces * np.float32(1000), dff=10.0)
    np.testing.assert_allclose(brighter, run(traces, dff=10.0), atol=2e-2, rtol=1e-3)
    assert np.abs(brighter).max() < 100


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_dark_and_constant_pixels_stay_finite(movie, value, dtype):
    movie[:, 1, 2] = value
    movie[3, 0, 0] = 0
    movie[5:, 2, 2] = 0
    out = run(movie, dff=10.0, dtype=dtype)
    assert out.dtype == dtype
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 200
    assert np.ptp(out[:, 1, 2]) == 0


def test_a_constant_recording_stays_finite():
    for value in (0.0, 2.0):
        out = run(np.full((10, 2, 2), value, np.float32), 10.0, (0.5, 99.5))
        assert np.isfinite(out).all()
        assert np.ptp(out) == 0


def test_values_too_large_for_float16_are_refused(movie):
    with pytest.raises(InputError, match=r"float16 cannot hold 7.*expected float32, or set convert.scale"):
        run(movie * 1e4 + 2e4, dtype="float16")


def test_percentiles_in_the_wrong_order_are_refused(movie):
    with pytest.raises(InputError, match="low 90 and high 10"):
        linear_map(movie, None, (90.0, 10.0))


def test_sampled_frames_are_evenly_spaced_and_bounded(movie, monkeypatch):
    assert sampled_frames(lazy(movie)).shape == movie.shape
    monkeypatch.setattr(steps, "SAMPLED_FRAMES", 11)
    np.testing.assert_array_equal(sampled_frames(lazy(movie)), movie[::3])
    monkeypatch.setattr(steps, "SAMPLED_BYTES", 4 * 24 * 2)
    np.testing.assert_array_equal(sampled_frames(lazy(movie)), movie[::15])
    monkeypatch.setattr(steps, "SAMPLED_BYTES", 1)
    np.testing.assert_array_equal(sampled_frames(lazy(movie)), movie[:1])
    monkeypatch.setattr(steps, "SAMPLED_BYTES", 64 << 20)
    monkeypatch.setattr(steps, "SAMPLED_TRACES", 15)
    np.testing.assert_array_equal(sampled_frames(lazy(movie[:, 0])), movie[::2, 0])


def test_resize_is_a_block_mean(movie):
    out = resize(lazy(movie), 3)
    assert (out.shape, out.dtype) == ((30, 2, 3), np.float32)
    expected = [[movie[:, y : y + 2, x : x + 2].mean((1, 2)) for x in (0, 2, 4)] for y in (0, 2)]
    np.testing.assert_allclose(np.asarray(out), np.moveaxis(np.array(expected), 2, 0), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(resize(lazy(movie), 6)), movie)


def test_resize_names_the_sides_that_are_possible(movie):
    for side in (1, 2, 4, 5, 12):
        with pytest.raises(
            InputError, match=rf"convert\.resize: {side} for images of 4 x 6, expected one of \[3, 6\]"
        ):
            resize(lazy(movie), side)
    with pytest.raises(InputError, match="expected null for traces"):
        resize(lazy(movie.reshape(30, -1)), 3)


def test_root_of_each_side_of_the_fly_is_its_thorax():
    pose = np.random.default_rng(0).standard_normal((5, 38, 2)).astype(np.float32)
    out = root_relative(pose)
    for first in (0, 19):
        np.testing.assert_allclose(out[:, [first, first + 5, first + 10]].mean(1), 0, atol=1e-6)
        np.testing.assert_allclose(
            out[:, first + 3] - out[:, first + 7], pose[:, first + 3] - pose[:, first + 7], atol=1e-5
        )
    moved = pose.copy()
    moved[:, 19:] += 100
    np.testing.assert_allclose(root_relative(moved), out, atol=1e-4)


def test_root_of_another_skeleton_is_its_centroid():
    pose = np.random.default_rng(0).standard_normal((5, 7, 3))
    np.testing.assert_allclose(root_relative(pose).mean(1), 0, atol=1e-12)
    with pytest.raises(InputError, match="root_relative: behaviour has shape"):
        root_relative(pose[:, :, 0])


def test_bytes_hold_zero_to_one_in_255_steps(movie):
    scaled = run(movie, scale=(0.5, 99.5))
    out = run(movie, scale=(0.5, 99.5), dtype="uint8")
    assert out.dtype == np.uint8
    assert np.abs(out / 255 - scaled).max() <= 0.5 / 255 + 1e-6
    with pytest.raises(InputError, match=r"convert\.dtype: uint8 holds 0 to 1, found"):
        run(movie + 2, dtype="uint8")
