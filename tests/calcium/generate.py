"""A small generator of calcium recordings with a known decay, independent of the package's simulator."""

import numpy as np

RATE, POSE_RATE, SIDE = 16, 100, 20


def trial(decay, seed, seconds=70, rise=0.05, units=14):
    """(movie, movie_time, pose, pose_time, moving): semi-Markov movement, Poisson spikes, noisy images."""
    rng = np.random.default_rng(seed)
    n = round(seconds * POSE_RATE)
    moving = np.zeros(n, bool)
    at, state = 0, True
    while at < n:
        stop = at + max(40, round(rng.lognormal(np.log(2.5), 0.6) * POSE_RATE))
        moving[at:stop], at, state = state, stop, not state
    t = np.arange(n) / POSE_RATE
    phase = 2 * np.pi * 5 * t[:, None] + rng.uniform(0, 2 * np.pi, 12)
    pose = 0.5 * np.sin(phase) * moving[:, None] + 0.02 * rng.normal(size=(n, 12))
    # Most units fire in movement, one in five rather at rest.
    rate = np.where(rng.random(units) < 0.8, 6.0, 0.3) * moving[:, None]
    rate += np.where(rate.max(0) > 1, 0.2, 2.0) * ~moving[:, None]
    lag = np.arange(0, 8 * decay, 1 / POSE_RATE)
    response = np.exp(-lag / decay) - np.exp(-lag / rise)
    spikes = rng.poisson(rate / POSE_RATE)
    size = 1 << int(np.ceil(np.log2(2 * n)))
    calcium = np.fft.irfft(
        np.fft.rfft(spikes, size, axis=0) * np.fft.rfft(response, size)[:, None], size, axis=0
    )
    frames = np.arange(0, n, POSE_RATE / RATE).astype(int)
    grid = np.mgrid[:SIDE, :SIDE] + 0.5
    places = rng.uniform(2, SIDE - 2, (units, 2))
    spots = np.exp(-((grid[None] - places[:, :, None, None]) ** 2).sum(1) / 2)
    movie = 1 + 0.15 * np.tensordot(calcium[frames], spots, 1)
    slow = np.convolve(rng.normal(size=len(frames) + 400), np.ones(401) / 20, "valid")
    movie += 0.01 * slow[:, None, None]
    movie += 0.15 * np.sqrt(np.maximum(movie, 0.1)) * rng.normal(size=movie.shape)
    return movie.astype(np.float32), frames / POSE_RATE, pose.astype(np.float32), t, moving
