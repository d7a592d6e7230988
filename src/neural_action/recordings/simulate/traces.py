"""Simulate extracted traces instead of images: one trace for each axon, in a different order in each animal."""

from __future__ import annotations

import numpy as np

from neural_action.recordings.simulate.neural import Axons
from neural_action.recordings.simulate.presets import Preset

#: Pixels of a region of interest, over which photons are summed; a spot in the images covers about as many.
_PIXELS = 6


def unordered(who: Axons, rng: np.random.Generator) -> Axons:
    """The animal's axons in random order, so that the index of a unit is unrelated to its type."""
    order = rng.permutation(len(who.kind))
    return Axons(who.tuning[order], who.gain[order], who.kind[order], who.side[order])


def record(preset: Preset, who: Axons, trace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One trial: (frame, unit) float32 fluorescence, >= 0, relative to resting fluorescence.

    As ``movie.render`` without positions: the response of a unit, diffuse fluorescence, bleaching and shot noise.

    Args:
        preset: response and noise.
        who: the animal's axons.
        trace: (frame, unit) float32 calcium from ``neural.calcium``.
        rng: random generator of shot noise.
    """
    signal = preset.response * trace * who.gain.astype(np.float32)
    fluorescence = 1 + signal + preset.neuropil * signal.mean(1, keepdims=True)
    fluorescence *= (1 - preset.bleaching * np.linspace(0, 1, len(trace), dtype=np.float32))[:, None]
    photons = _PIXELS * preset.photons
    return (rng.poisson(photons * fluorescence) / photons).astype(np.float32)
