"""Stage: pictures of scores, representations, recordings, pose neighbours and training."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.neighbors.table import SwapTable
from neural_action.progress import progress
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.tables.action import headline
from neural_action.tables.notes import opening
from neural_action.tables.pictures.confusion import draw_confusion
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.neighbors import draw_neighbors
from neural_action.tables.pictures.runs import Run, by_method, read_logs
from neural_action.tables.pictures.scores import draw_scores
from neural_action.tables.pictures.statistics import draw_statistics
from neural_action.tables.pictures.style import save
from neural_action.tables.pictures.training import draw_training
from neural_action.tables.scores import Scores


def run(
    config: str,
    folds: Path,
    scores: Path,
    embeddings: tuple[Path, ...],
    logs: tuple[Path, ...],
    swaps: Path,
    output: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Write scores, embedding, confusion, statistics, neighbors and training as .png into ``output``.

    InputError if an input is not what it should be, or the swap table does not count the cohort's poses.
    """
    sections = Sections(config)
    methods, settings = sections.methods, sections.tables
    labels = {name: row.label for name, row in methods.items()}
    every = Scores.read(scores, methods, sections.dataset, sections.split.protocol, settings)
    cohort = load_cohort(manifests, read_folds(folds), Holdout("none"), sections.clips, neural=False)
    table = SwapTable.load(swaps)
    if len(table.targets) != len(cohort.pose) or tuple(table.animals) != cohort.animals:
        raise InputError(
            f"{swaps}: {len(table.targets)} poses of {', '.join(table.animals)}, "
            f"expected {len(cohort.pose)} of {', '.join(cohort.animals)}"
        )
    # A row that guesses has nothing to show but its score.
    shown = [name for name, row in methods.items() if row.representation != "none"]
    runs = by_method([Run.load(path) for path in embeddings], shown)
    column = headline(every, settings.metric)
    pictures = {
        "scores": lambda: draw_scores(every, methods, column, opening(sections), len(cohort.class_names)),
        "embedding": lambda: draw_embeddings(runs, labels, settings.figure_method),
        "confusion": lambda: draw_confusion(runs, labels),
        "statistics": lambda: draw_statistics(cohort),
        "neighbors": lambda: draw_neighbors(cohort, table),
        "training": lambda: draw_training(read_logs(logs), labels),
    }
    for name in progress(pictures, "figures", "picture"):
        save(pictures[name](), output / f"{name}.png")
