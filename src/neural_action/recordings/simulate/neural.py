"""What the axons do: tuning to actions and kinematics, Poisson spikes, calcium."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from neural_action.recordings.simulate.behavior import ACTIONS, MODULATORS, REST
from neural_action.recordings.simulate.presets import Preset

FEATURES = len(ACTIONS) + 2 + len(MODULATORS)


@dataclass(frozen=True)
class Population:
    """An animal's axons: tuning (axon, feature), baseline (axon,), gain (axon,), functional type (axon,), -1 private.

    ``spontaneous`` (axon,) is how strongly an axon follows its own slow process instead of behaviour.
    """

    tuning: np.ndarray
    baseline: np.ndarray
    gain: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    spontaneous: np.ndarray


def shared_tuning(preset: Preset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tuning (type, feature), baseline (type,) and spontaneous weight (type,) of the types all animals share.

    Most descending types are driven by one or two actions, some by kinematics, a few by neither (our choice, after
    population recordings of descending neurons).
    """
    rng = np.random.default_rng([preset.seed, 1])
    return _tuning(preset.types, rng)


def _tuning(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tuning = np.zeros((count, FEATURES))
    moving = [a for a in range(len(ACTIONS)) if a != REST]
    for axon in range(count):
        for action in rng.choice(moving, size=rng.integers(1, 3), replace=False):
            tuning[axon, action] = rng.uniform(0.5, 1.0)
        tuning[axon, len(ACTIONS)] = 0.3 * rng.standard_normal()  # any movement
        tuning[axon, len(ACTIONS) + 1] = 0.3 * rng.standard_normal()  # frequency of the cycle
        tuning[axon, len(ACTIONS) + 2 :] = 0.2 * rng.standard_normal(len(MODULATORS))
    spontaneous = np.where(rng.random(count) < 0.2, 1.0, 0.15)
    tuning *= (1 - 0.9 * (spontaneous == 1.0))[:, None]
    return tuning, rng.uniform(0.02, 0.1, count), spontaneous


def population(preset: Preset, rng: np.random.Generator) -> Population:
    """An animal's axons: the shared types on both sides less those missing, and its private ones."""
    gap = preset.neural_gap
    tuning, baseline, spontaneous = shared_tuning(preset)
    kind, side = np.tile(np.arange(preset.types), 2), np.repeat([0, 1], preset.types)
    kept = rng.random(len(kind)) >= preset.missing * min(gap, 2.0)
    kind, side = kind[kept], side[kept]
    private = round(preset.private * gap)
    own_tuning, own_baseline, own_spontaneous = _tuning(private, rng)
    shared = tuning[kind] + 0.15 * gap * rng.standard_normal((len(kind), FEATURES)) * (tuning[kind] != 0)
    # Turning drives the two sides apart.
    turning = len(ACTIONS) + 2 + MODULATORS.index("turning")
    shared[:, turning] += np.where(side == 0, 0.2, -0.2)
    count = len(kind) + private
    return Population(
        tuning=np.concatenate([shared, own_tuning]),
        baseline=np.concatenate([baseline[kind], own_baseline]),
        gain=np.exp(0.4 * gap * rng.standard_normal(count)),
        kind=np.concatenate([kind, np.full(private, -1)]),
        side=np.concatenate([side, rng.integers(2, size=private)]),
        spontaneous=np.concatenate([spontaneous[kind], own_spontaneous]),
    )


def spikes(
    preset: Preset,
    who: Population,
    action: np.ndarray,
    frequency: np.ndarray,
    modulator: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(sample, axon) uint8 spike counts at the behaviour rate."""
    moving = (action != REST).astype(float)
    features = np.column_stack([np.eye(len(ACTIONS))[action], moving, frequency / 6, modulator * moving[:, None]])
    noise = rng.standard_normal((len(action), len(who.kind)))
    keep = np.exp(-1 / (3.0 * preset.behavior_rate))
    slow = lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], noise, axis=0)
    # What an axon does on its own is mostly part of movement, too: at rest it is quiet.
    drive = features @ who.tuning.T + who.spontaneous * slow * (0.2 + 0.8 * moving[:, None])
    rate = preset.rate * np.maximum(0.0, who.baseline + drive)
    return np.minimum(rng.poisson(rate / preset.behavior_rate), 255).astype(np.uint8)


def calcium(spike_counts: np.ndarray, decay: float, rise: float, rate: float) -> np.ndarray:
    """(sample, axon) float32: spikes through a difference of exponentials with peak 1.

    exp(-t / decay) - exp(-t / rise), ``decay`` and ``rise`` in s, ``rate`` in Hz: two first-order filters.
    """
    out = np.zeros(spike_counts.shape, np.float64)
    for sign, seconds in ((1.0, decay), (-1.0, rise)):
        keep = np.exp(-1 / (seconds * rate))
        out += sign * lfilter([1.0], [1.0, -keep], spike_counts.astype(np.float64), axis=0)
    peak_at = np.log(decay / rise) * decay * rise / (decay - rise)
    return (out / (np.exp(-peak_at / decay) - np.exp(-peak_at / rise))).astype(np.float32)
