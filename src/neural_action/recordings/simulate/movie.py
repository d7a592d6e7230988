"""What the microscope sees: axons as spots in two lobes, rendered to noisy images."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from neural_action.recordings.simulate.neural import Population
from neural_action.recordings.simulate.presets import Preset


def footprints(preset: Preset, who: Population, rng: np.random.Generator) -> np.ndarray:
    """(axon, side, side) float32 spots of unit peak.

    Shared types have places in a common layout of two mirrored lobes (the cervical connective in cross-section);
    an animal's layout is that one, smoothly warped, and private axons lie anywhere in a lobe.
    """
    side, gap = preset.side, preset.neural_gap
    layout = np.random.default_rng([preset.seed, 2])
    common = _in_lobe(preset.types, layout)
    places = np.empty((len(who.kind), 2))
    known = who.kind >= 0
    places[known] = common[who.kind[known]]
    places[~known] = _in_lobe(int((~known).sum()), rng)
    if preset.unrelated_layout:
        places = _in_lobe(len(places), rng)
    # A smooth warp: shift, stretch and a low-order bend, each a few percent of the lobe.
    bend = 0.05 * gap * rng.standard_normal((6, 2))
    y, x = places.T
    places = places + np.stack([np.ones_like(y), y, x, y * x, y**2, x**2], axis=1) @ bend
    places = places + 0.03 * gap * rng.standard_normal(places.shape)
    # Lobes: centres at a quarter and three quarters of the width, mirrored.
    mirror = np.where(who.side == 0, -1.0, 1.0)
    centre_x = side * (0.5 + 0.25 * mirror) + mirror * places[:, 1] * 0.2 * side
    centre_y = side * 0.5 + places[:, 0] * 0.36 * side
    centre_x = centre_x + 0.3 * gap * side / 32 * rng.standard_normal()
    grid = np.arange(side) + 0.5
    width = np.exp(0.15 * rng.standard_normal(len(places))) * 0.032 * side
    dy = (grid[None, :] - centre_y[:, None]) / width[:, None]
    dx = (grid[None, :] - centre_x[:, None]) / width[:, None]
    return np.exp(-0.5 * (dy[:, :, None] ** 2 + dx[:, None, :] ** 2)).astype(np.float32)


def background(preset: Preset, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Resting brightness (side, side) and overall brightness of an animal."""
    texture = gaussian_filter(rng.standard_normal((preset.side, preset.side)), preset.side / 10)
    texture *= 0.15 * preset.neural_gap / max(1e-9, texture.std())
    return 0.5 + np.clip(texture, -0.4, 1.0), float(np.exp(0.25 * preset.neural_gap * rng.standard_normal()))


def render(
    preset: Preset,
    who: Population,
    spots: np.ndarray,
    rest: np.ndarray,
    brightness: float,
    trace: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(frame, side, side) float32 fluorescence from calcium (frame, axon)."""
    frames, side = len(trace), preset.side
    # One spike adds about a tenth of the resting fluorescence (GCaMP6s: 10 to 25 %).
    signal = 0.1 * trace * who.gain
    images = signal @ spots.reshape(len(spots), -1)
    diffuse = gaussian_filter(spots.mean(0), side / 8)
    images += preset.neuropil * signal.mean(1, keepdims=True) * (diffuse / diffuse.max()).ravel() * 5
    images = (images + rest.ravel()).reshape(frames, side, side).astype(np.float32)
    # Residual motion after registration: sub-pixel shifts by linear interpolation, slow over frames.
    moves = preset.jitter * gaussian_filter(rng.standard_normal((frames, 2)), (4, 0)) * 3
    images = _shift(images, moves.astype(np.float32))
    bleach = 1 - preset.bleaching * np.linspace(0, 1, frames, dtype=np.float32)
    images *= brightness * bleach[:, None, None]
    # Shot noise: variance grows with the light that arrives.
    noise = rng.standard_normal(images.shape, dtype=np.float32)
    return np.maximum(images + preset.shot_noise * np.sqrt(np.maximum(images, 0.01)) * noise, 0.01)


def _in_lobe(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 2) uniform in the unit disc."""
    radius, angle = np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _shift(images: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Each frame moved by its (y, x) pixels; first-order, which is enough for fractions of a pixel."""
    dy, dx = np.gradient(images, axis=(1, 2))
    return images - moves[:, 0, None, None] * dy - moves[:, 1, None, None] * dx
