"""The explicit steps between raw arrays and the store; each maps a (lazy) array to one of the same clock."""

from __future__ import annotations

import dask.array as da
import numpy as np

from neural_action.errors import InputError

# Percentiles are taken over at most this many frames, evenly spread, so that memory does not grow with the recording.
SAMPLED_FRAMES = 500


def sampled_frames(neural: da.Array) -> np.ndarray:
    """At most ``SAMPLED_FRAMES`` evenly spaced frames, float32, read a chunk at a time."""
    stride = -(-len(neural) // SAMPLED_FRAMES)
    parts, first = [], 0
    for size in neural.chunks[0]:
        start = -first % stride
        if start < size:
            parts.append(np.asarray(neural[first + start : first + size : stride], np.float32))
        first += size
    return np.concatenate(parts)


def check_finite(neural: da.Array, where: str) -> da.Array:
    """The array, made to raise InputError when a chunk with NaN or infinity is computed."""

    def check(block: np.ndarray) -> np.ndarray:
        # The sum of finite float32 values in float64 is finite: one pass, no mask.
        if not np.isfinite(block.sum(dtype=np.float64)):
            raise InputError(f"{where}: neural data hold NaN or infinity, expected finite fluorescence")
        return block

    return neural.map_blocks(check, dtype=neural.dtype, meta=np.empty((0,) * neural.ndim, neural.dtype))


def resize(neural: da.Array, side: int) -> da.Array:
    """Mean over square blocks of pixels, so that the longer side becomes ``side`` (our choice: areas, no ringing).

    Raises InputError for traces, or if ``side`` does not divide the sides.
    """
    if neural.ndim != 3:
        raise InputError(f"convert.resize: {side}, but the recording holds traces of shape {neural.shape}")
    y, x = neural.shape[1:]
    factor = max(y, x) // side
    if factor < 1 or max(y, x) % side or y % factor or x % factor:
        fitting = [n for n in range(1, max(y, x) + 1) if max(y, x) % n == 0 and y % (max(y, x) // n) == 0]
        raise InputError(f"convert.resize: {side} does not divide images of {y} x {x}, expected one of {fitting}")
    if factor == 1:
        return neural

    def pool(block: np.ndarray) -> np.ndarray:
        return block.reshape(len(block), y // factor, factor, x // factor, factor).mean((2, 4), dtype=np.float32)

    return neural.map_blocks(
        pool,
        chunks=(neural.chunks[0], (y // factor,), (x // factor,)),
        dtype=np.float32,
        meta=np.empty((0, 0, 0), np.float32),
    )


def linear_map(
    frames: np.ndarray, dff: float | None, scale: tuple[float, float] | None
) -> tuple[np.ndarray | float, np.ndarray | float, tuple[float, float] | None]:
    """dF/F and percentile scaling as one map value * gain + offset, then clipping, from sampled frames.

    dF/F = (F - F0) / F0 with F0 the ``dff`` percentile of each pixel or unit (our choice); F0 is floored at a
    hundredth of its mean over pixels, so that a dark or constant pixel does not blow up. Scaling maps the two
    percentiles of all values of the trial to 0 and 1 and clips there (.5 and 99.5: the authors' code).

    Returns:
        gain and offset (scalars, or of one frame's shape) and the clipping bounds, if any.
    """
    gain: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    if dff is not None:
        baseline = np.percentile(frames, dff, axis=0)
        baseline = np.maximum(baseline, max(1e-6, 0.01 * float(np.abs(baseline).mean())))
        gain, offset = 1 / baseline, np.full_like(baseline, -1.0)
    if scale is None:
        return gain, offset, None
    low, high = np.percentile(frames * gain + offset, scale)
    spread = high - low if high > low else 1.0
    return gain / spread, (offset - low) / spread, (0.0, 1.0)


def normalise(
    neural: da.Array, dff: float | None, scale: tuple[float, float] | None, dtype: str
) -> da.Array:
    """Apply ``linear_map`` to every frame, and cast."""
    gain, offset, bounds = linear_map(sampled_frames(neural), dff, scale)
    gain, offset = (np.asarray(value, np.float32) for value in (gain, offset))

    def apply(block: np.ndarray) -> np.ndarray:
        out = block * gain
        out += offset
        if bounds is not None:
            np.clip(out, *bounds, out=out)
        return out.astype(dtype, copy=False)

    return neural.map_blocks(apply, dtype=dtype, meta=np.empty((0,) * neural.ndim, dtype))


def root_relative(pose: np.ndarray) -> np.ndarray:
    """Pose relative to a point fixed to the body, (sample, keypoint, axis).

    For the 38 keypoints of the fly, each side is seen by its own camera and has its own root: the mean of its three
    thorax-coxa joints (0, 5, 10 left; 19, 24, 29 right). Any other skeleton: its centroid. Our choice.
    Raises InputError for behaviour without keypoints.
    """
    if pose.ndim != 3:
        raise InputError(f"convert.root_relative: needs keypoints, the behaviour has shape {pose.shape}")
    if pose.shape[1] != 38:
        return pose - pose.mean(1, keepdims=True)
    out = pose.copy()
    for first in (0, 19):
        root = pose[:, [first, first + 5, first + 10]].mean(1, keepdims=True)
        out[:, first : first + 19] -= root
    return out
