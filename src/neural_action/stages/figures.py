"""Stage: draw scores, representations, recordings, pose neighbours and training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.neighbors.table import SwapTable
from neural_action.progress import progress
from neural_action.tables.consistency import KINDS, read_consistency
from neural_action.tables.efficiency import curves
from neural_action.tables.headline import continuous_headlines, headlines
from neural_action.tables.notes import opening
from neural_action.tables.pictures.confusion import draw_confusion
from neural_action.tables.pictures.consistency import draw_consistency
from neural_action.tables.pictures.efficiency import draw_efficiency
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.mined import draw_mined, read_mined
from neural_action.tables.pictures.neighbors import draw_neighbors
from neural_action.tables.pictures.runs import Run, by_method, read_logs
from neural_action.tables.pictures.scores import draw_scores
from neural_action.tables.pictures.statistics import draw_statistics
from neural_action.tables.pictures.style import save
from neural_action.tables.pictures.training import draw_training
from neural_action.tables.registry import picture_names
from neural_action.tables.scores import read_scores


def run(
    config: str,
    source: Source,
    scores: Path,
    embeddings: tuple[Path, ...],
    logs: tuple[Path, ...],
    mined: tuple[Path, ...],
    swaps: Path | None,
    consistency: Path | None,
    output: Path,
) -> None:
    """Write the pictures that ``tables.registry`` names as .png into ``output``.

    InputError if an input has the wrong format, or the swap table has another number of poses than the dataset.

    Args:
        config: the configuration, a file or inline JSON.
        source: the dataset.
        scores: ``scores.csv``.
        embeddings: embedding files of the runs to draw.
        logs: training logs of the trained rows.
        mined: tables of mined pairs of the rows that mine views; without them, their picture is left out.
        swaps: swap table of all poses; without it, the picture of neighbours is left out.
        consistency: table of stage consistency; without it, its matrices are left out.
        output: folder of the pictures.
    """
    sections = Sections(config)
    dataset = source.open(sections.windows, neural=False)
    names = picture_names(
        sections.evaluation,
        swaps=swaps is not None,
        consistency=consistency is not None,
        mined=bool(mined),
    )
    pictures = {
        **_of_scores(sections, scores, len(dataset.class_names)),
        **_of_runs(sections, embeddings, logs),
        "statistics": lambda: draw_statistics(dataset),
    }
    if swaps is not None:
        table = SwapTable.load(swaps).fits(swaps, dataset)
        pictures["neighbors"] = lambda: draw_neighbors(dataset, table)
    if mined:
        labels = {name: row.label for name, row in sections.methods.items()}
        pairs = read_mined(mined)
        pictures["mined"] = lambda: draw_mined(pairs, labels, dataset.class_names)
    if consistency is not None:
        pictures["consistency"] = _matrices(sections, consistency)
    for name in progress(names, "figures", "picture"):
        save(pictures[name](), output / f"{name}.png")


def _of_scores(sections: Sections, path: Path, classes: int) -> dict[str, Callable[[], Figure]]:
    methods, settings, title = sections.methods, sections.tables, opening(sections)
    every = read_scores(path, sections)
    drawn = {name: methods[name] for name in settings.curves or methods if name in methods}
    return {
        "scores": lambda: draw_scores(every, methods, headlines(sections, every), title, classes),
        "label_efficiency": lambda: draw_efficiency(every, drawn, curves(sections, every), title),
        "continuous": lambda: draw_scores(every, methods, continuous_headlines(every), title),
    }


def _of_runs(
    sections: Sections, embeddings: tuple[Path, ...], logs: tuple[Path, ...]
) -> dict[str, Callable[[], Figure]]:
    methods = sections.methods
    labels = {name: row.label for name, row in methods.items()}
    # A row that guesses has only scores to show.
    shown = [name for name, row in methods.items() if row.representation != "none"]
    runs = by_method([Run.load(path) for path in embeddings], shown)
    # Read now, so that a bad log fails before anything is drawn.
    table = read_logs(logs)
    return {
        "confusion": lambda: draw_confusion(runs, labels),
        "training": lambda: draw_training(table, labels),
        "embedding": lambda: draw_embeddings(runs, labels, sections.tables.figure_method),
    }


def _matrices(sections: Sections, path: Path) -> Callable[[], Figure]:
    table = read_consistency(path)
    labels = {name: row.label for name, row in sections.methods.items()}
    found = set(table["kind"])
    kind = next((name for name in KINDS if name in found), "animals")
    return lambda: draw_consistency(table, labels, kind, KINDS[kind])
