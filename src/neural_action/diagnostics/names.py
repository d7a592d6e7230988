"""Names: is each trial like the other trials of the animal it is said to be of?"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from neural_action.config.settings import DiagnosticsSettings
from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.diagnostics.finding import Finding, Value, name

#: Chance of as many trials being nearest to their own animal, below which it is none (our choice).
_BY_CHANCE = 0.001


def check_names(dataset: Dataset, settings: DiagnosticsSettings) -> list[Finding]:
    """Compare the mean neural frame and the mean behaviour of each trial with those of every animal's other trials.

    An animal's brain and body stay what they are from trial to trial. Where ``names_share`` of the trials are nearest
    to their own animal, or all but two and by far more than chance has it, those that are not are suspicious; where
    fewer are, this tells nothing. Nearest: largest
    correlation over pixels or features, each about its mean over the animals (our choice).
    """
    findings: list[Finding] = []
    for what, values, spans in (
        ("neural activity", dataset.neural, [span.frames for span in dataset.trials]),
        ("behaviour", dataset.pose_raw, [span.samples for span in dataset.trials]),
    ):
        # Mean frames of animals with units of their own cannot be compared.
        if not isinstance(values, RaggedFrames) and 0 not in values.shape:
            findings += _compare(
                dataset, what, np.stack([_profile(values[rows]) for rows in spans]), settings
            )
    if not findings:
        message = "not checked: no two animals have two trials each"
        return [Finding("names", "all", "note", message)]
    return findings


def _compare(
    dataset: Dataset, what: str, profiles: np.ndarray, settings: DiagnosticsSettings
) -> list[Finding]:
    number = np.array([dataset.animals.index(span.animal) for span in dataset.trials])
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
    # Two trials that were exchanged are a large share of few: then it is chance that the others have to be far from.
    exchanged = (
        len(strangers) <= 2 and binom.sf(len(nearest) - 3, len(nearest), 1 / len(animals)) < _BY_CHANCE
    )
    if share < settings.names_share and not exchanged:
        message = f"cannot be told: by their mean {what}, {share:.0%} of trials are nearest to their animal"
        return [Finding("names", "all", "note", message, values)]
    findings = []
    for at in strangers:
        span, (found, similar) = dataset.trials[at], nearest[at]
        message = (
            f"mean {what} is like that of {dataset.animals[found]} (correlation {similar[found]:.2f}) more than of "
            f"{span.animal} ({similar[number[at]]:.2f}), while {share:.0%} of trials are nearest to their animal: "
            "is the name right?"
        )
        findings.append(Finding("names", name(span.animal, span.trial), "warning", message, values))
    if not findings:
        message = f"by their mean {what}, all {len(nearest)} trials are nearest to their animal"
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
