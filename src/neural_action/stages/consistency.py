"""Stage: measure how well embeddings of one row map linearly onto each other, between animals, seeds and runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Dataset, Source
from neural_action.datasets.windows import nearest
from neural_action.errors import reading
from neural_action.evaluation.consistency import COLUMNS, between_animals, between_runs
from neural_action.files import atomic_write, load_npz
from neural_action.principal import principal_components
from neural_action.progress import progress

_ARRAYS = ("encoder", "start", "time", "animal", "trial", "role", "animals", "method", "run", "seed")


@dataclass(frozen=True)
class Compared:
    """Fields of an embedding file that the comparison uses.

    Attributes:
        values: (window, dimension) float64, the leading principal components of the encoder's output.
        start: (window,) first frame.
        time: (window,) centre, s.
        animal, trial: (window,) index of the animal in ``animals`` and of the trial in the dataset.
        role: (window,) train, validation or test.
        animals: names.
        method, run, seed: which row, run and seed the embedding is from.
    """

    values: np.ndarray
    start: np.ndarray
    time: np.ndarray
    animal: np.ndarray
    trial: np.ndarray
    role: np.ndarray
    animals: tuple[str, ...]
    method: str
    run: str
    seed: int

    @classmethod
    def load(cls, path: Path, dimensions: int) -> Compared:
        """Read a file; keep ``dimensions`` components of the encoder's output. InputError if it is no embedding."""
        with reading(path, "an embedding", OSError, TypeError, ValueError, LookupError):
            file = load_npz(path, *_ARRAYS)
            names = tuple(map(str, file["animals"]))
            values = principal_components(np.nan_to_num(file["encoder"].astype(np.float64)), dimensions)
            return cls(
                **{name: file[name] for name in ("start", "time", "animal", "trial", "role")},
                values=values,
                animals=names,
                method=str(file["method"]),
                run=str(file["run"]),
                seed=int(file["seed"]),
            )


def run(config: str, dataset: Path, embeddings: tuple[Path, ...], output: Path) -> None:
    """Write one line for each ordered pair of animals, of seeds and of runs of each row.

    Animals and seeds are compared within the first run of a row. Runs are compared for the first seed, and only if
    they have the same windows. A row with one animal, one seed and one run has no line. InputError if a file is no
    embedding.
    """
    sections = Sections(config)
    opened = Source(dataset).open(sections.windows, neural=False)
    by_row: dict[str, list[Compared]] = {}
    for path in progress(embeddings, "embeddings", "file"):
        found = Compared.load(path, sections.evaluation.consistency_dimensions)
        by_row.setdefault(found.method, []).append(found)
    tables = [table for own in by_row.values() for table in _of_row(own, opened, sections.windows.frames)]
    every = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    with atomic_write(output) as partial:
        every.to_csv(partial, index=False, float_format="%.6f")


def _of_row(own: list[Compared], dataset: Dataset, frames: int) -> list[pd.DataFrame]:
    first, tables = own[0], []
    if len(first.animals) > 1 and dataset.pose.shape[1]:
        behavior = behavior_of(first, dataset, frames)
        tables.append(
            between_animals(first.method, first.values, behavior, first.animal, first.trial, first.animals)
        )
    for kind, some in (
        ("seeds", {str(one.seed): one for one in own if one.run == first.run}),
        ("runs", {one.run: one for one in own if one.seed == first.seed}),
    ):
        same = {name: one.values for name, one in some.items() if np.array_equal(one.start, first.start)}
        same = same if all(one.animals == first.animals for one in some.values()) else {}
        if len(same) > 1:
            tables.append(between_runs(first.method, kind, same, first.trial))
    return tables


def behavior_of(embedding: Compared, dataset: Dataset, frames: int) -> np.ndarray:
    """(window, variable) float32: the normalised behaviour nearest to the middle frame of each window."""
    middle = np.minimum(embedding.start + frames // 2, len(dataset.neural_time) - 1)
    out = np.zeros((len(middle), dataset.pose.shape[1]), np.float32)
    for trial in dataset.trials:
        inside = (middle >= trial.frames.start) & (middle < trial.frames.stop)
        rows = nearest(dataset.pose_time[trial.samples], dataset.neural_time[middle[inside]])
        out[inside] = dataset.pose[trial.samples][rows]
    return out
