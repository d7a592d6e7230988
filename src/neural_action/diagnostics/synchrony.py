"""Clocks: are neural activity and movement aligned in time in every trial?

Neural activity follows movement by the delay of the calcium signal, or leads it slightly, by the same lag in all
trials. The error of a clock differs between trials, or grows along a trial.
"""

from __future__ import annotations

import numpy as np

from neural_action.calcium.rest import motion_energy
from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset, TrialRows
from neural_action.diagnostics.finding import Finding, name, rounded
from neural_action.diagnostics.lags import LagCurve, Pair, apart, lag_curves, too_short, unclear
from neural_action.principal import principal_axes

#: Number of blocks that pixels are averaged to (about), and number of principal components (our choice).
_FEATURES, _COMPONENTS = 256, 8

Curves = dict[str, tuple[LagCurve, LagCurve, LagCurve]]


def check_synchrony(
    dataset: Dataset, settings: DiagnosticsSettings, behavior: str = "positions"
) -> tuple[list[Finding], Curves]:
    """Lagged correlation of motion energy with its prediction from neural activity, with one finding for each trial.

    Trials with a clear peak are compared with the median of their lags, and the first half of a trial with its second
    half. The median lag is compared with the range that physiology allows (``expected_lag``). The energy is on a
    logarithmic scale, because movements differ by orders of magnitude (our choice).

    Args:
        dataset: a dataset with neural data.
        settings: lags and tolerances.
        behavior: whether behaviour holds ``positions`` or ``velocities``.

    Returns:
        The findings, and the lag curves of each trial and of its halves, by trial name.
    """
    if 0 in dataset.pose_raw.shape or not len(dataset.neural):
        missing = "behaviour" if 0 in dataset.pose_raw.shape else "neural activity"
        return [Finding("synchrony", "all", "note", f"not checked: the recordings have no {missing}")], {}
    seconds = [float(np.ptp(dataset.neural_time[trial.frames])) for trial in dataset.trials]
    if short := too_short(seconds, settings.longest_lag):
        return [Finding("synchrony", "all", "note", short)], {}
    components = neural_components(dataset)
    pairs = [
        Pair(trial.animal, components[trial.frames], _energy(dataset, trial, behavior))
        for trial in dataset.trials
    ]
    curves = lag_curves(pairs, dataset.neural_rate, settings.longest_lag)
    named = {name(trial.animal, trial.name): part for trial, part in zip(dataset.trials, curves, strict=True)}
    return judge(named, dataset, settings), named


def judge(curves: Curves, dataset: Dataset, settings: DiagnosticsSettings) -> list[Finding]:
    """The findings from lag curves."""
    seconds = {
        name(trial.animal, trial.name): float(np.ptp(dataset.neural_time[trial.frames]))
        for trial in dataset.trials
    }
    clear = {trial: whole.lag for trial, (whole, _, _) in curves.items() if whole.clear}
    if len(clear) < max(1, settings.least_share * len(curves)):
        message = (
            f"unclear: in {len(clear)} of {len(curves)} trials neural activity predicts motion energy above chance, at "
            f"a lag of less than {settings.longest_lag:g} s"
        )
        return [Finding("synchrony", "all", "note", message, {"trials": len(curves)})]
    common = float(np.median(list(clear.values())))
    low, high = settings.expected_lag
    findings = []
    if not low <= common <= high:
        message = (
            f"neural activity follows movement by {common:.2f} s (median of {len(clear)} trials), expected "
            f"{low:g} to {high:g} s: is one clock shifted, or are the two swapped?"
        )
        findings.append(Finding("synchrony", "all", "warning", message, {"lag": common}))
    for trial, (whole, first, second) in curves.items():
        values = {"lag": rounded(whole.lag), "peak": rounded(whole.peak), "chance": rounded(whole.chance)}
        if trial not in clear:
            severity, message = unclear(whole, len(clear), len(curves), settings.clear_share)
            findings.append(Finding("synchrony", trial, severity, message, values))
            continue
        severity, message = "ok", f"lag {whole.lag:.2f} s, correlation {whole.peak:.2f}"
        if first.clear and second.clear:
            # The centres of the halves are half a trial apart.
            drift = second.lag - first.lag
            values |= {"drift": drift, "drift_per_minute": 60 * drift / max(1e-9, seconds[trial] / 2)}
            limits = settings.lag_tolerance, settings.lag_drop
            if apart(first, second.lag, *limits) and apart(second, first.lag, *limits):
                severity = "warning"
                message = (
                    f"lag {first.lag:.2f} s in the first half and {second.lag:.2f} s in the second, expected a "
                    f"difference of at most {settings.lag_tolerance:g} s: do the clocks drift?"
                )
        if apart(whole, common, settings.lag_tolerance, settings.lag_drop):
            severity = "warning"
            message = (
                f"lag {whole.lag:.2f} s, expected within {settings.lag_tolerance:g} s of the median {common:.2f} s of "
                "all trials: is a clock of this trial shifted?"
            )
        findings.append(Finding("synchrony", trial, severity, message, values))
    return findings


def neural_components(dataset: Dataset) -> np.ndarray:
    """(frame, component) float64: leading principal components of each animal's frames, centred for each trial."""
    out = np.zeros((len(dataset.neural), _COMPONENTS))
    for animal in dataset.animals:
        own = [trial.frames for trial in dataset.trials if trial.animal == animal]
        rows = np.concatenate([np.arange(frames.start, frames.stop) for frames in own])
        parts = [_pooled(dataset.neural[frames]) for frames in own]
        centred = np.concatenate([part - part.mean(0) for part in parts])
        kept = centred @ principal_axes(centred.T @ centred, _COMPONENTS)
        out[rows, : kept.shape[1]] = kept
    return out


def _pooled(neural: np.ndarray) -> np.ndarray:
    """(frame, feature) float32: pixels averaged over blocks; traces of units unchanged."""
    if neural.ndim == 3:
        _, height, width = neural.shape
        side = max(1, int(np.ceil(np.sqrt(height * width / _FEATURES))))
        y, x = height // side * side, width // side * side
        if y and x:
            blocks = neural[:, :y, :x].reshape(len(neural), y // side, side, x // side, side)
            neural = blocks.mean((2, 4), dtype=np.float32)
    return np.nan_to_num(neural.reshape(len(neural), -1), nan=0.0, posinf=0.0, neginf=0.0)


def _energy(dataset: Dataset, trial: TrialRows, behavior: str) -> np.ndarray:
    """(frame, 1) logarithm of the motion energy at the neural frames; NaN outside the behaviour."""
    clock = dataset.pose_time[trial.samples]
    frames = dataset.neural_time[trial.frames]
    energy = motion_energy(dataset.pose_raw[trial.samples], clock, behavior)
    known = np.isfinite(energy)
    if known.sum() < 2:
        return np.full((len(frames), 1), np.nan)
    moving = energy[known & (energy > 0)]
    # The lowest percentile is noise, and no movement has no logarithm.
    floor = float(np.quantile(moving, 0.01)) if len(moving) else 1.0
    logs = np.log10(np.maximum(energy[known], floor))
    return np.interp(frames, clock[known], logs, left=np.nan, right=np.nan)[:, None]
