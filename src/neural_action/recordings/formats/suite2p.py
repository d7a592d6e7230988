"""suite2p: the folder ``plane<k>`` with ``F.npy`` and what lies beside it.

``F.npy``, ``Fneu.npy``, ``spks.npy``: (unit, frame) float32; ``iscell.npy``: (unit, 2), whether it is a cell and the
probability; ``ops.npy``: a pickled dictionary, of which the frame rate ``fs`` is read, without executing anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.formats import FormatOptions, Neural
from neural_action.recordings.formats.arrays import mapped_npy, transposed
from neural_action.recordings.pickles import load_object_pickle

EXPECTED = "a suite2p folder with F.npy (and iscell.npy, Fneu.npy, spks.npy, ops.npy)"
_FILES = ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "ops.npy")


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        signal: ``corrected`` is F minus ``neuropil`` times Fneu, as suite2p subtracts it; ``F`` raw fluorescence;
            ``spks`` deconvolved.
        neuropil: that factor (suite2p: 0.7).
        cells: only units that iscell.npy marks as cells.
        probability: of those only units that are at least so probably cells.
    """

    signal: Literal["corrected", "F", "spks"] = "corrected"
    neuropil: Annotated[float, Field(ge=0)] = 0.7
    cells: bool = True
    probability: Annotated[float, Field(ge=0, le=1)] = 0.0


def recognise(path: Path) -> str | None:
    """A folder with F.npy."""
    return "suite2p traces" if (path / "F.npy").is_file() else None


def files(path: Path) -> list[Path]:
    """What is read of the folder; not its registered movie."""
    return [path / name for name in _FILES if (path / name).is_file()]


def neural(path: Path, options: Options) -> Neural:
    """Traces (frame, unit) float32, lazy: a block of frames is read at a time.

    Raises InputError naming the file: missing, of another shape than F.npy, no unit left, not an array.
    """
    name = "spks.npy" if options.signal == "spks" else "F.npy"
    traces = _traces(path / name)
    keep = _cells(path / "iscell.npy", len(traces), options) if options.cells else slice(None)
    subtract = None
    if options.signal == "corrected":
        subtract = _traces(path / "Fneu.npy")
        if subtract.shape != traces.shape:
            raise InputError(f"{path / 'Fneu.npy'}: shape {subtract.shape}, expected {traces.shape} as F.npy")
    data = transposed(traces, keep)
    if subtract is not None:
        data = data - np.float32(options.neuropil) * transposed(subtract, keep)
    unit = "deconvolved events" if options.signal == "spks" else "raw fluorescence"
    return Neural(data, unit, rate=_rate(path / "ops.npy"))


def _traces(path: Path) -> np.ndarray:
    if not path.is_file():
        hint = "; signal: F needs no neuropil" if path.name == "Fneu.npy" else ""
        raise InputError(f"{path}: no such file, expected {EXPECTED}{hint}")
    traces = mapped_npy(path)
    if traces.ndim != 2 or traces.dtype.kind not in "iuf" or 0 in traces.shape:
        raise InputError(f"{path}: {traces.dtype} of shape {traces.shape}, expected numbers (unit, frame)")
    return traces


def _cells(path: Path, units: int, options: Options) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected it beside F.npy, or options cells: false")
    table = mapped_npy(path)
    if table.shape != (units, 2) or table.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: {table.dtype} of shape {table.shape}, expected ({units}, 2), a row a unit of F.npy"
        )
    keep = np.flatnonzero((table[:, 0] > 0.5) & (table[:, 1] >= options.probability))
    if len(keep) == 0:
        raise InputError(f"{path}: marks none of {units} units as a cell, expected one, or cells: false")
    return keep


def _rate(path: Path) -> float | None:
    """``fs`` of ops.npy, if it is there."""
    if not path.is_file():
        return None
    ops = load_object_pickle(path, opaque=True)
    rate = ops.get("fs") if isinstance(ops, dict) else None
    if not isinstance(rate, int | float) or not 0 < rate < 1e6:
        raise InputError(f"{path}: fs is {rate!r}, expected the frame rate")
    return float(rate)
