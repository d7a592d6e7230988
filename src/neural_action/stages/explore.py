"""Stage: the interactive page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.config.settings import ExploreSettings
from neural_action.datasets.dataset import Dataset, Source
from neural_action.errors import InputError
from neural_action.explore.layout import neighbour_map, principal
from neural_action.explore.moments import Moments, moments, traces
from neural_action.explore.page import Content, Row, Trial, render
from neural_action.files import atomic_write, load_npz
from neural_action.tables.notes import opening
from neural_action.tables.pictures.runs import Run

#: Points of a trial's traces at most (our choice: the width of the page).
_TRACE_POINTS = 900


@dataclass(frozen=True)
class Shown:
    """Where the windows of a run are: label, first frame and centre (s) of each; arrays are parallel."""

    label: np.ndarray
    start: np.ndarray
    time: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Shown:
        """Read them from an embedding. InputError if the file is something else."""
        kinds = (("label", np.int64), ("start", np.int64), ("time", np.float64))
        try:
            file = load_npz(path, *(name for name, _ in kinds))
            return cls(*(file[name].astype(kind) for name, kind in kinds))
        except (OSError, TypeError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as an embedding ({error})") from None

    def same(self, other: Shown) -> bool:
        """Whether both are of the same moments."""
        return np.array_equal(self.start, other.start)


def run(
    config: str,
    source: Source,
    embeddings: tuple[Path, ...],
    threads: int,
    output: Path,
) -> None:
    """Write the page of the runs in ``embeddings``, the first shown first.

    A run of other windows than the first, or without a representation, is left out, and said on standard error.
    InputError if none is left, or the windows are not of the recordings.
    """
    sections = Sections(config)
    settings, methods = sections.explore, sections.methods
    dataset = source.open(sections.windows)
    first: Shown | None = None
    rows: list[Row] = []
    chosen = np.empty(0, np.int64)
    with threadpool_limits(threads):
        for path in embeddings:
            found, windows = Run.load(path), Shown.load(path)
            features = found.features()
            if features is None or (first is not None and not windows.same(first)):
                print(
                    f"{path}: left out: no representation, or other windows than the first row",
                    file=sys.stderr,
                )
                continue
            if first is None:
                first = windows
                chosen = _chosen(windows, dataset, settings, path)
            label = methods[found.method].label if found.method in methods else found.method
            places = features[chosen]
            layouts = {
                "t-SNE": neighbour_map(places, settings.landmarks),
                "principal components": principal(places),
            }
            rows.append(Row(label, f"{found.run}, seed {found.seed}", layouts))
    if first is None:
        raise InputError("explore: no embedding holds a representation, expected at least one trained row")
    behavior = moments(dataset, settings)
    content = Content(
        title=sections.title,
        opening=opening(sections),
        class_names=dataset.class_names,
        animals=dataset.animals,
        trials=[
            Trial(
                dataset.animals.index(span.animal),
                span.trial,
                float(dataset.neural_time[span.frames][0]),
                float(dataset.neural_time[span.frames][-1]),
            )
            for span in dataset.trials
        ],
        rows=rows,
        label=first.label[chosen],
        trial=_trials(first.start[chosen], dataset),
        time=first.time[chosen],
        window_seconds=sections.windows.frames / dataset.neural_rate,
        moments=behavior,
        traces=traces(dataset, sections.calcium.behavior, _points(dataset)),
        notes=_notes(len(first.label), len(chosen), settings, behavior),
    )
    with atomic_write(output) as partial:
        partial.write_text(render(content), encoding="utf-8")


def _points(dataset: Dataset) -> int:
    """Points of the traces of a trial: two at least, no more than the longest trial has frames."""
    longest = max(span.frames.stop - span.frames.start for span in dataset.trials)
    return max(2, min(_TRACE_POINTS, longest))


def _trials(start: np.ndarray, dataset: Dataset) -> np.ndarray:
    """(n,) int64: number of the trial that each first frame is in. Trials are in the order of frames."""
    first = np.array([span.frames.start for span in dataset.trials])
    return np.searchsorted(first, start, side="right") - 1


def _chosen(windows: Shown, dataset: Dataset, settings: ExploreSettings, path: Path) -> np.ndarray:
    """Rows of the windows that are shown, by trial and time: all, or evenly spread ones."""
    if len(windows.start) and windows.start.max() >= len(dataset.neural_time):
        raise InputError(
            f"{path}: windows at frame {windows.start.max()}, the recordings hold {len(dataset.neural_time)}"
        )
    order = np.argsort(windows.start, kind="stable")
    return order[:: max(1, -(-len(order) // settings.points))]


def _notes(every: int, shown: int, settings: ExploreSettings, behavior: Moments) -> list[str]:
    notes = []
    if shown < every:
        notes.append(f"Shown are {shown:,} of {every:,} windows, evenly spread.")
    if shown > settings.landmarks:
        notes.append(
            f"t-SNE laid out {settings.landmarks:,} windows; each of the others lies between the five nearest of these."
        )
    if behavior.kind == "skeleton":
        rate = float(np.median(behavior.rate))
        notes.append(f"Poses at {rate:.3g} samples a second, in bytes; in between, the figure moves evenly.")
        if not behavior.parts:
            notes.append("The names of the keypoints do not say what joins them: explore.skeleton does.")
    if behavior.kind == "none":
        notes.append("These recordings have no behaviour: there is no figure.")
    return notes
