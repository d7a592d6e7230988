"""Writers of embeddings to files for other programs; every file is written atomically."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_action.errors import InputError, needed
from neural_action.files import atomic_write

if TYPE_CHECKING:
    from neural_action.inference.embedding import Embedding

MODULE = "neural_action"
#: Tolerance of the times of a regular series, s.
_REGULAR = 1e-6


def write(embedding: Embedding, path: Path, source: Path | None) -> None:
    """Write in the format of the suffix of ``path``; see ``Embedding.save``. InputError as there."""
    writers: dict[str, Callable[[Embedding, Path], None]] = {
        ".parquet": _parquet,
        ".nc": _netcdf,
        ".npz": _npz,
        ".h5": _hdf5,
        ".nwb": lambda what, partial: _nwb(what, partial, source),
    }
    if path.suffix not in writers:
        raise InputError(f"{path}: suffix {path.suffix!r}, expected one of {', '.join(writers)}")
    if source is not None and path.suffix != ".nwb":
        raise InputError(f"{source}: a source file needs output with suffix .nwb, found {path.name}")
    if source is not None and (not source.is_file() or source.resolve() == path.resolve()):
        raise InputError(f"{source}: not a file or equal to the output, expected another NWB file")
    with atomic_write(path) as partial:
        writers[path.suffix](embedding, partial)


def arrays(embedding: Embedding) -> dict[str, np.ndarray]:
    """The embedding as numeric arrays by name; ``names`` has the names behind the numbers."""
    animals = sorted(set(embedding.animals))
    return {
        "embedding": embedding.values,
        "time": embedding.time,
        "trial": embedding.trial,
        "animal": np.array([animals.index(name) for name in embedding.animal], np.int64),
        "label": embedding.label,
    }


def names(embedding: Embedding) -> dict[str, list[str]]:
    """Names behind the numbers in ``arrays``."""
    return {
        "trial": list(embedding.trials),
        "animal": sorted(set(embedding.animals)),
        "label": list(embedding.class_names),
    }


def _parquet(embedding: Embedding, path: Path) -> None:
    needed("pyarrow", "export", "Parquet")
    frame = embedding.to_frame()
    frame.attrs["about"] = json.dumps(dict(embedding.about))
    frame.to_parquet(path, engine="pyarrow", index=False)


def _netcdf(embedding: Embedding, path: Path) -> None:
    needed("h5netcdf", "export", "NetCDF-4")
    needed("h5py", "export", "NetCDF-4")
    embedding.to_xarray().to_netcdf(path, engine="h5netcdf")


def _npz(embedding: Embedding, path: Path) -> None:
    with path.open("wb") as file:
        described = {f"{key}_names": np.array(value, np.str_) for key, value in names(embedding).items()}
        np.savez(file, allow_pickle=False, **arrays(embedding), **described)


def _hdf5(embedding: Embedding, path: Path) -> None:
    h5py = needed("h5py", "export", "HDF5")
    with h5py.File(path, "w") as file:
        for key, value in arrays(embedding).items():
            file[key] = value
        file.attrs["about"] = json.dumps({**embedding.about, "names": names(embedding)})


def _nwb(embedding: Embedding, path: Path, source: Path | None) -> None:
    """Write a processing module with one TimeSeries for each trial, on the neural clock of the trial.

    Series are named after animal and trial. InputError for several animals, because an NWB file has one subject, and if
    ``source`` has such a module.
    """
    pynwb = needed("pynwb", "nwb", "NWB")
    animals = list(dict.fromkeys(embedding.animal.tolist()))
    if len(animals) > 1:
        raise InputError(
            f"NWB: an embedding of {len(animals)} animals ({', '.join(animals[:6])}), expected one, because a file has "
            f"one subject; save each for itself: embedding[embedding.animal == {animals[0]!r}].save(...)"
        )
    if source is not None:
        shutil.copyfile(source, path)
    with pynwb.NWBHDF5IO(path, "w" if source is None else "a") as io:
        if source is None:
            content = pynwb.NWBFile(
                session_description="Neural action representations; when the session began was not recorded",
                identifier=hashlib.sha256(embedding.values.tobytes()).hexdigest()[:32],
                session_start_time=datetime(1970, 1, 1, tzinfo=UTC),
                subject=_subject(pynwb, embedding),
            )
        else:
            content = io.read()
        if MODULE in content.processing:
            raise InputError(f"{source}: has a processing module {MODULE!r} already, expected none")
        what = json.dumps({**embedding.about, "class_names": list(embedding.class_names)})
        module = content.create_processing_module(MODULE, f"Embeddings of neural windows: {what}")
        for at, (animal, trial) in enumerate(zip(embedding.animals, embedding.trials, strict=True)):
            part = embedding.of_trial(at)
            if not len(part):
                continue
            label = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{animal}_{trial}")
            module.add(
                pynwb.TimeSeries(
                    name=f"embedding_{label}",
                    data=part.values,
                    unit="a.u.",
                    **_clock(part.time),
                    description=f"(window, dimension) of {animal}, trial {trial}; time is the window's centre",
                )
            )
            if (part.label >= 0).any():
                module.add(
                    pynwb.TimeSeries(
                        name=f"label_{label}",
                        data=part.label,
                        unit="class",
                        **_clock(part.time),
                        description="(window,) place of the action in class_names of this module; -1 unlabelled",
                    )
                )
        io.write(content)


def _subject(pynwb: ModuleType, embedding: Embedding) -> Any:
    """The subject; None if the recordings name none. Species, sex and age are unknown."""
    animals = {name for name in embedding.animal.tolist() if name}
    if not animals:
        return None
    # P0D/ means any age in the NWB standard.
    return pynwb.file.Subject(
        subject_id=animals.pop(), sex="U", age="P0D/", description="The animal as the recordings name it"
    )


def _clock(time: np.ndarray) -> dict[str, Any]:
    """Starting time and rate of evenly spaced windows (within a microsecond), else their times."""
    if len(time) > 1:
        step = float(time[-1] - time[0]) / (len(time) - 1)
        if np.abs(time - (time[0] + step * np.arange(len(time)))).max() < _REGULAR:
            return {"starting_time": float(time[0]), "rate": 1 / step}
    return {"timestamps": time}
