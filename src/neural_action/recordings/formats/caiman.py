"""CaImAn: the HDF5 of a fit (``cnmf.save``), with the group ``estimates``.

``F_dff``, ``C``, ``S`` and ``YrA`` are (unit, frame); ``idx_components`` are the accepted units; ``params/data/fr`` is
the frame rate. Results that were not computed are stored as the text ``NoneType``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from neural_action.config.kinds import Section
from neural_action.errors import InputError
from neural_action.recordings.formats import Neural
from neural_action.recordings.formats.arrays import transposed
from neural_action.recordings.hdf5 import Dataset, members, opened, read_numbers

EXPECTED = "an HDF5 of CaImAn with estimates/C"
UNITS = {
    "F_dff": "dF/F",
    "C": "denoised fluorescence",
    "S": "deconvolved events",
    "C+YrA": "fluorescence above background",
}

#: Preferred signals, the best first; deconvolved events are read only if configured.
RANKED = ("F_dff", "C+YrA", "C")


class Options(Section):
    """Options of this format.

    Attributes:
        signal: ``F_dff``, ``C`` (denoised), ``S`` (deconvolved) or ``C+YrA`` (denoised plus residual).
        accepted: whether to read only the units in idx_components.
    """

    signal: Literal["F_dff", "C", "S", "C+YrA"] = "F_dff"
    accepted: bool = True


def recognise(path: Path) -> str | None:
    """Recognise an HDF5 with estimates/C."""
    if path.suffix not in (".h5", ".hdf5") or not path.is_file():
        return None
    try:
        with opened(path) as file:
            return "CaImAn estimates" if file.get("estimates/C") is not None else None
    except InputError:
        return None


def computed(path: Path) -> tuple[list[str], bool]:
    """The signals that a file has, and whether its components were evaluated. InputError if it cannot be read."""
    with opened(path, EXPECTED) as file:
        group = members(file.get("estimates"))
        there = _there(group)
        signals = [name for name in UNITS if all(part in there for part in name.split("+"))]
        accepted = _array(group, "idx_components")
        return signals, accepted is not None and accepted.ndim == 1 and len(accepted) > 0


def neural(path: Path, options: Options) -> Neural:
    """Traces (frame, unit) float32, lazy. InputError naming the file and the bad array."""
    with opened(path, EXPECTED) as file:
        if "estimates" not in file:
            raise InputError(f"{path}: holds {', '.join(file)}, expected {EXPECTED}")
        group = members(file["estimates"])
        parts = [_traces(path, group, name) for name in options.signal.split("+")]
        units = parts[0].shape[0]
        keep: Any = slice(None)
        if options.accepted:
            keep = _array(group, "idx_components")
            if keep is None or keep.dtype.kind not in "iu" or keep.ndim != 1:
                raise InputError(
                    f"{path}: estimates/idx_components holds no units, expected some, or options accepted: false"
                )
            if len(keep) == 0 or keep.min() < 0 or keep.max() >= units:
                raise InputError(
                    f"{path}: idx_components holds {len(keep)} numbers, expected at least one, from 0 to {units - 1}"
                )
        rate = _rate(path, file)
    data = transposed(parts[0], keep)
    for part in parts[1:]:
        if part.shape != parts[0].shape:
            raise InputError(f"{path}: {part.name} has shape {part.shape}, expected {parts[0].shape}")
        data = data + transposed(part, keep)
    kept = data.shape[1]
    numbers = keep if options.accepted else range(units)
    said = f"{options.signal}: {kept} of {units} components" + (" (accepted)" if options.accepted else "")
    return Neural(
        data, UNITS[options.signal], rate=rate, names=tuple(f"component {at}" for at in numbers), source=said
    )


def _there(group: dict[str, Any]) -> list[str]:
    """Names of the traces that were computed."""
    return [
        key
        for key in ("F_dff", "C", "S", "YrA")
        if len(getattr(group.get(key), "shape", None) or ()) == 2
        and group[key].dtype.kind in "biuf"
        and group[key].size
    ]


def _traces(path: Path, group: dict[str, Any], name: str) -> Dataset:
    there = _there(group)
    if name not in there:
        raise InputError(
            f"{path}: estimates/{name} was not computed, found {', '.join(there) or 'no traces'}"
        )
    return Dataset(path, f"estimates/{name}", group[name].shape, group[name].dtype)


def _array(group: dict[str, Any], name: str) -> np.ndarray | None:
    value = group[name][()] if hasattr(group.get(name), "shape") else None
    return value if isinstance(value, np.ndarray) else None


def _rate(path: Path, file: Any) -> float | None:
    item = file.get("params/data/fr")
    if item is None:
        return None
    rate = read_numbers(path, "params/data/fr", item)
    if rate.size != 1 or not 0 < float(rate.item()) < np.inf:
        raise InputError(f"{path}: params/data/fr is {rate!r}, expected the frame rate")
    return float(rate.item())
