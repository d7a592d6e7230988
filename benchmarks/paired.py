"""One row minus another, paired, with its interval: any two rows of a finished run, column by column.

``python benchmarks/paired.py --dataset monkey_reach --rows trial_discriminant byol`` prints
differences in points (of R2 as they are) for every task, animal where it is decoded, probe and label budget.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from neural_action.config.evaluation_settings import ACTIONS, CONTINUOUS
from neural_action.config.load import read_yaml
from neural_action.config.sections import Sections
from neural_action.evaluation.statistics import holm
from neural_action.tables.document import interval, probability
from neural_action.tables.scores import Column, Scores


def main() -> None:
    """Read the scores, print the differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--rows", nargs=2, required=True, metavar=("ROW", "REFERENCE"))
    options = parser.parse_args()
    folder = options.results / options.dataset
    sections = Sections(json.dumps(read_yaml(folder / "config.yaml")))
    made = (sections.dataset, sections.split.protocol, sections.probes)
    scores = Scores.read(folder / "scores.csv", options.rows, *made)
    row, reference = (sections.methods[name].label for name in options.rows)
    one, other = options.rows
    found = [(column, scores.difference(one, other, column)) for column in columns(sections, scores)]
    found = [(column, cell) for column, cell in found if cell is not None]
    adjusted = holm([cell.p for _, cell in found])
    print(f"{row} minus {reference} [95 %], scores, p after Holm over these {len(found)} differences")
    for (column, cell), p in zip(found, adjusted, strict=True):
        shown = interval(cell.mean, cell.low, cell.high, sign=True, metric=column.metric)
        where = f"task {column.task}, {column.animal or 'all animals'}, probe {column.probe}"
        what = f"label budget {column.label_budget}, {column.metric}"
        print(f"{where}, {what}: {shown}, {cell.n}, {probability(p)}")


def columns(sections: Sections, scores: Scores) -> Iterator[Column]:
    """Every column of classes or behaviour by the metric of the tables, from few labels to all."""
    for task in sections.evaluation.tasks:
        metric = sections.tables.metric if task in (*ACTIONS, "clusters") else "accuracy"
        for probe in scores.read_by(task):
            for animal in scores.animals if task == "decoding" else [None]:
                for budget in scores.budgets(task, probe):
                    yield Column(task, probe, budget, "r2" if task in CONTINUOUS else metric, animal=animal)


if __name__ == "__main__":
    main()
