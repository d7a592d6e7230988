"""Stage: the interactive page."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.config.settings import ExploreSettings
from neural_action.errors import InputError
from neural_action.explore.layout import neighbour_map, principal
from neural_action.explore.moments import Moments, moments, traces
from neural_action.explore.page import Content, Row, Trial, render
from neural_action.files import whole
from neural_action.datasets.dataset import Dataset, load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.tables.notes import opening
from neural_action.tables.pictures.runs import Windows, Run

#: Points of a trial's traces (our choice: the width of the page).
_TRACE_POINTS = 900


def run(
    config: str,
    folds: Path,
    embeddings: tuple[Path, ...],
    threads: int,
    output: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Write the page of the runs in ``embeddings``, the first shown first.

    A run of other clips than the first, or without a representation, is left out, and said on standard error.
    InputError if none is left, or the clips are not of the recordings.
    """
    sections = Sections(config)
    settings, methods = sections.explore, sections.methods
    dataset = load_cohort(manifests, read_folds(folds), Holdout("none"), sections.clips)
    first: Windows | None = None
    rows: list[Row] = []
    chosen = np.empty(0, np.int64)
    with threadpool_limits(threads):
        for path in embeddings:
            found, clips = Run.load(path), Windows.load(path)
            features = found.features()
            if features is None or (first is not None and not clips.same(first)):
                print(
                    f"{path}: left out: no representation, or other clips than the first row", file=sys.stderr
                )
                continue
            if first is None:
                first = clips
                chosen = _chosen(clips, dataset, settings, path)
            label = methods[found.method].label if found.method in methods else found.method
            places = features[chosen]
            layouts = {
                "t-SNE": neighbour_map(places, settings.landmarks),
                "principal components": principal(places),
            }
            rows.append(Row(label, f"{found.holdout}, seed {found.seed}", layouts))
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
                span.fold,
                float(dataset.neural_time[span.frames][0]),
                float(dataset.neural_time[span.frames][-1]),
            )
            for span in dataset.trials
        ],
        rows=rows,
        label=first.label[chosen],
        trial=first.trial[chosen],
        time=first.time[chosen],
        clip_seconds=sections.clips.frames / dataset.neural_rate,
        moments=behavior,
        traces=traces(dataset, sections.calcium.behavior, _TRACE_POINTS),
        notes=_notes(len(first.label), len(chosen), settings, behavior),
    )
    with whole(output) as partial:
        partial.write_text(render(content), encoding="utf-8")


def _chosen(clips: Windows, dataset: Dataset, settings: ExploreSettings, path: Path) -> np.ndarray:
    """Rows of the clips that are shown, by trial and time: all, or evenly spread ones."""
    if len(clips.trial) and clips.trial.max() >= len(dataset.trials):
        raise InputError(
            f"{path}: clips of trial {clips.trial.max()}, the recordings hold {len(dataset.trials)}"
        )
    order = np.lexsort((clips.time, clips.trial))
    return order[:: max(1, -(-len(order) // settings.points))]


def _notes(every: int, shown: int, settings: ExploreSettings, behavior: Moments) -> list[str]:
    notes = []
    if shown < every:
        notes.append(f"Shown are {shown:,} of {every:,} clips, evenly spread.")
    if shown > settings.landmarks:
        notes.append(
            f"t-SNE laid out {settings.landmarks:,} clips; each of the others lies between the five nearest of these."
        )
    if behavior.kind == "skeleton":
        rate = float(np.median(behavior.rate))
        notes.append(f"Poses at {rate:.3g} samples a second, in bytes; in between, the figure moves evenly.")
        if not behavior.parts:
            notes.append("The names of the keypoints do not say what joins them: explore.skeleton does.")
    if behavior.kind == "none":
        notes.append("These recordings have no behaviour: there is no figure.")
    return notes
