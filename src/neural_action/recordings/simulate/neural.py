"""Simulate axons: tuning to actions and movement, Poisson spikes, calcium."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.recordings.simulate.behavior import (
    ACTIONS,
    MODULATORS,
    REST,
    WALKING,
    decaying,
    slow_noise,
)
from neural_action.recordings.simulate.pose import LEGS, TRANSITION, action_weights, leg_speeds
from neural_action.recordings.simulate.presets import Preset

# Spikes are drawn in bins of a third of a frame: about 50 /s, finer than the rise of the indicator.
BINS_PER_FRAME = 3
# Features to which an axon may be tuned: actions, speed of each leg, frequency of the cycle, modulators.
FEATURES = (*ACTIONS, *LEGS, "frequency", *MODULATORS)
PRIVATE = -1

# Fractions of axons driven by one or two actions, by movement of a pair of legs or turning, and by nothing in the
# behaviour. Physiology: most descending neurons of flies follow an action, most often walking; the numbers are our
# choice.
_KINDS = {"action": 0.65, "movement": 0.2, "independent": 0.15}
_WALKING_SHARE = 0.3
# Correlation time of activity unrelated to behaviour, s (our choice: longer than a bout, shorter than a trial).
_OWN_SECONDS = 3.0


@dataclass(frozen=True)
class Tuning:
    """Tuning of axons.

    Attributes:
        weights: (axon, feature), in the order of ``FEATURES``.
        rate: (axon,) spikes/s at a drive of 1.
        baseline: (axon,) spikes/s without any.
        independent: (axon,) bool, whether the axon follows nothing that the animal does.
    """

    weights: np.ndarray
    rate: np.ndarray
    baseline: np.ndarray
    independent: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Tuning:
        return Tuning(
            self.weights[chosen], self.rate[chosen], self.baseline[chosen], self.independent[chosen]
        )


@dataclass(frozen=True)
class Axons:
    """An animal's axons.

    Attributes:
        tuning: of each axon.
        gain: (axon,) brightness, a factor of the response to a spike.
        kind: (axon,) int16 functional type shared by all animals, ``PRIVATE`` (-1) for axons no other animal
            has.
        side: (axon,) int8, 0 left and 1 right.
    """

    tuning: Tuning
    gain: np.ndarray
    kind: np.ndarray
    side: np.ndarray


def draw_tuning(preset: Preset, count: int, rng: np.random.Generator) -> Tuning:
    """Draw the tuning of ``count`` axons; for the shared types, the generator depends only on the seed."""
    weights = np.zeros((count, len(FEATURES)))
    kinds = rng.choice(list(_KINDS), size=count, p=list(_KINDS.values()))
    moving = [action for action in range(len(ACTIONS)) if action != REST]
    likely = np.array(
        [_WALKING_SHARE if a == WALKING else (1 - _WALKING_SHARE) / (len(moving) - 1) for a in moving]
    )
    legs, first_modulator = FEATURES.index(LEGS[0]), FEATURES.index(MODULATORS[0])
    for axon, kind in enumerate(kinds):
        if kind == "action":
            first, second = rng.choice(moving, size=2, replace=False, p=likely)
            weights[axon, first] = rng.uniform(0.6, 1.0)
            weights[axon, second] = rng.choice([0.0, rng.uniform(0.2, 0.6)], p=[0.6, 0.4])
        elif kind == "movement":
            pair = rng.integers(3)
            weights[axon, [legs + pair, legs + 3 + pair]] = rng.uniform(0.2, 0.5)
            weights[axon, FEATURES.index("frequency")] = rng.uniform(0.0, 0.5)
        if kind != "independent":
            weights[axon, first_modulator:] = 0.15 * rng.standard_normal(len(MODULATORS))
    return Tuning(
        weights,
        rate=preset.rate * np.exp(0.4 * rng.standard_normal(count)),
        baseline=rng.uniform(0.1, 0.6, count),
        independent=kinds == "independent",
    )


def axons(preset: Preset, shared: Tuning, rng: np.random.Generator) -> Axons:
    """Draw an animal's axons: the shared types on both sides, without missing ones, and its private axons.

    Args:
        preset: numbers of axons and the neural gap.
        shared: tuning of the types that all animals share, in order.
        rng: the animal's.
    """
    gap, types = preset.neural_gap, len(shared.rate)
    kind, side = np.tile(np.arange(types), 2), np.repeat([0, 1], types)
    kept = rng.random(len(kind)) < (1 - preset.missing) ** gap
    # Difference of an axon from its type; drawn for all axons, so that the gap only scales it.
    scatter = 0.2 * gap * rng.standard_normal((len(kind), len(FEATURES)))
    gain = np.exp(0.4 * gap * rng.standard_normal(len(kind)))
    kind, side, scatter, gain = kind[kept], side[kept], scatter[kept], gain[kept]
    typical = shared[kind]
    weights = typical.weights * (1 + scatter)
    # Walking types prefer turns to their own side (physiology: turning descending neurons come in opposing pairs).
    turning = FEATURES.index("turning")
    weights[:, turning] += np.where(side == 0, 0.25, -0.25) * weights[:, WALKING]

    count = round(preset.private * gap)
    own = draw_tuning(preset, count, rng)
    return Axons(
        Tuning(
            np.concatenate([weights, own.weights]),
            np.concatenate([typical.rate, own.rate]),
            np.concatenate([typical.baseline, own.baseline]),
            np.concatenate([typical.independent, own.independent]),
        ),
        gain=np.concatenate([gain, np.exp(0.4 * gap * rng.standard_normal(count))]),
        kind=np.concatenate([kind, np.full(count, PRIVATE)]).astype(np.int16),
        side=np.concatenate([side, rng.integers(2, size=count)]).astype(np.int8),
    )


def spikes(
    preset: Preset,
    who: Axons,
    action: np.ndarray,
    angles: np.ndarray,
    frequency: np.ndarray,
    modulator: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """One trial: (bin, axon) uint8 spike counts, with ``BINS_PER_FRAME`` bins in each neural frame.

    Args:
        preset: rates.
        who: the animal's axons.
        action: (sample,) at the behaviour rate, as are the following.
        angles: (sample, leg, joint) rad.
        frequency: (sample,) of the cycle, Hz.
        modulator: (sample, modulator).
        rng: of axons' own processes and of spikes.
    """
    bins, bin_rate = preset.frames * BINS_PER_FRAME, preset.neural_rate * BINS_PER_FRAME
    weights = action_weights(action, TRANSITION * preset.behavior_rate)
    moving = 1 - weights[:, REST]
    # Modulators act through movement: at rest, an axon that follows movement is silent.
    features = np.column_stack(
        [weights, leg_speeds(preset, angles), frequency / 10, modulator * moving[:, None]]
    )
    at = np.minimum((np.arange(bins) * preset.behavior_rate / bin_rate).astype(int), len(action) - 1)
    drive = np.maximum(features[at] @ who.tuning.weights.T, 0)
    arousal = np.exp(0.15 * modulator[at, MODULATORS.index("arousal")])
    own = slow_noise(bins, np.full(len(who.kind), _OWN_SECONDS * bin_rate), rng)
    # The response of an axon to the same action varies by about a third; independent axons are active a quarter of the
    # time.
    driven = drive * np.exp(0.3 * own) * arousal[:, None]
    activity = np.where(who.tuning.independent, np.maximum(own - 0.7, 0), driven)
    expected = (who.tuning.rate * activity + who.tuning.baseline) / bin_rate
    return np.minimum(rng.poisson(expected), 255).astype(np.uint8)


def calcium(spike_counts: np.ndarray, decay: float, rise: float, rate: float) -> np.ndarray:
    """Convert spikes to calcium: each spike adds exp(-t / decay) - exp(-t / rise), scaled to a peak of 1.

    Args:
        spike_counts: (bin, axon).
        decay: s.
        rise: s, shorter than the decay.
        rate: bins/s.

    Returns:
        (bin, axon) float32, in responses to one spike.
    """
    counts = np.asarray(spike_counts, np.float64)
    out = np.zeros(counts.shape)
    for sign, seconds in ((1.0, decay), (-1.0, rise)):
        out += sign * decaying(counts, np.exp(-1 / (seconds * rate)))
    peak_at = np.log(decay / rise) * decay * rise / (decay - rise)
    return (out / (np.exp(-peak_at / decay) - np.exp(-peak_at / rise))).astype(np.float32)


def at_frames(preset: Preset, values: np.ndarray) -> np.ndarray:
    """(frame, ...) from (bin, ...): the value in the last bin of each frame."""
    return values[BINS_PER_FRAME - 1 :: BINS_PER_FRAME][: preset.frames]
