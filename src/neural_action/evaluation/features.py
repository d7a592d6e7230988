"""What can be made of raw bins without labels and without a network: the baselines that have the same information."""

from __future__ import annotations

import numpy as np

from neural_action.config.evaluation_settings import FeatureSettings
from neural_action.evaluation.discriminant import trial_discriminant, whiles
from neural_action.evaluation.scaling import Standard


def raw_features(
    settings: FeatureSettings, bins: np.ndarray, span: np.ndarray, visible: np.ndarray
) -> dict[str, np.ndarray]:
    """Candidates of features, each (bin, feature) float32, by name; validation chooses among them.

    Args:
        settings: which features.
        bins: (bin, unit) rates or counts in the order of time.
        span: (bin,) the trial of each bin, or the run of one part of a split; features look at no other.
        visible: (bin,) bool, what may be learned from.
    """
    if settings.name == "counts":
        return {"counts": causal_counts(bins, span, settings.windows)}
    if settings.name == "discriminant":
        trial = whiles(span, settings.while_bins)
        return {
            f"rank {rank}, penalty {penalty:g}": trial_discriminant(
                bins,
                trial,
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
    near = neighbor_mean(scaled, span, settings.lag)
    return {
        f"rank {rank}, penalty {penalty:g}": reduced_rank(scaled, near, visible, rank, penalty)
        for rank in settings.ranks
        for penalty in settings.penalties
        if rank <= bins.shape[1]
    }


def causal_counts(bins: np.ndarray, span: np.ndarray, windows: list[int]) -> np.ndarray:
    """(bin, windows x unit) means over the last bins of the span, the bin itself among them; fewer at its start."""
    sums = np.concatenate([np.zeros((1, bins.shape[1])), np.cumsum(bins, axis=0, dtype=np.float64)])
    at = np.arange(len(bins))
    first = _runs(span)[0]
    parts = []
    for window in windows:
        begin = np.maximum(first, at - window + 1)
        parts.append((sums[at + 1] - sums[begin]) / (at + 1 - begin)[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def neighbor_mean(values: np.ndarray, span: np.ndarray, lag: int) -> np.ndarray:
    """(bin, unit) mean of the ``lag`` bins before and after within the span, without the bin; NaN where it is alone."""
    total, count = _window_sums(values, span, lag)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total - values) / (count - 1)[:, None]


def window_mean(values: np.ndarray, span: np.ndarray, lag: int | None) -> np.ndarray:
    """Means over the ``lag`` bins before and after within the span, and the bin; over the whole span for None."""
    total, count = _window_sums(values, span, lag)
    return total / count[:, None]


def reduced_rank(
    values: np.ndarray, target: np.ndarray, fit: np.ndarray, rank: int, penalty: float
) -> np.ndarray:
    """(bin, rank) float32: the linear map of ``values`` of that rank that best predicts ``target``.

    Reduced-rank regression with a ridge (Izenman 1975): the ridge estimate, projected on the leading directions of what
    it predicts. Bins of which the target is NaN take no part in the fit.
    """
    rows = fit & np.isfinite(target).all(1)
    x, y = values[rows], target[rows]
    gram = x.T @ x / len(x)
    ridge = penalty * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + ridge, x.T @ y / len(x))
    leading = np.linalg.eigh(weights.T @ gram @ weights)[1][:, ::-1][:, :rank]
    return (values @ (weights @ leading)).astype(np.float32)


def _runs(span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last bin of the run that each bin is in."""
    starts = np.flatnonzero(np.diff(span, prepend=span[0] - 1))
    lengths = np.diff(starts, append=len(span))
    return np.repeat(starts, lengths), np.repeat(starts + lengths - 1, lengths)


def _window_sums(values: np.ndarray, span: np.ndarray, lag: int | None) -> tuple[np.ndarray, np.ndarray]:
    first, last = _runs(span)
    if lag is not None:
        at = np.arange(len(values))
        first, last = np.maximum(first, at - lag), np.minimum(last, at + lag)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    return sums[last + 1] - sums[first], (last + 1 - first).astype(np.float64)
