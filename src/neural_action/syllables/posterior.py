"""Syllables of a dataset: a model fitted to the visible poses, and its posterior probabilities."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.config.settings import SyllableSettings
from neural_action.datasets.dataset import Dataset
from neural_action.errors import InputError, reading
from neural_action.files import atomic_write, load_npz, write_text
from neural_action.progress import Progress


@dataclass(frozen=True)
class Syllables:
    """Posterior probabilities of syllables, and a report of the fit.

    Attributes:
        posterior: (sample, syllable) float32, rows sum to 1; 0 at hidden samples.
        report: log-likelihood per sample, iterations, shares, durations, variance explained; JSON values.
    """

    posterior: np.ndarray
    report: dict

    def save(self, path: Path, report: Path) -> None:
        """Write the posterior as .npz and the report as .json."""
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, posterior=self.posterior.astype(np.float16))
        write_text(report, json.dumps(self.report, indent=1) + "\n")


def fit_syllables(dataset: Dataset, settings: SyllableSettings) -> Syllables:
    """Fit an autoregressive HMM to whitened principal components of the visible poses, with trials as sequences.

    BehaveNet (Batty et al. 2019) fits such a model to compressed behavioural video. Here poses are compressed by
    principal components; components, states and lags are our choice. The first ``lags`` samples of a trial get the
    posterior of the next sample. Poses with fewer features than ``dimensions`` keep all their components.
    Raises InputError if there are too few samples for the states.
    """
    # Imported here, so that pretraining, which only reads syllables, does not wait for it.
    from sklearn.decomposition import PCA

    from neural_action.syllables.arhmm import AutoregressiveHmm, ShownMonitor, with_lags

    trials = [trial for trial in dataset.trials if trial.sees_input]
    lags = settings.lags
    lengths = [trial.samples.stop - trial.samples.start - lags for trial in trials]
    trials = [trial for trial, length in zip(trials, lengths, strict=True) if length > 0]
    lengths = [length for length in lengths if length > 0]
    dimensions = min(settings.dimensions, dataset.pose.shape[1])
    if sum(lengths) < settings.states * (dimensions * lags + 1):
        raise InputError(
            f"syllables: {sum(lengths)} visible poses are too few for syllables.states {settings.states} with "
            f"{dimensions} components, expected at least {settings.states * (dimensions * lags + 1)}"
        )
    visible = np.concatenate([dataset.pose[trial.samples] for trial in trials])
    components = PCA(dimensions, whiten=True, svd_solver="full").fit(visible)
    rows = np.concatenate(
        [with_lags(components.transform(dataset.pose[trial.samples]), lags) for trial in trials]
    ).astype(np.float64)
    model = AutoregressiveHmm(settings.states, dimensions, settings.seed, settings.iterations)
    with Progress(settings.iterations, "syllables", "iteration") as shown:
        model.monitor_ = ShownMonitor(model.monitor_, shown)
        model.fit(rows, lengths)
    shares = model.predict_proba(rows, lengths)

    posterior = np.zeros((len(dataset.pose), settings.states), np.float32)
    first, durations = 0, []
    for trial, length in zip(trials, lengths, strict=True):
        part = shares[first : first + length]
        posterior[trial.samples] = np.concatenate([np.repeat(part[:1], lags, axis=0), part])
        changes = np.flatnonzero(np.diff(part.argmax(1))) + 1
        durations += np.diff([0, *changes, length]).tolist()
        first += length
    report = {
        "states": settings.states,
        "lags": lags,
        "components": dimensions,
        "variance_explained": float(components.explained_variance_ratio_.sum()),
        "iterations": int(model.monitor_.iter),
        "log_likelihood_per_sample": float(model.monitor_.history[-1] / len(rows)),
        "share": [round(float(share), 4) for share in shares.mean(0)],
        "median_duration_samples": float(np.median(durations)),
    }
    return Syllables(posterior, report)


def load_posterior(path: Path, dataset: Dataset) -> np.ndarray:
    """(sample, syllable) float32 posterior probabilities. InputError unless the file has one row for each pose."""
    with reading(path, "syllables", OSError, ValueError):
        posterior = load_npz(path, "posterior")["posterior"].astype(np.float32)
    if posterior.ndim != 2 or len(posterior) != len(dataset.pose):
        raise InputError(
            f"{path}: shape {posterior.shape}, expected one row for each of {len(dataset.pose)} poses"
        )
    return posterior
