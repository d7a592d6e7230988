"""The fitted kernel against a known answer, and the kernel itself."""

import json

import numpy as np
import pytest
from generate import trial

from neural_action.calcium.fit import Segment, fit_kernel, fit_segments
from neural_action.calcium.kernel import KernelFit, configured_kernel, kernel
from neural_action.calcium.picture import draw_fit
from neural_action.calcium.rois import find_rois, traces
from neural_action.config.settings import CalciumSettings, SimulationSettings
from neural_action.errors import InputError
from neural_action.recordings.simulate.release import simulate_animal

SETTINGS = CalciumSettings(bootstrap=50, rois=20)


@pytest.mark.parametrize("decay", [0.6, 1.0, 1.8])
def test_recovers_the_decay_of_images(decay):
    fit = fit_kernel([trial(decay, seed)[:4] for seed in range(6)], SETTINGS)
    assert fit.decay == pytest.approx(decay, rel=0.15)
    assert fit.low <= fit.decay <= fit.high
    assert fit.high / fit.low < 1.6
    assert fit.source == "rest"
    assert fit.n_bouts >= 10
    np.testing.assert_allclose(fit.mean[: len(fit.mean) // 2], fit.curve[: len(fit.mean) // 2], atol=0.15)


def test_recovers_the_decay_of_units():
    trials = []
    for seed in range(6):
        movie, *rest = trial(1.0, seed)
        trials.append((traces(movie, find_rois(movie, 12)), *rest[:3]))
    assert fit_kernel(trials, SETTINGS).decay == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize("decay", [0.6, 1.8])
def test_recovers_the_decay_of_the_simulator(decay, tmp_path):
    changes = {"decay": decay, "side": 24, "animals": 4}
    settings = SimulationSettings(preset="default", overrides=changes)
    trials = []
    for animal in range(4):
        simulate_animal(settings, animal, tmp_path / str(animal))
        for folder in sorted((tmp_path / str(animal)).iterdir()):
            movie = np.fromfile(folder / "2p_dff.mm", np.float32).reshape(-1, 24, 24)
            pose = np.fromfile(folder / "pose_result.mm", np.float32).reshape(-1, 76)
            trials.append((movie, np.arange(len(movie)) / 16, pose, np.arange(len(pose)) / 100))
    assert fit_kernel(trials, SETTINGS).decay == pytest.approx(decay, rel=0.15)


def test_fit_is_the_most_likely_decay():
    """The closed form against numpy's least squares of each trace, over a fine search of decays."""
    rng = np.random.default_rng(0)
    time = 0.3 + np.arange(40) / 16
    parts = [
        Segment(
            0, time, 2 + rng.uniform(1, 3, 4) * np.exp(-time / 0.9)[:, None] + 0.05 * rng.normal(size=(40, 4))
        )
        for _ in range(4)
    ]

    def unexplained(decay):
        design = np.stack([np.exp(-time / decay), np.ones(40)], axis=1)
        return sum(
            40 * np.log(np.linalg.lstsq(design, part.values[:, roi], rcond=None)[1][0])
            for part in parts
            for roi in range(4)
        )

    decays = np.linspace(0.7, 1.2, 501)
    best = decays[np.argmin([unexplained(decay) for decay in decays])]
    assert fit_segments(parts, SETTINGS).decay == pytest.approx(best, abs=0.002)


def test_too_little_rest_says_what_to_configure():
    movie, time, pose, pose_time, _ = trial(1.0, 0)
    still = np.zeros_like(pose)
    always = pose + np.sin(30 * pose_time)[:, None]
    for behavior in (still, always.astype(np.float32)):
        with pytest.raises(InputError, match=r"set calcium\.decay"):
            fit_kernel([(movie, time, behavior, pose_time)], SETTINGS)
    with pytest.raises(InputError, match=r"set calcium\.decay"):
        fit_kernel([], SETTINGS)


def test_constant_and_missing_traces_are_left_out():
    _, time, pose, pose_time, _ = trial(1.0, 0)
    empty = np.full((len(time), 3), np.nan, np.float32)
    empty[:, 1:] = 1
    with pytest.raises(InputError, match=r"calcium\.decay"):
        fit_kernel([(empty, time, pose, pose_time)], SETTINGS)


def test_kernel_is_a_difference_of_exponentials():
    t = np.arange(40) / 16
    np.testing.assert_allclose(kernel(1.2, None, 16, 40), np.exp(-t / 1.2), rtol=1e-6)
    fine = kernel(1.2, 0.1, 1000, 5000)
    assert fine.dtype == np.float32
    assert fine[0] == 0
    assert fine.max() == pytest.approx(1, abs=1e-4)
    shape = np.exp(-np.arange(5000) / 1200) - np.exp(-np.arange(5000) / 100)
    np.testing.assert_allclose(fine, shape / shape.max(), atol=1e-4)
    for rise in (1.2, 2.0, -0.1):
        with pytest.raises(InputError, match=r"calcium\.rise"):
            kernel(1.2, rise, 16, 40)


def test_configured_kernel():
    fit = configured_kernel(CalciumSettings(decay=0.8, rise=0.1))
    assert (fit.source, fit.decay, fit.rise) == ("configured", 0.8, 0.1)
    np.testing.assert_array_equal(fit.response(16.0, 32), kernel(0.8, 0.1, 16.0, 32))
    with pytest.raises(InputError, match=r"calcium\.decay"):
        configured_kernel(CalciumSettings())


def test_save_load_and_picture(tmp_path):
    rng = np.random.default_rng(1)
    time = 0.3 + np.arange(30) / 16
    fall = np.exp(-time / 0.7)[:, None]
    parts = [Segment(0, time, fall + 0.05 * rng.normal(size=(30, 3))) for _ in range(5)]
    for fit in (fit_segments(parts, SETTINGS), configured_kernel(CalciumSettings(decay=0.8))):
        fit.save(tmp_path / "kernel.json")
        assert KernelFit.load(tmp_path / "kernel.json") == fit
        draw_fit(fit).savefig(tmp_path / "kernel.png")
        assert (tmp_path / "kernel.png").stat().st_size > 5000
    for content in ("", "{}", json.dumps({"decay": -1}), json.dumps({"decay": 1, "other": 2})):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(InputError, match=r"bad\.json"):
            KernelFit.load(tmp_path / "bad.json")
