"""Files of a run that pictures read: representations with predictions, and the training log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from neural_action.errors import InputError, reading
from neural_action.files import load_npz

LOG_COLUMNS = ("step", "loss", "learning_rate", "windows_per_second")


@dataclass(frozen=True)
class Run:
    """The windows of one evaluated run; arrays are parallel.

    Attributes:
        method, run, seed: names of method and run, and seed.
        label: (window,) int64, -1 unlabelled.
        animal: (window,) int64, index into ``animals``.
        predicted: (window,) int64, class predicted by the first probe with all labels; -1 if not tested.
        task: the task of this probe; empty without one.
        class_names, animals: names.
        path: the file that ``features`` reads.
    """

    method: str
    run: str
    seed: int
    label: np.ndarray
    animal: np.ndarray
    predicted: np.ndarray
    task: str
    class_names: tuple[str, ...]
    animals: tuple[str, ...]
    path: Path

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read everything except the representation. InputError if the file is no embedding."""
        with reading(path, "an embedding", OSError, TypeError, ValueError):
            arrays = ("label", "animal", "predicted")
            file = load_npz(path, "method", "run", "seed", "task", *arrays, "class_names", "animals")
            label, animal, predicted = (file[name].astype(np.int64) for name in arrays)
            return cls(
                str(file["method"]),
                str(file["run"]),
                int(file["seed"]),
                label,
                animal,
                predicted,
                str(file["task"]),
                tuple(str(name) for name in file["class_names"]),
                tuple(str(name) for name in file["animals"]),
                Path(path),
            )

    @property
    def tested(self) -> np.ndarray:
        """(window,) bool: windows that the probe behind ``predicted`` was tested on."""
        return self.predicted >= 0

    def features(self) -> np.ndarray | None:
        """(window, dimension) float32: the encoder's output or the raw window; None if the file has neither.

        Windows of animals that the model cannot represent (NaN) become 0. Very large and very small
        representations are scaled to 1, because their squares would overflow or vanish; maps do not depend on scale.
        InputError if a value is infinite.
        """
        with np.load(self.path, allow_pickle=False) as file:
            for name in ("encoder", "raw"):
                if name in file and file[name].shape[1] > 0:
                    values = np.nan_to_num(file[name].astype(np.float32), posinf=np.inf, neginf=-np.inf)
                    largest = float(np.abs(values).max(initial=0.0))
                    if not np.isfinite(largest):
                        raise InputError(
                            f"{self.path}: {name} holds infinity, expected finite numbers; rerun rule evaluate"
                        )
                    return values / np.float32(largest) if largest > 1e6 or 0 < largest < 1e-6 else values
        return None


def by_method(runs: Sequence[Run], methods: Sequence[str]) -> dict[str, list[Run]]:
    """Runs of each method, in the order of ``methods``; runs of other methods are left out."""
    found = {name: [run for run in runs if run.method == name] for name in methods}
    return {name: own for name, own in found.items() if own}


def read_logs(paths: Sequence[Path]) -> pd.DataFrame:
    """All training logs in one table, with the columns ``method`` and ``run``.

    Both come from the path, ``<method>/<run>/seed-<k>/<file>``. If a log holds several models one after the other,
    each is a run. Raises InputError if a file is no training log.
    """
    tables = []
    for path in map(Path, paths):
        with reading(path, "CSV", OSError, ValueError):
            table = pd.read_csv(path)
        if missing := [name for name in LOG_COLUMNS if name not in table.columns]:
            raise InputError(f"{path}: column {missing[0]!r} is missing, expected a training log")
        for name in LOG_COLUMNS:
            if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
                raise InputError(
                    f"{path}: column {name!r} begins with {table[name].iloc[0]!r}, expected numbers"
                )
        if table.empty:
            # The log of an untrained network (0 steps).
            continue
        method, run_name, seed = path.absolute().parts[-4:-1]
        model = (table["step"].diff() < 0).cumsum()
        run = f"{run_name}/{seed}" + (("/" + model.astype(str)) if model.any() else "")
        tables.append(table.assign(method=method, run=run))
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=[*LOG_COLUMNS, "method", "run"])
    )
