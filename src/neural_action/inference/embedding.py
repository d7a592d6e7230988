"""Embeddings of windows with their times, and their export to other formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from neural_action.errors import InputError
from neural_action.recordings.recording import UNLABELLED

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Embedding:
    """Embeddings of windows; arrays are parallel.

    It can be used as the array ``values``: ``np.asarray(e)``, ``torch.as_tensor(e)``, ``pd.DataFrame(e)``,
    ``LogisticRegression().fit(e, e.label)``. Indexing with a slice, a mask or an array (``e[:100]``,
    ``e[e.label >= 0]``) gives an embedding; indexing with a number or a tuple (``e[0]``, ``e[:, :2]``) gives an array.

    Attributes:
        values: (window, dimension) float32.
        time: (window,) float64 s, the window's centre on the neural clock of its trial.
        trial: (window,) int64, index of the window's trial in ``trials`` and ``animals``.
        label: (window,) int64, action at the window's centre, index into ``class_names``; -1 unlabelled.
        trials: names of the trials.
        animals: animal of each trial.
        class_names: the action classes.
        about: method, run, seed and layer of the model, frames and stride of windows; JSON values.
    """

    values: np.ndarray
    time: np.ndarray
    trial: np.ndarray
    label: np.ndarray
    trials: tuple[str, ...]
    animals: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        count, dimension = self.values.shape
        animals = ", ".join(dict.fromkeys(self.animals))
        trials = f"{len(self.trials)} trial{'' if len(self.trials) == 1 else 's'}"
        return f"Embedding({count} windows, {dimension} dimensions, {trials} of {animals})"

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """``values``; with ``copy=False`` without a copy. ValueError if ``dtype`` would need a copy."""
        return np.array(self.values, dtype, copy=True if copy is None else copy)

    def __dlpack__(self, **options: Any) -> Any:
        """``values`` for ``torch.as_tensor`` and others, with shared memory."""
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        """Device of ``values``: the CPU."""
        return self.values.__dlpack_device__()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over the (dimension,) values of each window."""
        return iter(self.values)

    def __getitem__(self, rows: Any) -> Embedding | np.ndarray:
        """See the class. Raises IndexError as ``values``."""
        if isinstance(rows, int | np.integer | tuple) or rows is None or rows is Ellipsis:
            return self.values[rows]
        return replace(
            self,
            values=self.values[rows],
            time=self.time[rows],
            trial=self.trial[rows],
            label=self.label[rows],
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows and of dimensions."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def ndim(self) -> int:
        """Number of axes, 2."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype:
        """Type of ``values``."""
        return self.values.dtype

    @property
    def animal(self) -> np.ndarray:
        """(window,) str: the animal of each window."""
        return np.array(self.animals, dtype=np.str_)[self.trial]

    @property
    def action(self) -> np.ndarray:
        """(window,) str: the action of each window; empty if unlabelled."""
        return np.array([*self.class_names, ""], dtype=np.str_)[self.label]

    def of_trial(self, at: int) -> Embedding:
        """The windows of trial number ``at``."""
        rows = self.trial == at
        return Embedding(
            self.values[rows],
            self.time[rows],
            np.zeros(int(rows.sum()), np.int64),
            self.label[rows],
            (self.trials[at],),
            (self.animals[at],),
            self.class_names,
            self.about,
        )

    def to_frame(self) -> pd.DataFrame:
        """A table with one row for each window: ``animal, trial, time, action, e0, e1, ...``."""
        import pandas as pd

        columns = {f"e{at}": column for at, column in enumerate(self.values.T)}
        names = np.array(self.trials, dtype=np.str_)[self.trial]
        return pd.DataFrame(
            {"animal": self.animal, "trial": names, "time": self.time, "action": self.action, **columns}
        )

    def to_xarray(self) -> xr.Dataset:
        """``embedding`` (window, dimension) with the coordinates ``time``, ``animal``, ``trial`` and ``action``."""
        import xarray as xr

        frame = self.to_frame()
        data = xr.Dataset(
            {"embedding": (("window", "dimension"), self.values)},
            coords={name: ("window", frame[name].to_numpy(str)) for name in ("animal", "trial", "action")}
            | {"time": ("window", self.time, {"units": "s"})},
        )
        return data.assign_attrs({key: str(value) for key, value in self.about.items()})

    def to_cebra(
        self, by: str = "animal", *, spread: bool = False
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Input for functions of ``cebra``: lists of (window, dimension) float32 and of (window,) labels.

        There is one entry for each animal, or for each trial with ``by="trial"``. Unlabelled windows are left out,
        because ``cebra`` has no label for them, unless no window is labelled.

        Args:
            by: what an entry is, ``animal`` or ``trial``.
            spread: False: labels are the int64 classes. True: they are float64 from 0 to 1, as
                ``consistency_score(between="datasets")`` needs them, whose bins must not be empty. Each class has an
                equal part of this range, and its windows lie in it at even distances, in random order (our choice).
                Classes that an entry lacks are left out.

        Raises:
            InputError: ``by`` is something else; with ``spread``, the entries have no class in common.
        """
        if by not in ("animal", "trial"):
            raise InputError(f"by: {by!r}, expected 'animal' or 'trial'")
        keys = (
            self.trial
            if by == "trial"
            else np.array([sorted(set(self.animals)).index(a) for a in self.animal])
        )
        kept = self.label != UNLABELLED
        kept = kept if kept.any() else np.ones(len(self), bool)
        rows = [np.flatnonzero(kept & (keys == key)) for key in np.unique(keys)]
        if not spread:
            return [self.values[part] for part in rows], [self.label[part] for part in rows]
        common = sorted(set.intersection(*(set(self.label[part].tolist()) for part in rows)))
        if not common:
            raise InputError(f"to_cebra: no class occurs in every {by}, expected one that all have")
        rows = [part[np.isin(self.label[part], common)] for part in rows]
        return [self.values[part] for part in rows], [_spread(self.label[part], common) for part in rows]

    def save(self, path: str | Path, source: str | Path | None = None) -> None:
        """Write to ``path`` in the format of its suffix.

        ``.parquet``: ``to_frame``. ``.nc``: ``to_xarray`` as NetCDF-4. ``.nwb``: a processing module
        ``neural_action``, in a copy of the NWB file ``source`` or in a new file. ``.npz``, ``.h5``: arrays that
        ``cebra.load_data`` reads by key. Raises InputError for another suffix, or if a package is missing.
        """
        from neural_action.inference.writers import write

        write(self, Path(path), None if source is None else Path(source))


def _spread(label: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """(window,) float64 in (0, 1): the windows of each class at even distances in its part, in random order."""
    places, rng = np.empty(len(label)), np.random.default_rng(0)
    for at, name in enumerate(classes):
        own = rng.permutation(np.flatnonzero(label == name))
        places[own] = (at + (np.arange(len(own)) + 0.5) / len(own)) / len(classes)
    return places
