"""Simulate microscope images: axons are spots in two lobes, rendered with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from neural_action.recordings.simulate.neural import PRIVATE, Axons
from neural_action.recordings.simulate.presets import Preset

# Centres and half-axes (y, x) of two lobes side by side, as in a section of the cervical connective, in fractions of
# the image.
_CENTRE = np.array([[0.5, 0.27], [0.5, 0.73]])
_HALF_AXES = np.array([0.38, 0.19])
# Sd of an axon's spot as a fraction of the image: an axon of a few um in a field of about 100 um (our choice).
_SPOT = 0.03


@dataclass(frozen=True)
class Optics:
    """Appearance of an animal without spikes: ``resting`` (side, side) fluorescence of about 1, and ``brightness``, a
    factor for the whole image (expression and laser power)."""

    resting: np.ndarray
    brightness: float


def common_layout(preset: Preset, rng: np.random.Generator) -> np.ndarray:
    """(type, 2) positions in the unit disc of a lobe; the two lobes are mirror images."""
    return _in_disc(preset.types, rng)


def footprints(preset: Preset, who: Axons, common: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(axon, side, side) float32 spots with a peak of 1.

    Shared axons lie where the common layout has their type, after a smooth warp of the whole image and a
    small scatter; private ones lie anywhere. With ``unrelated_layout`` all lie anywhere.
    """
    side, gap = preset.side, preset.neural_gap
    own = _in_disc(len(who.kind), rng)
    anywhere = np.full(len(who.kind), preset.unrelated_layout) | (who.kind == PRIVATE)
    place = np.where(anywhere[:, None], own, common[who.kind])
    outward = np.where(who.side == 0, -1.0, 1.0)
    place = _CENTRE[who.side] + _HALF_AXES * place * np.column_stack([np.ones_like(outward), outward])
    place = place + _warp(place, gap, rng) + 0.012 * gap * rng.standard_normal(place.shape)
    spread = _SPOT * np.exp(0.15 * gap * rng.standard_normal((len(place), 1)))
    grid = (np.arange(side) + 0.5) / side
    profiles = np.exp(-0.5 * ((grid - place[:, :, None]) / spread[:, :, None]) ** 2)  # axon, (y, x), pixel
    # The peak is 1 even if the centre lies between pixels, so that small images are as bright as large ones.
    profiles /= np.maximum(profiles.max(2, keepdims=True), 0.3)
    return (profiles[:, 0, :, None] * profiles[:, 1, None, :]).astype(np.float32)


def optics(preset: Preset, rng: np.random.Generator) -> Optics:
    """Draw an animal's background and brightness: sds of 25 % in texture and brightness at gap 1 (our choice)."""
    grid = (np.arange(preset.side) + 0.5) / preset.side
    y, x = np.meshgrid(grid, grid, indexing="ij")
    lobes = sum(np.exp(-0.5 * (((y - cy) / 0.4) ** 2 + ((x - cx) / 0.22) ** 2)) for cy, cx in _CENTRE)
    texture = gaussian_filter(rng.standard_normal((preset.side, preset.side)), preset.side / 12, mode="wrap")
    texture *= 0.25 * preset.neural_gap / texture.std()
    brightness = float(np.exp(0.25 * preset.neural_gap * rng.standard_normal()))
    return Optics((0.4 + 0.6 * lobes) * np.clip(1 + texture, 0.3, 2.0), brightness)


def render(
    preset: Preset, who: Axons, spots: np.ndarray, look: Optics, trace: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """One trial: (frame, side, side) float32 fluorescence, >= 0, relative to resting fluorescence.

    Args:
        preset: levels of response and noise.
        who: the animal's axons.
        spots: (axon, side, side) from ``footprints``.
        look: the animal's background and brightness.
        trace: (frame, axon) float32 calcium from ``neural.calcium``.
        rng: random generator of motion and shot noise.
    """
    frames, side = len(trace), preset.side
    signal = preset.response * trace * who.gain.astype(np.float32)
    images = signal @ spots.reshape(len(spots), -1)
    # Neuropil: the blurred activity of all axons, brightest near them.
    diffuse = gaussian_filter(spots.mean(0), side / 8)
    images += preset.neuropil * signal.mean(1, keepdims=True) * (diffuse / diffuse.max()).ravel()
    images += look.resting.astype(np.float32).ravel()
    images = images.reshape(frames, side, side)
    images = shift(images, preset.jitter * _motion(frames, rng))
    images *= (
        look.brightness * (1 - preset.bleaching * np.linspace(0, 1, frames, dtype=np.float32))[:, None, None]
    )
    return (rng.poisson(preset.photons * images) / preset.photons).astype(np.float32)


def shift(images: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Each frame moved by its (y, x) pixels with bilinear interpolation; edges are repeated.

    Args:
        images: (frame, side, side) float32.
        moves: (frame, 2) pixels.
    """
    side = images.shape[1]
    for axis in (0, 1):
        source = np.clip(np.arange(side) - moves[:, axis, None], 0, side - 1)
        low = np.minimum(source.astype(int), side - 2)
        part = (source - low).astype(np.float32)
        low, part = (np.expand_dims(values, 2 - axis) for values in (low, part))
        before = np.take_along_axis(images, low, axis + 1)
        images = before + part * (np.take_along_axis(images, low + 1, axis + 1) - before)
    return images


def _motion(frames: int, rng: np.random.Generator) -> np.ndarray:
    """(frame, 2) noise of unit variance: half slow drift, half independent in each frame."""
    slow = gaussian_filter1d(rng.standard_normal((frames, 2)), 4, axis=0)
    return np.sqrt(0.5) * (slow / slow.std(0) + rng.standard_normal((frames, 2)))


def _warp(place: np.ndarray, gap: float, rng: np.random.Generator) -> np.ndarray:
    """(axon, 2) smooth displacement at ``place``, in fractions of the image.

    Shift, rotation, stretch and bends of the whole image, each of 2 to 5 % (our choice: what is left when
    animals are aligned by hand to one frame).
    """
    y, x = (2 * place - 1).T
    shapes = np.stack([np.ones_like(y), y, x, y * x, y**2, x**2, np.sin(3 * y), np.sin(3 * x)], axis=1)
    sizes = np.array([0.03, 0.04, 0.04, 0.02, 0.02, 0.02, 0.02, 0.02])
    return shapes @ (gap * sizes[:, None] * rng.standard_normal((len(sizes), 2)))


def _in_disc(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 2) points drawn uniformly from the unit disc."""
    radius, angle = np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
