"""Features of raw bins without labels and networks: baselines with the same information as trained rows."""

from __future__ import annotations

import numpy as np

from neural_action.config.evaluation_settings import FeatureSettings
from neural_action.datasets.runs import blocks, run_ends
from neural_action.evaluation.discriminant import trial_discriminant
from neural_action.evaluation.scaling import Standard
from neural_action.principal import principal_axes


def raw_features(
    settings: FeatureSettings, bins: np.ndarray, trial: np.ndarray, visible: np.ndarray
) -> dict[str, np.ndarray]:
    """Candidate features by name, each (bin, feature) float32; validation chooses among them.

    Args:
        settings: the kind of features and its parameters.
        bins: (bin, unit) rates or counts in the order of time.
        trial: (bin,) int, trial id of each bin (or of a block of a split); features of a bin use only its trial.
        visible: (bin,) bool, bins that may be learned from.
    """
    if settings.name == "counts":
        return {"counts": causal_counts(bins, trial, settings.windows)}
    if settings.name == "discriminant":
        block = blocks(trial, settings.block_bins)
        return {
            f"rank {rank}, penalty {penalty:g}": trial_discriminant(
                bins,
                block,
                visible,
                dimensions=rank,
                neighbors=settings.neighbors,
                rounds=settings.rounds,
                penalty=penalty,
            )
            for rank in settings.ranks
            for penalty in settings.penalties
            if rank <= bins.shape[1]
        }
    scaled = Standard.of(bins[visible], "centred")(bins)
    near = neighbor_mean(scaled, trial, settings.lag)
    return {
        f"rank {rank}, penalty {penalty:g}": reduced_rank(scaled, near, visible, rank, penalty)
        for rank in settings.ranks
        for penalty in settings.penalties
        if rank <= bins.shape[1]
    }


def causal_counts(bins: np.ndarray, trial: np.ndarray, windows: list[int]) -> np.ndarray:
    """(bin, windows x unit) float32: means over the last bins of the trial, including the bin; fewer at the start."""
    sums = np.concatenate([np.zeros((1, bins.shape[1])), np.cumsum(bins, axis=0, dtype=np.float64)])
    at = np.arange(len(bins))
    first = run_ends(trial)[0]
    parts = []
    for window in windows:
        begin = np.maximum(first, at - window + 1)
        parts.append((sums[at + 1] - sums[begin]) / (at + 1 - begin)[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def neighbor_mean(values: np.ndarray, trial: np.ndarray, lag: int) -> np.ndarray:
    """(bin, unit) mean over the ``lag`` bins before and after in the same trial, without the bin; NaN without any."""
    total, count = _window_sums(values, trial, lag)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total - values) / (count - 1)[:, None]


def window_mean(values: np.ndarray, trial: np.ndarray, lag: int | None) -> np.ndarray:
    """(bin, unit) mean over the bin and ``lag`` bins before and after in the same trial; over the trial for None."""
    total, count = _window_sums(values, trial, lag)
    return total / count[:, None]


def reduced_rank(
    values: np.ndarray, target: np.ndarray, fit: np.ndarray, rank: int, penalty: float
) -> np.ndarray:
    """(bin, rank) float32: ``values`` mapped by the linear map of that rank that best predicts ``target``.

    Reduced-rank regression (Izenman 1975) with a ridge: the ridge estimate, projected on the leading directions of its
    predictions. Bins outside ``fit``, and bins whose target is NaN, are not used for the fit.
    """
    rows = fit & np.isfinite(target).all(1)
    x, y = values[rows], target[rows]
    gram = x.T @ x / len(x)
    ridge = penalty * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + ridge, x.T @ y / len(x))
    return (values @ (weights @ principal_axes(weights.T @ gram @ weights, rank))).astype(np.float32)


def _window_sums(values: np.ndarray, trial: np.ndarray, lag: int | None) -> tuple[np.ndarray, np.ndarray]:
    first, last = run_ends(trial)
    if lag is not None:
        at = np.arange(len(values))
        first, last = np.maximum(first, at - lag), np.minimum(last, at + lag)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    return sums[last + 1] - sums[first], (last + 1 - first).astype(np.float64)
