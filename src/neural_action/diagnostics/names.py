"""Names: does each trial resemble the other trials of the animal it is named after?"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrc

from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.diagnostics.finding import Finding, Value, name

#: With one or two exceptions, probability by chance below which the exceptions are reported (our choice).
_BY_CHANCE = 0.001


def check_names(dataset: Dataset, settings: DiagnosticsSettings) -> list[Finding]:
    """Compare the mean neural frame and the mean behaviour of each trial with those of every animal's other trials.

    Brain and body of an animal look similar in all its trials. The nearest animal is the one with the largest
    correlation over pixels or features, after subtracting the mean over animals (our choice). If at least
    ``names_share`` of the trials are nearest to their own animal, the others get a warning. The same holds if all but
    at most two are, with p < 0.001 by chance. Otherwise the check gives a note.
    """
    findings: list[Finding] = []
    for what, values, rows_of in (
        ("neural activity", dataset.neural, [trial.frames for trial in dataset.trials]),
        ("behaviour", dataset.pose_raw, [trial.samples for trial in dataset.trials]),
    ):
        # Mean frames of animals with different units cannot be compared.
        if not isinstance(values, RaggedFrames) and 0 not in values.shape:
            findings += _compare(
                dataset, what, np.stack([_profile(values[rows]) for rows in rows_of]), settings
            )
    if not findings:
        message = "not checked: fewer than two animals have two trials that can be compared"
        return [Finding("names", "all", "note", message)]
    return findings


def _compare(
    dataset: Dataset, what: str, profiles: np.ndarray, settings: DiagnosticsSettings
) -> list[Finding]:
    number = np.array([dataset.animals.index(trial.animal) for trial in dataset.trials])
    animals = [k for k in range(len(dataset.animals)) if np.count_nonzero(number == k) > 1]
    if len(animals) < 2 or profiles.shape[1] < 2:
        return []
    profiles = profiles - np.stack([profiles[number == k].mean(0) for k in animals]).mean(0)
    nearest = {}
    for at in np.flatnonzero(np.isin(number, animals)):
        others = np.arange(len(number)) != at
        similar = {k: _correlation(profiles[at], profiles[others & (number == k)].mean(0)) for k in animals}
        nearest[at] = (max(similar, key=similar.__getitem__), similar)
    strangers = [at for at, (found, _) in nearest.items() if found != number[at]]
    share = 1 - len(strangers) / len(nearest)
    values: dict[str, Value] = {"what": what, "share_of_own_animal": round(share, 4), "trials": len(nearest)}
    # Two exchanged trials are a large share of few trials, so the share is replaced by a test against chance.
    exchanged = len(strangers) <= 2 and bdtrc(len(nearest) - 3, len(nearest), 1 / len(animals)) < _BY_CHANCE
    if share < settings.names_share and not exchanged:
        message = f"unclear: by mean {what}, only {share:.0%} of the trials are nearest to their own animal"
        return [Finding("names", "all", "note", message, values)]
    findings = []
    for at in strangers:
        trial, (found, similar) = dataset.trials[at], nearest[at]
        message = (
            f"mean {what} is closer to {dataset.animals[found]} (correlation {similar[found]:.2f}) than to "
            f"{trial.animal} ({similar[number[at]]:.2f}), but {share:.0%} of the trials are nearest to their own "
            "animal: is the name right?"
        )
        findings.append(Finding("names", name(trial.animal, trial.name), "warning", message, values))
    if not findings:
        message = f"by mean {what}, all {len(nearest)} trials are nearest to their own animal"
        findings.append(Finding("names", "all", "ok", message, values))
    return findings


def _profile(values: np.ndarray) -> np.ndarray:
    """(feature,) float64: the mean over a trial."""
    flat = values.reshape(len(values), -1)
    return np.nan_to_num(flat.mean(0, dtype=np.float64))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norm if norm > 0 else 0.0
