"""Stage: pictures of scores, representations, recordings, pose neighbours and training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import load_cohort
from neural_action.errors import InputError
from neural_action.neighbors.table import SwapTable
from neural_action.progress import progress
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.tables.action import headline
from neural_action.tables.decoding import headline as accuracy
from neural_action.tables.efficiency import columns as efficiency_columns
from neural_action.tables.notes import opening
from neural_action.tables.pictures.confusion import draw_confusion
from neural_action.tables.pictures.decoding import draw_efficiency, draw_splits
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.neighbors import draw_neighbors
from neural_action.tables.pictures.runs import Run, by_method, read_logs
from neural_action.tables.pictures.scores import draw_scores
from neural_action.tables.pictures.statistics import draw_statistics
from neural_action.tables.pictures.style import save
from neural_action.tables.pictures.training import draw_training
from neural_action.tables.scores import read_scores


def run(
    config: str,
    folds: Path,
    scores: Path,
    embeddings: tuple[Path, ...],
    logs: tuple[Path, ...],
    swaps: Path | None,
    output: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Write scores, confusion, statistics, neighbors, training and embedding as .png into ``output``.

    Of a dataset that is decoded: scores_by_split, label_efficiency and training. InputError if an input is not what it
    should be, or the swap table is missing or does not count the dataset's poses.
    """
    sections = Sections(config)
    if sections.split.decodes:
        pictures = _decoding(sections, scores, logs)
    else:
        pictures = _actions(sections, folds, scores, embeddings, logs, swaps, manifests)
    for name in progress(pictures, "figures", "picture"):
        save(pictures[name](), output / f"{name}.png")


def _decoding(sections: Sections, scores: Path, logs: tuple[Path, ...]) -> dict[str, Callable[[], Figure]]:
    methods, settings = sections.methods, sections.tables
    every = read_scores(scores, sections)
    labels = {name: row.label for name, row in methods.items()}
    pictures = {
        "scores_by_split": lambda: draw_splits(
            every, methods, [accuracy(animal) for animal in every.animals], opening(sections)
        ),
        "training": lambda: draw_training(read_logs(logs), labels),
    }
    if sections.decoding.labelled_trials:
        curves = {name: methods[name] for name in settings.curves or methods if name in methods}
        columns = {animal: efficiency_columns(sections, animal) for animal in every.animals}
        pictures["label_efficiency"] = lambda: draw_efficiency(every, curves, columns, opening(sections))
    return pictures


def _actions(
    sections: Sections,
    folds: Path,
    scores: Path,
    embeddings: tuple[Path, ...],
    logs: tuple[Path, ...],
    swaps: Path | None,
    manifests: tuple[Path, ...],
) -> dict[str, Callable[[], Figure]]:
    methods, settings = sections.methods, sections.tables
    labels = {name: row.label for name, row in methods.items()}
    every = read_scores(scores, sections)
    dataset = load_cohort(manifests, read_folds(folds), Holdout("none"), sections.clips, neural=False)
    if swaps is None:
        raise InputError("pictures of pose neighbours are of a swap table: --swaps is missing")
    table = SwapTable.load(swaps).fits(swaps, dataset)
    # A row that guesses has nothing to show but its score.
    shown = [name for name, row in methods.items() if row.representation != "none"]
    runs = by_method([Run.load(path) for path in embeddings], shown)
    column = headline(every, settings.metric)
    return {
        "scores": lambda: draw_scores(every, methods, column, opening(sections), len(dataset.class_names)),
        "confusion": lambda: draw_confusion(runs, labels),
        "statistics": lambda: draw_statistics(dataset),
        "neighbors": lambda: draw_neighbors(dataset, table),
        "training": lambda: draw_training(read_logs(logs), labels),
        # Last: it takes as long as the others together.
        "embedding": lambda: draw_embeddings(runs, labels, settings.figure_method),
    }
