"""Stage: write the interactive page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from neural_action.config.output_settings import ExploreSettings
from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Dataset, Source
from neural_action.errors import InputError, reading
from neural_action.explore.layout import neighbour_map, principal
from neural_action.explore.moments import Moments, moments, traces
from neural_action.explore.page import Content, Row, Trial, render
from neural_action.files import load_npz, write_text
from neural_action.tables.notes import opening
from neural_action.tables.pictures.runs import Run

#: Maximum number of points in a trial's traces (our choice: the width of the page).
_TRACE_POINTS = 900


@dataclass(frozen=True)
class Shown:
    """Windows of a run: (window,) label int64, first frame int64 and centre float64 (s)."""

    label: np.ndarray
    start: np.ndarray
    time: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Shown:
        """Read them from an embedding file. InputError if the file is no embedding."""
        kinds = (("label", np.int64), ("start", np.int64), ("time", np.float64))
        with reading(path, "an embedding", OSError, TypeError, ValueError):
            file = load_npz(path, *(name for name, _ in kinds))
            return cls(*(file[name].astype(kind) for name, kind in kinds))

    def same(self, other: Shown) -> bool:
        """Whether both runs have the same windows."""
        return np.array_equal(self.start, other.start)


def run(
    config: str,
    source: Source,
    embeddings: tuple[Path, ...],
    threads: int,
    output: Path,
) -> None:
    """Write the page of the runs in ``embeddings``; it opens with the first one.

    A run without a representation, or with other windows than the first, is left out; standard error says so.
    InputError if no run is left, or the windows do not fit the recordings.
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
                    f"{path}: left out, it has no representation or other windows than the first row",
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
                dataset.animals.index(trial.animal),
                trial.name,
                float(dataset.neural_time[trial.frames][0]),
                float(dataset.neural_time[trial.frames][-1]),
            )
            for trial in dataset.trials
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
    write_text(output, render(content))


def _points(dataset: Dataset) -> int:
    """Number of points in a trial's traces: at least 2, at most the frames of the longest trial."""
    longest = max(trial.frames.stop - trial.frames.start for trial in dataset.trials)
    return max(2, min(_TRACE_POINTS, longest))


def _trials(start: np.ndarray, dataset: Dataset) -> np.ndarray:
    """(window,) int64: index of the trial that holds each first frame. Trials are sorted by their frames."""
    first = np.array([trial.frames.start for trial in dataset.trials])
    return np.searchsorted(first, start, side="right") - 1


def _chosen(windows: Shown, dataset: Dataset, settings: ExploreSettings, path: Path) -> np.ndarray:
    """Indices of the shown windows, in order of first frame: all, or every n-th so that ``points`` fit.

    InputError if a window starts after the last frame of the dataset.
    """
    if len(windows.start) and windows.start.max() >= len(dataset.neural_time):
        raise InputError(
            f"{path}: has a window at frame {windows.start.max()}, "
            f"expected frames below {len(dataset.neural_time)}, the frames of the dataset"
        )
    order = np.argsort(windows.start, kind="stable")
    return order[:: max(1, -(-len(order) // settings.points))]


def _notes(every: int, shown: int, settings: ExploreSettings, behavior: Moments) -> list[str]:
    notes = []
    if shown < every:
        notes.append(f"The page shows {shown:,} of {every:,} windows, evenly spaced.")
    if shown > settings.landmarks:
        notes.append(
            f"t-SNE was computed on {settings.landmarks:,} windows; "
            "every other window is placed between its five nearest neighbours among these."
        )
    if behavior.kind == "skeleton":
        rate = float(np.median(behavior.rate))
        notes.append(
            f"Poses are stored at {rate:.3g} samples per second with 8 bits; the figure is interpolated in between."
        )
        if "midline" in {part.name for part in behavior.parts}:
            notes.append(
                "The figure is the midline of the body, with the head in orange. It shows the posture, "
                "not where the animal is or which way it points."
            )
        if not behavior.parts:
            notes.append("The names of the keypoints do not say which are connected: set explore.skeleton.")
    if behavior.kind == "none":
        notes.append("These recordings have no behaviour, so there is no figure.")
    return notes
