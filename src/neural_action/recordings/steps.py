"""The steps between raw arrays and the store; each maps an array to another one on the same clock.

Steps on neural data are pure functions of lazy (dask) arrays, (time, y, x) or (time, unit), and treat each frame
separately. dF/F and scaling need statistics of the trial: they take them from ``sampled_frames`` and are applied as one
linear map.
"""

from __future__ import annotations

from collections.abc import Sequence

import dask.array as da
import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.manifest import LARGEST

# Statistics of a trial use at most this many evenly spaced frames and this many bytes, so that memory does not grow
# with the recording.
SAMPLED_FRAMES = 500
SAMPLED_BYTES = 64 << 20
#: Percentiles of a unit need more frames than those of an image.
SAMPLED_TRACES = 2_000
#: F0 is at least this fraction of the mean absolute value: for a unit its own mean, for a pixel that of all pixels, so
#: that dark pixels stay dark (our choice).
LEAST_UNIT, LEAST_PIXEL = 0.1, 0.01


def sampled_frames(neural: da.Array) -> da.Array:
    """Evenly spaced frames, lazily: at most ``SAMPLED_FRAMES`` (traces: ``SAMPLED_TRACES``) and ``SAMPLED_BYTES``.

    Applied before any other step, it reads only these frames from the file.
    """
    frame_bytes = 4 * int(np.prod(neural.shape[1:]))
    most = SAMPLED_TRACES if neural.ndim == 2 else SAMPLED_FRAMES
    count = max(1, min(most, SAMPLED_BYTES // frame_bytes))
    return neural[:: -(-len(neural) // count)]


def resized(shape: Sequence[int], side: int | None) -> tuple[int, ...]:
    """Height and width of images (y, x) whose longer side becomes ``side`` pixels; None leaves them."""
    block = 1 if side is None else max(1, max(shape) // side)
    return tuple(length // block for length in shape)


def resize(neural: da.Array, side: int) -> da.Array:
    """Shrink (time, y, x) to float32 images whose longer side is ``side`` pixels, by means over square blocks.

    Our choice: an area average neither rings nor aliases. InputError for traces, or, with the possible sides, if square
    blocks do not divide the image.
    """
    if neural.ndim != 3:
        raise InputError(f"convert.resize: {side}, expected null for traces (shape {neural.shape})")
    y, x = neural.shape[1:]
    longer = max(y, x)
    possible = [longer // n for n in range(longer, 0, -1) if y % n == 0 and x % n == 0]
    if side not in possible:
        raise InputError(f"convert.resize: {side} for images of {y} x {x}, expected one of {possible}")
    height, width = resized((y, x), side)
    if (height, width) == (y, x):
        return neural

    def pool(block: np.ndarray) -> np.ndarray:
        blocks = block.reshape(len(block), height, y // height, width, x // width)
        return blocks.mean((2, 4), dtype=np.float32)

    chunks = (neural.chunks[0], (height,), (width,))
    return da.map_blocks(pool, neural, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))


def linear_map(
    frames: np.ndarray, dff: float | None, scale: tuple[float, float] | None, per_unit: bool = True
) -> tuple[np.ndarray | float, np.ndarray | float, tuple[float, float] | None]:
    """dF/F, then percentile scaling, as one map value * gain + offset followed by clipping.

    dF/F = (F - F0) / F0, where F0 is the ``dff`` percentile of each pixel or unit (our choice). F0 has a lower bound
    (our choice): for a unit, a tenth of its mean absolute value, so that units below 0 after neuropil subtraction keep
    a reasonable scale; for a pixel, a hundredth of the mean absolute value of all pixels, so that dark and constant
    pixels stay finite and small.

    Scaling maps two percentiles to 0 and 1 and clips there (.5 and 99.5: the authors' code). Percentiles are taken for
    each unit separately, because ranges differ between units (our choice), and for all pixels of a movie together. If
    both percentiles are equal, as in a constant recording, values are only shifted.

    Args:
        frames: (frame, ...) float32, evenly spaced frames of the trial.
        dff: percentile that is F0; None for no dF/F.
        scale: the two percentiles; None for no scaling.
        per_unit: whether percentiles of traces are taken for each unit.

    Returns:
        gain and offset (scalars, or of one frame's shape) and the clipping bounds, if any.

    Raises:
        InputError: the low percentile is not below the high one.
    """
    if scale is not None and scale[0] >= scale[1]:
        raise InputError(f"convert.scale: low {scale[0]:g} and high {scale[1]:g}, expected low below high")
    gain: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    if frames.ndim == 2 and scale is not None and per_unit:
        return _map_of_units(frames, dff, scale)
    if dff is not None:
        gain, offset = 1 / np.maximum(np.percentile(frames, dff, axis=0), least_baseline(frames)), -1.0
    if scale is None:
        return gain, offset, None
    low, high = np.percentile(frames * gain + offset, scale)
    spread = high - low if high > low else 1.0
    return gain / spread, (offset - low) / spread, (0.0, 1.0)


def _map_of_units(
    frames: np.ndarray, dff: float | None, scale: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """``linear_map`` of traces for each unit; percentiles of dF/F are computed as dF/F of percentiles."""
    units = np.ascontiguousarray(frames.T)
    base, low, high = np.percentile(units, (0.0 if dff is None else dff, *scale), axis=1)
    f0 = np.ones(len(units)) if dff is None else np.maximum(base, least_baseline(frames))
    spread = np.where(high > low, high - low, f0)
    # Both with and without dF/F the result is (F - low) / (high - low); F0 matters only for constant units.
    return 1 / spread, -low / spread, (0.0, 1.0)


def least_baseline(frames: np.ndarray) -> np.ndarray:
    """Lower bound of F0: (unit,) float64 for traces, () float64 for all pixels of a movie; 1 if all values are 0."""
    traces = frames.ndim == 2
    size = np.abs(frames).mean(axis=0 if traces else None, dtype=np.float64)
    least = (LEAST_UNIT if traces else LEAST_PIXEL) * size
    return np.where(least > 0, least, 1.0)


def normalise(
    neural: da.Array,
    frames: np.ndarray,
    dff: float | None,
    scale: tuple[float, float] | None,
    dtype: str,
    per_unit: bool = True,
) -> da.Array:
    """Apply ``linear_map`` of ``frames`` to ``neural`` and cast to ``dtype`` (uint8: 255 for 1).

    Computing a chunk raises InputError if values do not fit float16, or are not 0 to 1 for uint8.
    """
    gain, offset, bounds = linear_map(frames, dff, scale, per_unit)
    gain, offset = (np.asarray(value, np.float32) for value in (gain, offset))

    def apply(block: np.ndarray) -> np.ndarray:
        out = block * gain
        out += offset
        if bounds is not None:
            np.clip(out, *bounds, out=out)
        if dtype == "uint8":
            return _as_bytes(out)
        try:
            with np.errstate(over="raise"):
                return out.astype(dtype, copy=False)
        except FloatingPointError:
            raise InputError(
                f"convert.dtype: {dtype} cannot hold {np.abs(out).max():g}, expected float32, or set convert.scale"
            ) from None

    return da.map_blocks(apply, neural, dtype=dtype, meta=np.empty((0,) * neural.ndim, dtype))


def _as_bytes(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 as uint8, in steps of 1 / 255. InputError for values outside."""
    if not (values.min(initial=0) >= 0 and values.max(initial=1) <= 1):
        raise InputError(
            f"convert.dtype: uint8 holds 0 to 1, found {values.min():g} to {values.max():g}; expected float32, or set "
            "convert.scale"
        )
    return np.rint(LARGEST * values).astype(np.uint8)


def root_relative(pose: np.ndarray) -> np.ndarray:
    """Pose (sample, keypoint, axis) relative to a root on the body, in the same unit (our choice).

    With 38 keypoints (the fly), each side is seen by its own camera and has its own root, the mean of its three
    thorax-coxa joints (0, 5, 10 of keypoints 0-18; 19, 24, 29 of 19-37). For any other skeleton the root is the
    centroid. InputError for behaviour without keypoints.
    """
    if pose.ndim != 3:
        raise InputError(
            f"convert.root_relative: behaviour has shape {pose.shape}, expected (sample, keypoint, axis)"
        )
    if pose.shape[1] != 38:
        return pose - pose.mean(1, keepdims=True)
    out = pose.copy()
    for first in (0, 19):
        out[:, first : first + 19] -= pose[:, [first, first + 5, first + 10]].mean(1, keepdims=True)
    return out
