"""Labels: are they aligned in time with behaviour?"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset, TrialRows
from neural_action.datasets.windows import nearest
from neural_action.diagnostics.finding import Finding, name, rounded
from neural_action.diagnostics.lags import LagCurve, Pair, lag_curves, too_short, unclear
from neural_action.diagnostics.synchrony import neural_components
from neural_action.principal import principal_axes

#: Principal components of behaviour, and the time in seconds over which mean and spread are taken (our choice).
_COMPONENTS, _WINDOW_SECONDS = 8, 0.5


def check_labels(
    dataset: Dataset, settings: DiagnosticsSettings
) -> tuple[list[Finding], dict[str, LagCurve]]:
    """Lagged correlation of the labels with their prediction from behaviour, with one finding for each trial.

    Labels are annotated from behaviour, so their lag must be 0 up to ``label_tolerance``. Without behaviour, labels are
    predicted from neural activity, and a trial is only compared with the median lag of all trials.

    Returns:
        The findings, and the lag curve of each trial with at least two labels, by trial name.
    """
    if not (dataset.labels >= 0).any():
        return [Finding("labels", "all", "note", "not checked: the recordings have no labels")], {}
    trials = [trial for trial in dataset.trials if _changes(dataset.labels[trial.samples])]
    if not trials:
        message = "not checked: no trial has two labels, so the timing of labels cannot be checked"
        return [Finding("labels", "all", "note", message)], {}
    seconds = [float(np.ptp(dataset.pose_time[trial.samples])) for trial in trials]
    if short := too_short(seconds, settings.longest_lag):
        return [Finding("labels", "all", "note", short)], {}
    from_behavior = 0 not in dataset.pose_raw.shape
    if from_behavior:
        signal, source = _behavior_features(dataset), "behaviour"
        rate = 1 / float(np.median([_period(dataset.pose_time[trial.samples]) for trial in trials]))
        pairs = [Pair(trial.animal, signal[trial.samples], _onehot(dataset, trial)) for trial in trials]
    else:
        signal, source, rate = neural_components(dataset), "neural activity", dataset.neural_rate
        pairs = [Pair(trial.animal, signal[trial.frames], _at_frames(dataset, trial)) for trial in trials]
    curves = [curve for curve, _, _ in lag_curves(pairs, rate, settings.longest_lag)]
    named = {name(trial.animal, trial.name): curve for trial, curve in zip(trials, curves, strict=True)}
    return _judge(named, source, settings, expected=0.0 if from_behavior else None), named


def _judge(
    curves: dict[str, LagCurve], source: str, settings: DiagnosticsSettings, expected: float | None
) -> list[Finding]:
    clear = {trial: curve.lag for trial, curve in curves.items() if curve.clear}
    if len(clear) < max(1, settings.least_share * len(curves)):
        message = (
            f"unclear: in {len(clear)} of {len(curves)} trials labels correlate with {source} above chance"
        )
        return [Finding("labels", "all", "note", message, {"trials": len(curves)})]
    common = float(np.median(list(clear.values())))
    tolerance, findings = settings.label_tolerance, []
    if expected is not None and abs(common - expected) > tolerance:
        message = (
            f"{source} follows the labels by {common:.2f} s (median of {len(clear)} trials), expected within "
            f"{tolerance:g} s of 0: are the labels shifted?"
        )
        findings.append(Finding("labels", "all", "warning", message, {"lag": common}))
    where = common if expected is None else expected
    for trial, curve in curves.items():
        values = {"lag": rounded(curve.lag), "peak": rounded(curve.peak), "chance": rounded(curve.chance)}
        if trial not in clear:
            severity, message = unclear(curve, len(clear), len(curves), settings.clear_share)
            findings.append(Finding("labels", trial, severity, message, values))
        elif abs(curve.lag - where) > tolerance:
            message = (
                f"{source} follows the labels by {curve.lag:.2f} s, expected within {tolerance:g} s of "
                f"{where:.2f}: are this trial's labels shifted?"
            )
            findings.append(Finding("labels", trial, "warning", message, values))
        else:
            message = f"lag {curve.lag:.2f} s, correlation {curve.peak:.2f}"
            findings.append(Finding("labels", trial, "ok", message, values))
    return findings


def _changes(labels: np.ndarray) -> bool:
    return len(np.unique(labels[labels >= 0])) > 1


def _period(clock: np.ndarray) -> float:
    return float(np.median(np.diff(clock))) if len(clock) > 1 else np.nan


def _onehot(dataset: Dataset, trial: TrialRows) -> np.ndarray:
    """(sample, class) float; NaN where unlabelled."""
    labels = dataset.labels[trial.samples].astype(np.int64)
    onehot = np.eye(len(dataset.class_names))[labels]
    onehot[labels < 0] = np.nan
    return onehot


def _at_frames(dataset: Dataset, trial: TrialRows) -> np.ndarray:
    """``_onehot`` at the neural frames, by the nearest sample."""
    at = nearest(dataset.pose_time[trial.samples], dataset.neural_time[trial.frames])
    return _onehot(dataset, trial)[at]


def _behavior_features(dataset: Dataset) -> np.ndarray:
    """(sample, feature) float64: mean and log variance over half a second of leading components of each animal."""
    out = np.zeros((len(dataset.pose), 2 * _COMPONENTS))
    for animal in dataset.animals:
        own = [trial.samples for trial in dataset.trials if trial.animal == animal]
        rows = np.concatenate([np.arange(samples.start, samples.stop) for samples in own])
        values = dataset.pose_raw[rows].astype(np.float64)
        values = (values - values.mean(0)) / np.maximum(values.std(0), 1e-9)
        kept = values @ principal_axes(values.T @ values, _COMPONENTS)
        for samples, part in zip(own, np.split(kept, np.cumsum([s.stop - s.start for s in own])[:-1])):  # noqa: B905
            width = max(1, round(_WINDOW_SECONDS / _period(dataset.pose_time[samples]))) | 1
            mean = uniform_filter1d(part, width, axis=0, mode="nearest")
            spread = uniform_filter1d((part - mean) ** 2, width, axis=0, mode="nearest")
            count = part.shape[1]
            out[samples, :count] = mean
            out[samples, _COMPONENTS : _COMPONENTS + count] = np.log10(np.maximum(spread, 1e-6))
    # Features of equal variance, because the ridge has one penalty.
    return (out - out.mean(0)) / np.maximum(out.std(0), 1e-9)
