"""Simulate behaviour: a semi-Markov chain of actions, and slow modulators of each action."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from neural_action.recordings.simulate.presets import Preset

ACTIONS = (
    "forward_walking",
    "pushing",
    "hindleg_grooming",
    "abdominal_grooming",
    "rest",
    "foreleg_grooming",
    "antennal_grooming",
    "eye_grooming",
)
WALKING, REST = ACTIONS.index("forward_walking"), ACTIONS.index("rest")

# Fraction of time in each action. Hand annotations of tethered flies (fly_labels) have rest .56, walking .33 and each
# grooming action .01 to .04; pushing was not annotated. The values here keep this order but are more even, because a
# trial lasts one minute instead of ten and should contain every action (our choice).
SHARES = np.array([0.25, 0.07, 0.06, 0.065, 0.30, 0.095, 0.075, 0.085])
# Median duration of a bout, s. Annotated: walking 1.5, rest 2.2, foreleg .65, eye .6, antennal .34, abdominal .27,
# hindleg .28. Grooming is lengthened to about half of a two-second window for the same reason (our choice).
DWELL = np.array([1.5, 1.0, 0.9, 0.9, 2.2, 1.1, 1.0, 1.1])
# Sd of the logarithm of a bout's duration. The annotated 90 % quantiles give .6 (foreleg) to 1.4 (antennal). Large
# values would fill a trial with one bout, so a low value is used.
DWELL_SPREAD = 0.7
# Minimum duration of a bout, s: one or two cycles, needed to recognise an action (our choice).
SHORTEST = 0.3
# Fraction of an animal's shares that is common to all animals at any gap, so that no animal lacks an action.
COMMON_SHARE = 0.25
# Concentration of the Dirichlet distribution of the individual part at gap 1: an animal's share of a grooming action
# differs from the common one by about half (our choice).
CONCENTRATION = 50.0

MODULATORS = ("speed", "amplitude", "turning", "arousal")
# Correlation times, s: turning changes from step to step, arousal within a trial (our choice).
MODULATOR_SECONDS = np.array([4.0, 6.0, 2.0, 20.0])


@dataclass(frozen=True)
class Habits:
    """An animal's habits: ``shares`` (action,), fractions of time with sum 1; ``dwell`` (action,), median bout, s."""

    shares: np.ndarray
    dwell: np.ndarray


def habits(preset: Preset, rng: np.random.Generator) -> Habits:
    """An animal's habits; they differ more from the common ones with a larger behavioural gap."""
    shares, gap = SHARES, preset.behavior_gap
    if gap > 0:
        own = rng.dirichlet(SHARES * CONCENTRATION / gap**2)
        shares = COMMON_SHARE * SHARES + (1 - COMMON_SHARE) * own
    return Habits(shares, DWELL * np.exp(0.15 * gap * rng.standard_normal(len(ACTIONS))))


def actions(preset: Preset, who: Habits, rng: np.random.Generator) -> np.ndarray:
    """One trial: (sample,) int8, the action of each behaviour sample. Consecutive bouts have different actions."""
    weights = _entry_weights(who)
    out = np.empty(preset.samples, np.int8)
    at, current = 0, int(rng.choice(len(ACTIONS), p=who.shares))
    while at < len(out):
        seconds = max(SHORTEST, who.dwell[current] * np.exp(DWELL_SPREAD * rng.standard_normal()))
        stop = at + max(1, round(seconds * preset.behavior_rate))
        out[at:stop] = current
        others = weights.copy()
        others[current] = 0
        at, current = stop, int(rng.choice(len(ACTIONS), p=others / others.sum()))
    return out


def modulators(preset: Preset, rng: np.random.Generator) -> np.ndarray:
    """One trial: (sample, modulator) float64 Ornstein-Uhlenbeck processes of unit variance."""
    return slow_noise(preset.samples, MODULATOR_SECONDS * preset.behavior_rate, rng)


def slow_noise(count: int, correlation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(count, process) stationary Ornstein-Uhlenbeck processes of unit variance.

    Args:
        count: time steps.
        correlation: (process,) correlation times, in time steps.
        rng: source of the noise.
    """
    keep = np.exp(-1 / np.asarray(correlation, np.float64))
    noise = rng.standard_normal((count, len(keep)))
    noise[1:] *= np.sqrt(1 - keep**2)
    return decaying(noise, keep)


def decaying(inputs: np.ndarray, keep: np.ndarray | float) -> np.ndarray:
    """(time, process) float64: at each time the input, and the share ``keep`` of the value before."""
    # scipy.signal.lfilter gives the same numbers, and takes longer to import than an animal to simulate.
    return np.array(list(accumulate(inputs, lambda last, new: new + keep * last)))


def _entry_weights(who: Habits) -> np.ndarray:
    """(action,) weights of entering an action, which give the time fractions of the animal's habits.

    Because consecutive bouts differ in their action, the share of bouts of an action with weight w is proportional to
    w (1 - w).
    """
    bouts = who.shares / who.dwell
    weights = bouts / bouts.sum()
    for _ in range(50):
        weights = bouts / (1 - weights)
        weights = np.minimum(weights / weights.sum(), 0.9)
    return weights / weights.sum()
