"""What animals do: a semi-Markov chain of actions, and slow modulators of how they do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

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

# Shares of time. Hand annotations of tethered flies (fly_labels) have rest .56, walking .33 and each grooming
# .01 to .04. Flattened here, because a trial lasts a minute and not ten and should show every action; the
# order is kept. Pushing was not annotated there.
SHARES = np.array([0.25, 0.07, 0.06, 0.065, 0.30, 0.095, 0.075, 0.085])
# Median bout, s. Annotated: walking 1.5, rest 2.2, foreleg .65, eye .6, antennal .34, abdominal .27, hindleg
# .28. Grooming is lengthened to about half a two-second window, for the same reason (our choice).
DWELL = np.array([1.5, 1.0, 0.9, 0.9, 2.2, 1.1, 1.0, 1.1])
# Sd of the logarithm of a bout. The annotated 90 % quantiles say .6 (foreleg) to 1.4 (antennal); the tails
# above that would fill a trial with one bout, so the low end is used.
DWELL_SPREAD = 0.7
# No bout is shorter, s: one or two cycles, below which an action cannot be told (our choice).
SHORTEST = 0.3
# Of an animal's shares, the part that all animals have in common at any gap: no animal lacks an action.
COMMON_SHARE = 0.25
# Concentration of the Dirichlet distribution of the other part at gap 1: an animal's share of a grooming
# differs by about a half from the common one (our choice).
CONCENTRATION = 50.0

MODULATORS = ("speed", "amplitude", "turning", "arousal")
# Correlation times, s: turning changes from step to step, arousal within a trial (our choice).
MODULATOR_SECONDS = np.array([4.0, 6.0, 2.0, 20.0])


@dataclass(frozen=True)
class Habits:
    """An animal's habits: ``shares`` (action,) of time, summing to 1; ``dwell`` (action,) median bout, s."""

    shares: np.ndarray
    dwell: np.ndarray


def habits(preset: Preset, rng: np.random.Generator) -> Habits:
    """The common habits, less so the larger the behavioural gap."""
    shares, gap = SHARES, preset.behavior_gap
    if gap > 0:
        own = rng.dirichlet(SHARES * CONCENTRATION / gap**2)
        shares = COMMON_SHARE * SHARES + (1 - COMMON_SHARE) * own
    return Habits(shares, DWELL * np.exp(0.15 * gap * rng.standard_normal(len(ACTIONS))))


def actions(preset: Preset, who: Habits, rng: np.random.Generator) -> np.ndarray:
    """One trial: (sample,) int8, the action at each behaviour sample. No action follows itself."""
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
    # Filters of equal constants run together: one call for all axons.
    out = np.empty_like(noise)
    for value in np.unique(keep):
        same = keep == value
        out[:, same] = lfilter([1.0], [1.0, -value], noise[:, same], axis=0)
    return out


def _entry_weights(who: Habits) -> np.ndarray:
    """Weights (action,) of entering an action, such that time is shared as the animal's habits say.

    As no action follows itself, the chain of bouts spends w (1 - w) of its bouts on an action of weight w.
    """
    bouts = who.shares / who.dwell
    weights = bouts / bouts.sum()
    for _ in range(50):
        weights = bouts / (1 - weights)
        weights = np.minimum(weights / weights.sum(), 0.9)
    return weights / weights.sum()
