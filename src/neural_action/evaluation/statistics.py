"""Means with intervals that respect how scores hang together."""

from __future__ import annotations

import numpy as np
import pandas as pd


def hierarchical_bootstrap(scores: pd.DataFrame, draws: int, seed: int) -> tuple[float, float, float]:
    """Mean and 95 % interval of ``value`` over animals, folds and seeds.

    The mean is over animals of the mean over folds of the mean over seeds. Each draw resamples animals, then
    folds within each drawn animal, then seeds within each drawn fold (our choice; scores of one animal are alike,
    so resampling rows would make the interval too narrow). A missing combination takes no part.

    Args:
        scores: one row per (animal, fold, seed) with columns ``animal, fold, seed, value``.
        draws: bootstrap draws.
        seed: of the draws.

    Returns:
        mean, lower and upper bound (2.5 % and 97.5 % quantiles of the draws); NaN for the bounds of a single score,
        which says nothing of how others would come out.
    """
    drawn, mean = _draws(scores, draws, seed)
    return mean, *(_interval(drawn) if len(scores) > 1 else (float("nan"), float("nan")))


def recovered_share(
    seen: pd.DataFrame, unseen: pd.DataFrame, adapted: pd.DataFrame, draws: int, seed: int
) -> tuple[float, float, float]:
    """(adapted - unseen) / (seen - unseen) of the means, and its 95 % interval, paired by animal, fold and seed.

    Draws are as in ``hierarchical_bootstrap``, the same for all three. Where a loss (the denominator) may be
    nothing, the interval is wide or without meaning: it is to be read beside the three means.
    """
    keys = ["animal", "fold", "seed"]
    every = seen[[*keys, "value"]].merge(unseen[[*keys, "value"]], on=keys, suffixes=("_seen", "_unseen"))
    every = every.merge(adapted[[*keys, "value"]], on=keys)
    parts = [
        every[[*keys, name]].set_axis([*keys, "value"], axis=1)
        for name in ("value_seen", "value_unseen", "value")
    ]
    (drawn_seen, mean_seen), (drawn_unseen, mean_unseen), (drawn_adapted, mean_adapted) = (
        _draws(part, draws, seed) for part in parts
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (drawn_adapted - drawn_unseen) / (drawn_seen - drawn_unseen)
        mean = np.divide(mean_adapted - mean_unseen, mean_seen - mean_unseen)
    return float(mean), *_interval(share)


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _draws(scores: pd.DataFrame, draws: int, seed: int) -> tuple[np.ndarray, float]:
    """(draws,) means of resampled scores, and the mean of the scores as they are."""
    cube = scores.pivot_table(index="animal", columns=["fold", "seed"], values="value", dropna=False)
    folds, seeds = scores["fold"].unique(), scores["seed"].unique()
    cube = cube.reindex(columns=pd.MultiIndex.from_product([folds, seeds]))
    values = cube.to_numpy().reshape(len(cube), len(folds), len(seeds))
    rng = np.random.default_rng(seed)
    shape = (draws, *values.shape)
    animal = rng.integers(values.shape[0], size=shape[:2])[:, :, None, None]
    fold = rng.integers(values.shape[1], size=shape[:3])[:, :, :, None]
    run = rng.integers(values.shape[2], size=shape)
    return _nested_mean(values[animal, fold, run]), float(_nested_mean(values[None])[0])


def _nested_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last three axes, innermost first, ignoring NaN."""
    for _ in range(3):
        count = np.sum(~np.isnan(values), axis=-1)
        values = np.where(count > 0, np.nansum(values, axis=-1) / np.maximum(count, 1), np.nan)
    return values


def paired_difference(
    one: pd.DataFrame, other: pd.DataFrame, draws: int, seed: int
) -> tuple[float, float, float]:
    """``hierarchical_bootstrap`` of ``one`` minus ``other``, paired by animal, fold and seed."""
    keys = ["animal", "fold", "seed"]
    both = one[[*keys, "value"]].merge(other[[*keys, "value"]], on=keys, suffixes=("", "_other"))
    return hierarchical_bootstrap(both.assign(value=both["value"] - both["value_other"]), draws, seed)


def trial_bootstrap(trials: pd.DataFrame, draws: int, seed: int) -> tuple[float, float, float]:
    """Mean and 95 % interval over the test trials of one split, and the seeds.

    The mean is over bins: a trial counts as much as it has bins. Trials and seeds are drawn anew, the same trials for
    every seed, since all are tested on them.

    Args:
        trials: one row a test trial and seed, columns ``fold`` (the trial), ``seed``, ``value``, ``n_test`` (its bins).
        draws: bootstrap draws.
        seed: of the draws.
    """
    values = trials.pivot_table(index="fold", columns="seed", values="value").to_numpy()
    weights = trials.groupby("fold")["n_test"].first().to_numpy(float)
    rng = np.random.default_rng(seed)
    trial = rng.integers(len(values), size=(draws, len(values)))
    run = rng.integers(values.shape[1], size=(draws, values.shape[1]))
    drawn = values[trial[:, :, None], run[:, None, :]].mean(2)
    weight = weights[trial]
    drawn = (drawn * weight).sum(1) / weight.sum(1)
    return float((values.mean(1) * weights).sum() / weights.sum()), *_interval(drawn)
