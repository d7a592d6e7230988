"""Check that lazy neural values are finite when they are computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import arrays

if TYPE_CHECKING:
    import dask.array as da


def finite(data: Any, path: Path, names: tuple[str, ...]) -> da.Array:
    """The lazy array as float32; computing it raises InputError, with frame and unit, for NaN or infinity."""
    data = arrays.lazy(data)

    def check(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        block = np.asarray(block, np.float32)
        good = np.isfinite(block.reshape(len(block), -1)).all(1)
        if not good.all():
            first = block_info[0]["array-location"][0][0] if block_info else 0
            at = int(np.argmin(good))
            unit = int(np.argmin(np.isfinite(block[at]))) if block.ndim == 2 else None
            of = "" if unit is None else f" of unit {names[unit] if names else unit}"
            raise InputError(
                f"{path}: NaN or infinity in neural frame {first + at}{of}, expected finite values"
                + ("; set neural.missing.policy to interpolate or drop" if block.ndim == 2 else "")
            )
        return block

    return data.map_blocks(check, dtype=np.float32, meta=np.empty((0,) * data.ndim, np.float32))
