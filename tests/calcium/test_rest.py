"""Rest and regions, found without labels."""

import numpy as np
from generate import trial

from neural_action.calcium.rest import motion_energy, rest_bouts, rest_threshold
from neural_action.calcium.rois import find_rois, traces


def test_rest_is_found_without_labels():
    _, _, pose, time, moving = trial(1.0, 0)
    energy = motion_energy(pose, time)
    rest = energy <= rest_threshold(energy)
    assert np.mean(~moving[rest]) > 0.98
    assert np.mean(rest[~moving]) > 0.9


def test_velocities_are_taken_as_they_are():
    """A fly that turns at a constant speed moves, though its velocity does not change."""
    time = np.arange(1000) / 100
    velocity = np.where(time < 5, 2.0, 0.0)[:, None]
    energy = motion_energy(velocity, time, "velocities")
    assert np.allclose(energy[:480], 4)
    assert np.allclose(energy[520:], 0)
    assert 0 <= rest_threshold(np.tile(energy, 2)) < 4


def test_one_mode_has_no_threshold():
    assert rest_threshold(np.random.default_rng(0).lognormal(size=20_000)) is None
    assert rest_threshold(np.zeros(100)) is None
    assert rest_threshold(np.full(100, np.nan)) is None


def test_missing_poses_are_not_rest():
    _, _, pose, time, _ = trial(1.0, 0)
    pose[100:105] = np.nan
    energy = motion_energy(pose, time)
    assert np.isnan(energy[100:105]).all()
    assert np.isfinite(energy[130:]).all()
    assert all(stop <= 100 or start >= 105 for start, stop in rest_bouts(energy, time, 0.5, 1e9))


def test_bouts_are_long_enough_and_never_bridge_a_gap():
    time = np.arange(1000) / 100
    energy = np.ones(1000)
    energy[100:300] = energy[400:450] = energy[500:1000] = 0
    assert rest_bouts(energy, time, 1.0, 0.5) == [(100, 300), (500, 1000)]
    time[700:] += 3
    assert rest_bouts(energy, time, 1.0, 0.5) == [(100, 300), (500, 700), (700, 1000)]


def test_regions_are_where_the_signal_is():
    rng = np.random.default_rng(0)
    movie = rng.normal(size=(600, 20, 24)).astype(np.float32)
    signal = np.convolve(rng.normal(size=(640)), np.exp(-np.arange(41) / 10), "valid")[:600]
    movie[:, 4:7, 4:7] += signal[:, None, None]
    movie[:, 14:17, 18:21] -= signal[::-1, None, None]
    rois = find_rois(movie, 2)
    centers = {tuple(np.round(np.argwhere(roi).mean(0)).astype(int)) for roi in rois}
    assert centers == {(5, 5), (15, 19)}
    np.testing.assert_allclose(rois.sum((1, 2)), 1, rtol=1e-6)
    np.testing.assert_allclose(traces(movie, rois), np.tensordot(movie, rois, ((1, 2), (1, 2))), atol=1e-5)
    assert len(find_rois(np.ones((50, 8, 8), np.float32), 5)) == 0
