"""Reader of arousal states of rodents (release of Azabou et al., MYOW): spike counts over hours of sleep and wake.

``<prefix>fr_bins_<suffix>.npy``: (unit, bin) counts; ``<prefix>behav_states_<suffix>.npy``: (bin,) states, 0 to 2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.pickles import load_npy
from neural_action.recordings.readers import ReaderOptions, hidden
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream

EXPECTED = "files [<prefix>]fr_bins_<suffix>.npy beside [<prefix>]behav_states_<suffix>.npy"
#: Names of states 0, 1 and 2; inferred from the transitions between states.
CLASS_NAMES = ("wake", "nrem", "rem")
BEHAVIOR_NAMES = ("elapsed",)
_FILE = re.compile(r"(?P<prefix>.*)(?P<kind>fr_bins|behav_states)_(?P<suffix>.+)\.npy")
#: File prefix -> animal, for the release; other animals are named by their prefix.
RELEASE = {"": "mouse", "XYF06_1217_b5_neurons_quality": "rat"}


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        animals: animals to read: ``mouse`` and ``rat`` of the release, others by the prefix of their files; null for
            all.
        bin_seconds: width of a bin, s.
    """

    animals: Annotated[list[str], Field(min_length=1)] | None = None
    bin_seconds: Annotated[float, Field(gt=0)] = 4.0


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each pair of files: animal from the prefix, trial from the suffix, path of the counts.

    InputError for an animal that has states but no counts, and for one of ``options.animals`` without files.
    """
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob("*.npy")):
        match = _FILE.fullmatch(path.name)
        if match and not hidden(path, folder):
            animal = RELEASE.get(match["prefix"], match["prefix"].strip("_-. "))
            if options.animals is None or animal in options.animals:
                found.setdefault((animal, match["suffix"]), _of_kind(path, "fr_bins"))
    for animal in options.animals or ():
        if animal not in {name for name, _ in found}:
            raise InputError(f"{folder}: no recording of {animal!r} found, expected {EXPECTED}")
    for (animal, _), counts in found.items():
        if not counts.is_file():
            raise InputError(
                f"{counts}: no such file, expected the spike counts of {animal} beside its states "
                f"({_of_kind(counts, 'behav_states').name}); get them, or leave the animal out "
                "(convert.reader_options.animals)"
            )
    return [
        SampleRow(animal, suffix, counts.relative_to(folder).as_posix())
        for (animal, suffix), counts in found.items()
    ]


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The files of counts and of states."""
    path = Path(root) / row.path
    return [path, _of_kind(path, "behav_states")]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """Counts (bin, unit) float32, and the state of every bin as label; behaviour (bin, 1) float32 is elapsed time, s.

    A bin with a negative state is unlabelled. ``class_names`` renames the states.

    Raises:
        InputError: naming the file: it is missing, unreadable, or has the wrong shape or length; counts are negative or
            not finite; a state has no name.
    """
    names = CLASS_NAMES if class_names is None else class_names
    counts_path, states_path = files(root, row, options)
    for path in (counts_path, states_path):
        if not path.is_file():
            raise InputError(f"{path}: no such file")
    counts, states = load_npy(counts_path), load_npy(states_path)
    if counts.ndim != 2 or counts.dtype.kind not in "iuf" or counts.size == 0:
        raise InputError(
            f"{counts_path}: {counts.dtype} of shape {counts.shape}, expected counts (unit, bin)"
        )
    counts = counts.astype(np.float64)
    if not (np.isfinite(counts) & (counts >= 0)).all():
        unit, at = np.argwhere(~(np.isfinite(counts) & (counts >= 0)))[0]
        raise InputError(
            f"{counts_path}: unit {unit} has {counts[unit, at]:g} spikes in bin {at}, expected a finite count >= 0"
        )
    if states.shape != counts.shape[1:] or states.dtype.kind not in "iuf":
        raise InputError(
            f"{states_path}: {states.dtype} of shape {states.shape}, expected {counts.shape[1]} states"
        )
    strange = ~np.isin(states, range(len(names))) & ~(states < 0)
    if strange.any():
        at = int(np.argmax(strange))
        raise InputError(f"{states_path}: state {states[at]:g} in bin {at}, expected 0 to {len(names) - 1}")
    time = options.bin_seconds * (np.arange(counts.shape[1]) + 0.5)
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=counts.T.astype(np.float32),
        neural_time=time,
        behavior=time[:, None].astype(np.float32),
        behavior_time=time,
        labels=np.where(states < 0, UNLABELLED, states).astype(np.int16),
        neural_index=np.arange(len(time), dtype=np.int32),
        class_names=tuple(names),
        behavior_names=BEHAVIOR_NAMES,
        neural_rate=1 / options.bin_seconds,
        behavior_rate=1 / options.bin_seconds,
        units={"neural": f"spikes in {options.bin_seconds:g} s", "behavior": "s", "time": "s"},
        streams=(
            Stream.of(
                "neural", time, f"{row.path}, spike counts; bins of {options.bin_seconds:g} s, end to end"
            ),
            Stream.of(
                "behavior", time, "elapsed time in place of behaviour, which the release does not have"
            ),
            Stream.of("labels", time, f"{states_path.relative_to(root).as_posix()}; one for each bin"),
        ),
    )


def _of_kind(path: Path, kind: str) -> Path:
    """The path of the counts (``fr_bins``) or the states (``behav_states``) of the same recording."""
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise InputError(f"{path}: expected a file named [<prefix>]fr_bins_<suffix>.npy")
    return path.with_name(f"{match['prefix']}{kind}_{match['suffix']}.npy")
