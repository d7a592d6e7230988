"""One raw recording to its store: reader, explicit steps, verified write."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np

from neural_action.config.settings import ConvertSettings
from neural_action.recordings.readers import load_reader
from neural_action.recordings.sheet import SheetRow
from neural_action.recordings.steps import check_finite, normalise, resize, root_relative
from neural_action.recordings.store import write_store


def convert_trial(
    settings: ConvertSettings, dataset: str, root: Path, row: SheetRow, store: Path, manifest: Path, threads: int = 1
) -> None:
    """Read the raw recording of ``row`` below ``root``, apply the configured steps, write store and manifest.

    The neural array is never whole in memory. Raises InputError for anything wrong with the raw files.
    """
    reader = load_reader(settings.reader)
    names = None if settings.class_names is None else tuple(settings.class_names)
    recording = reader.read(root, row, reader.Options.parse(settings.reader_options), names)
    recording.check(str(Path(root) / row.path))
    neural = recording.neural
    if not isinstance(neural, da.Array):
        neural = da.from_array(neural, chunks=(-1,) * neural.ndim)
    neural = check_finite(neural, str(Path(root) / row.path))
    if settings.resize is not None:
        neural = resize(neural, settings.resize)
    units = dict(recording.units)
    if settings.dff is not None:
        units["neural"] = "dF/F"
    scale = None if settings.scale is None else (settings.scale.low, settings.scale.high)
    if scale is not None:
        units["neural"] = f"{units['neural']}, percentiles {scale[0]:g} and {scale[1]:g} at 0 and 1"
    neural = normalise(neural, None if settings.dff is None else settings.dff.percentile, scale, settings.dtype)
    behavior = np.asarray(recording.behavior, np.float32)
    if settings.root_relative:
        behavior = root_relative(behavior)
    sources = {str(path.relative_to(root)): _sha256(path) for path in reader.files(Path(root) / row.path)}
    write_store(
        replace(recording, neural=neural, behavior=behavior, units=units, sources=sources),
        store,
        manifest,
        dataset=dataset,
        steps=settings.model_dump(mode="json", exclude={"chunk_mb"}),
        chunk_mb=settings.chunk_mb,
        threads=threads,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
