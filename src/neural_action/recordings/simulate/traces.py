"""What is left of imaging when cells are drawn out: a trace of every axon, in an order that no two animals share."""

from __future__ import annotations

import numpy as np

from neural_action.recordings.simulate.neural import Axons
from neural_action.recordings.simulate.presets import Preset

#: Pixels of a region of interest, whose photons are summed: a spot of the images covers about as many.
_PIXELS = 6


def unordered(who: Axons, rng: np.random.Generator) -> Axons:
    """The animal's axons in an order of its own: a unit's number says nothing about its type."""
    order = rng.permutation(len(who.kind))
    return Axons(who.tuning[order], who.gain[order], who.kind[order], who.side[order])


def record(preset: Preset, who: Axons, trace: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One trial: (frame, unit) float32 fluorescence, 0 or more, in units of the resting one.

    As ``movie.render``, without a place: the response of a unit, diffuse fluorescence of all, bleaching, shot noise.

    Args:
        preset: response and noise.
        who: the animal's axons.
        trace: (frame, unit) float32 calcium from ``neural.calcium``.
        rng: of shot noise.
    """
    signal = preset.response * trace * who.gain.astype(np.float32)
    fluorescence = 1 + signal + preset.neuropil * signal.mean(1, keepdims=True)
    fluorescence *= (1 - preset.bleaching * np.linspace(0, 1, len(trace), dtype=np.float32))[:, None]
    photons = _PIXELS * preset.photons
    return (rng.poisson(photons * fluorescence) / photons).astype(np.float32)
