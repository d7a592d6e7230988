"""Convert one raw recording to its store: read it, apply the configured steps, write and verify."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import dask
import dask.array as da
import numpy as np

from neural_action.config.settings import ConvertSettings
from neural_action.files import sha256_of
from neural_action.recordings.plausible import check_plausible
from neural_action.recordings.readers import load_reader
from neural_action.recordings.recording import Recording
from neural_action.recordings.resample import resampled
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.steps import normalise, resize, root_relative, sampled_frames
from neural_action.recordings.store import write_store


def convert_trial(
    settings: ConvertSettings,
    dataset: str,
    root: Path,
    row: SampleRow,
    store: Path,
    manifest: Path,
    threads: int = 1,
) -> None:
    """Read the raw recording of ``row`` below ``root``, apply the configured steps, write store and manifest.

    The whole neural array is never in memory at once; memory is bounded by chunk size x threads.

    Args:
        settings: reader, its options, and the steps.
        dataset: name of the dataset, an attribute of the store.
        root: folder of the raw recordings.
        row: the recording.
        store: the Zarr store to write.
        manifest: its manifest, written last.
        threads: number of chunks computed at the same time.

    Raises:
        InputError: the raw files or the settings of a step are wrong.
    """
    root = Path(root)
    reader = load_reader(settings.reader)
    names = None if settings.class_names is None else tuple(settings.class_names)
    options = reader.Options.parse(settings.reader_options)
    recording = reader.read(root, row, options, names)
    recording.check(str(root / row.path))
    if row.part is not None:
        recording = recording.between(*row.part, str(root / row.path))
    steps = settings.model_dump(mode="json", exclude={"chunk_mb"})
    for what, recorded, wanted in (
        ("neural", recording.neural_rate, settings.neural_rate),
        ("behavior", recording.behavior_rate, settings.behavior_rate),
    ):
        if wanted is None:
            continue
        steps[f"{what}_rate_recorded"] = float(recorded)
        if recorded != wanted:
            shown = "neural frames" if what == "neural" else "behaviour samples"
            click.echo(
                f"{row.animal} {row.trial}: {shown} resampled from {recorded:.4g} to {wanted:.4g} /s "
                f"(convert.{what}_rate)",
                err=True,
            )
    with dask.config.set(scheduler="threads", num_workers=threads):
        check_plausible(recording, str(root / row.path))
        recording = apply_steps(settings, recording, str(root / row.path))
    sources = {
        path.relative_to(root).as_posix(): sha256_of(path) for path in reader.files(root, row, options)
    }
    write_store(
        replace(recording, sources=sources),
        Path(store),
        Path(manifest),
        dataset=dataset,
        steps=steps,
        chunk_mb=settings.chunk_mb,
        threads=threads,
    )


def apply_steps(settings: ConvertSettings, recording: Recording, where: str = "") -> Recording:
    """The recording after all steps: resampled; neural data resized, normalised, cast; behaviour relative to the root.

    Neural data stay lazy; only the sampled frames for the statistics are computed here. InputError as the steps.
    """
    recording = resampled(recording, settings.neural_rate, settings.behavior_rate, where)
    units = dict(recording.units)
    if settings.dff is not None:
        units["neural"] = "dF/F"
    if settings.scale is not None:
        low, high = settings.scale.low, settings.scale.high
        each = " of each unit" if recording.neural.ndim == 2 and settings.scale.per == "unit" else ""
        units["neural"] = f"{units['neural']}, percentiles {low:g} and {high:g}{each} at 0 and 1"
    behavior = np.asarray(recording.behavior, np.float32)
    return replace(
        recording,
        neural=normalised(settings, recording.neural),
        behavior=root_relative(behavior) if settings.root_relative else behavior,
        units=units,
    )


def normalised(settings: ConvertSettings, neural: Any) -> da.Array:
    """Neural data (frame, ...) of one trial, lazily resized, as dF/F, scaled and cast. InputError as the steps."""
    if not isinstance(neural, da.Array):
        neural = da.from_array(neural)
    few = sampled_frames(neural)
    if settings.resize is not None:
        neural, few = resize(neural, settings.resize), resize(few, settings.resize)
    dff = None if settings.dff is None else settings.dff.percentile
    scale = None if settings.scale is None else (settings.scale.low, settings.scale.high)
    frames = np.asarray(few, np.float32) if dff is not None or scale is not None else np.empty(0, np.float32)
    per_unit = settings.scale is None or settings.scale.per == "unit"
    return normalise(neural, frames, dff, scale, settings.dtype, per_unit)
