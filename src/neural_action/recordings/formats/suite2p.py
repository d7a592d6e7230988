"""suite2p: the folder that holds ``plane0``, ``plane1``, ... (or only ``combined``), or one plane's folder.

Each plane has ``F.npy``, ``Fneu.npy`` and ``spks.npy``, (unit, frame) float32; ``iscell.npy``, (unit, 2), a mark of
cells and its probability; and pickled dictionaries: ``ops.npy``, or since suite2p 1.0 ``settings.npy`` and ``db.npy``
(and ``ops.npy`` with ``save_ops_orig``). Only the frame rate ``fs`` of a plane and the neuropil coefficient are read
from these, without executing anything. Sources: suite2p's ``io/save.py`` and ``parameters.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError
from neural_action.recordings.formats import Neural
from neural_action.recordings.formats.arrays import mapped_npy, side_by_side, transposed
from neural_action.recordings.pickles import load_object_pickle

EXPECTED = "a suite2p folder with F.npy (and iscell.npy, Fneu.npy, spks.npy, ops.npy or settings.npy)"
_FILES = ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "ops.npy", "settings.npy", "db.npy")
_PLANE = re.compile(r"plane(\d+)")
#: suite2p's default neuropil coefficient.
NEUROPIL = 0.7


class Options(Section):
    """Options of this format.

    Attributes:
        signal: ``corrected``, F minus ``neuropil`` times Fneu, as in suite2p; ``F``, raw fluorescence; or ``spks``,
            deconvolved.
        neuropil: neuropil coefficient; null: the one that suite2p used (``neucoeff``), else 0.7.
        cells: whether to read only units that iscell.npy marks as cells.
        probability: minimum probability of these units in iscell.npy.
        planes: planes to read, if the folder has several; null: all.
    """

    signal: Literal["corrected", "F", "spks"] = "corrected"
    neuropil: Annotated[float, Field(ge=0)] | None = None
    cells: bool = True
    probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    planes: list[Annotated[int, Field(ge=0)]] | None = None


def recognise(path: Path) -> str | None:
    """Recognise a folder with F.npy, or with planes that have it."""
    if (path / "F.npy").is_file():
        return "suite2p traces"
    if path.is_dir() and (planes := _planes(path)):
        return f"suite2p traces of {len(planes)} plane{'s' if len(planes) > 1 else ''}"
    return None


def files(path: Path) -> list[Path]:
    """The files to read from the folder, without its registered movie."""
    return [place / name for place in _places(path) for name in _FILES if (place / name).is_file()]


def neural(path: Path, options: Options) -> Neural:
    """Traces (frame, unit) float32, lazy, with the units of all planes; they are read in blocks of frames.

    Planes may differ by one frame, because the last volume can be incomplete; all are cut to the shortest. InputError
    naming the file: it is missing, is not an array or has another shape than F.npy; no unit is left; planes differ in
    frames or rate; or a plane does not exist.
    """
    places = _chosen(path, options)
    parts, names, all_units = [], [], 0
    for place in places:
        traces = _traces(place / ("spks.npy" if options.signal == "spks" else "F.npy"))
        keep = _cells(place / "iscell.npy", len(traces), options) if options.cells else np.arange(len(traces))
        all_units += len(traces)
        if len(keep):
            parts.append(_signal(place, traces, keep, options))
            names += [f"{place.name}/{unit}" for unit in keep]
    if not parts:
        where = places[0] / "iscell.npy" if len(places) == 1 else path
        raise InputError(
            f"{where}: marks none of {all_units} units as a cell, expected at least one (every unit is read with "
            "--option neural.options.cells=false)"
        )
    lengths = [len(part) for part in parts]
    if max(lengths) - min(lengths) > 1:
        raise InputError(
            f"{path}: planes of {min(lengths)} to {max(lengths)} frames, expected the same number in each"
        )
    data = side_by_side(parts)
    rates = {_setting(place, "fs") for place in places}
    if len(rates) > 1:
        raise InputError(f"{path}: planes at {_listed(rates)} frames per second, expected one rate")
    unit = "deconvolved events" if options.signal == "spks" else "raw fluorescence"
    return Neural(
        data, unit, None, rates.pop(), tuple(names), _said(path, places, options, len(names), all_units)
    )


def _planes(path: Path) -> list[Path]:
    """Folders of planes with traces, sorted by number; a plane without cells has no traces."""
    found = [(int(match[1]), place) for place in path.iterdir() if (match := _PLANE.fullmatch(place.name))]
    return [place for _, place in sorted(found) if (place / "F.npy").is_file()]


def _places(path: Path) -> list[Path]:
    """The folder itself if it has traces; else its planes; else ``combined``, which suite2p pads with zeros."""
    if (path / "F.npy").is_file() or not path.is_dir():
        return [path]
    return _planes(path) or [path / "combined" if (path / "combined").is_dir() else path]


def _chosen(path: Path, options: Options) -> list[Path]:
    places = _places(path)
    if options.planes is None:
        return places
    there = {int(match[1]): place for place in places if (match := _PLANE.fullmatch(place.name))}
    if missing := [plane for plane in options.planes if plane not in there]:
        raise InputError(f"{path}: no plane {missing[0]}, expected some of {_listed(there) or 'no planes'}")
    return [there[plane] for plane in options.planes]


def _signal(place: Path, traces: np.ndarray, keep: np.ndarray, options: Options) -> Any:
    """Lazy (frame, kept unit) float32."""
    data = transposed(traces, keep)
    if options.signal != "corrected":
        return data
    around = _traces(place / "Fneu.npy")
    if around.shape != traces.shape:
        raise InputError(f"{place / 'Fneu.npy'}: shape {around.shape}, expected {traces.shape} as F.npy")
    return data - np.float32(_coefficient(place, options)) * transposed(around, keep)


def _traces(path: Path) -> np.ndarray:
    if not path.is_file():
        hint = "; signal: F needs no neuropil" if path.name == "Fneu.npy" else ""
        raise InputError(f"{path}: no such file, expected {EXPECTED}{hint}")
    traces = mapped_npy(path)
    if traces.ndim != 2 or traces.dtype.kind not in "iuf" or 0 in traces.shape:
        raise InputError(f"{path}: {traces.dtype} of shape {traces.shape}, expected numbers (unit, frame)")
    return traces


def _cells(path: Path, units: int, options: Options) -> np.ndarray:
    """Indices of the units that are cells with at least ``options.probability``."""
    if not path.is_file():
        raise InputError(
            f"{path}: no such file, expected it in the folder of F.npy (every unit is read with --option "
            "neural.options.cells=false)"
        )
    table = mapped_npy(path)
    if table.shape != (units, 2) or table.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: {table.dtype} of shape {table.shape}, expected ({units}, 2), a row for each unit of F.npy"
        )
    return np.flatnonzero((table[:, 0] > 0.5) & (table[:, 1] >= options.probability))


def _coefficient(place: Path, options: Options) -> float:
    """The neuropil coefficient: the configured one, else the one that suite2p used, else its default."""
    if options.neuropil is not None:
        return options.neuropil
    own = _setting(place, "neucoeff")
    return NEUROPIL if own is None else own


def _setting(place: Path, name: Literal["fs", "neucoeff"]) -> float | None:
    """The frame rate or the neuropil coefficient that suite2p stored for a plane, or None."""
    for file in (place / "ops.npy", place / "settings.npy", place.parent / "settings.npy"):
        if not file.is_file():
            continue
        content = load_object_pickle(file, opaque=True)
        noted = content if isinstance(content, dict) else {}
        extraction = noted.get("extraction")
        inner = extraction.get("neuropil_coefficient") if isinstance(extraction, dict) else None
        value = noted.get("neucoeff", inner) if name == "neucoeff" else noted.get("fs")
        if name == "neucoeff" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < 1e6:
            raise InputError(f"{file}: {name} is {value!r}, expected a number")
        if name == "fs" and value == 0:
            raise InputError(f"{file}: fs is {value!r}, expected the frame rate")
        return float(value)
    return None


def _said(path: Path, places: list[Path], options: Options, kept: int, units: int) -> str:
    """Phrase on what is read."""
    signal = {
        "corrected": "F minus neuropil",
        "F": "F, neuropil not subtracted",
        "spks": "spks, deconvolved",
    }[options.signal]
    if options.signal == "corrected":
        signal = f"F - {_coefficient(places[0], options):g} Fneu"
    which = f" of {', '.join(place.name for place in places)}" if places != [path] else ""
    chosen = "cells by iscell.npy" if options.cells else "cells: false"
    second = any((place / "F_chan2.npy").is_file() for place in places)
    more = "; another channel is not read (F_chan2.npy)" if second else ""
    return f"{signal}{which}: {kept} of {units} units ({chosen}){more}{_end_to_end(places[0])}"


def _end_to_end(place: Path) -> str:
    """Phrase on folders that suite2p ran as one recording; "" for one folder."""
    content = load_object_pickle(place / "ops.npy", opaque=True) if (place / "ops.npy").is_file() else None
    noted = content.get("frames_per_folder") if isinstance(content, dict) else None
    if not isinstance(noted, np.ndarray | list) or len(noted) < 2:
        return ""
    shown = ", ".join(str(count) for count in list(noted)[:6])
    return (
        f"; {len(noted)} folders end to end ({shown} frames): the time between them is not in the file, so give "
        "neural.clock.times"
    )


def _listed(values: Any) -> str:
    return ", ".join("none" if value is None else f"{value:g}" for value in sorted(values, key=str))
