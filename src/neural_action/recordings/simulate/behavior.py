"""What the animals do: a semi-Markov chain of actions, and slow modulators of how they do it."""

from __future__ import annotations

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
REST = ACTIONS.index("rest")
# Shares of bouts. Hand annotations of tethered flies have rest .56 and walking .33 of the time and groom in bursts;
# here every action is shown in a trial of one minute, so rare actions are more frequent than in ten-minute trials.
SHARES = np.array([0.24, 0.07, 0.10, 0.10, 0.20, 0.11, 0.09, 0.09])
# Median bout, s, in the order of the annotations' medians (rest 2.2, walking 1.5, foreleg .65, eye .6, antennal .34,
# abdominal .27, hindleg .28), short grooming bouts lengthened for the same reason.
DWELL = np.array([1.8, 1.2, 1.0, 1.0, 2.6, 1.3, 1.0, 1.1])
DWELL_SPREAD = 0.6  # sd of log dwell; annotated 90 % quantiles are 3 to 6 medians
MODULATORS = ("speed", "amplitude", "turning", "arousal")
MODULATOR_SECONDS = np.array([4.0, 6.0, 2.0, 20.0])


def habits(preset: Preset, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An animal's own shares (action,) and median dwell times (action,) s."""
    shares = SHARES * np.exp(0.3 * preset.behavior_gap * rng.standard_normal(len(ACTIONS)))
    dwell = DWELL * np.exp(0.15 * preset.behavior_gap * rng.standard_normal(len(ACTIONS)))
    return shares / shares.sum(), dwell


def actions(
    preset: Preset, shares: np.ndarray, dwell: np.ndarray, samples: int, rng: np.random.Generator
) -> np.ndarray:
    """(sample,) int8 action at the behaviour rate. No action follows itself."""
    out = np.empty(samples, np.int8)
    at, current = 0, int(rng.choice(len(ACTIONS), p=shares))
    while at < samples:
        seconds = max(0.3, dwell[current] * np.exp(DWELL_SPREAD * rng.standard_normal()))
        stop = at + max(1, round(seconds * preset.behavior_rate))
        out[at:stop] = current
        at = stop
        others = shares.copy()
        others[current] = 0
        current = int(rng.choice(len(ACTIONS), p=others / others.sum()))
    return out


def modulators(preset: Preset, samples: int, rng: np.random.Generator) -> np.ndarray:
    """(sample, modulator) Ornstein-Uhlenbeck processes of unit variance."""
    keep = np.exp(-1 / (MODULATOR_SECONDS * preset.behavior_rate))
    noise = rng.standard_normal((samples, len(MODULATORS)))
    noise[1:] *= np.sqrt(1 - keep**2)
    return np.stack([lfilter([1.0], [1.0, -a], noise[:, m]) for m, a in enumerate(keep)], axis=1)
