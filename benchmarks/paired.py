"""One row minus another, paired, with its interval: any two rows of a finished run of spikes, label by label.

``python benchmarks/paired.py --dataset monkey_reach --rows trial_discriminant_neighbors byol_neighbors`` prints
accuracy in points, over splits and seeds, for every number of labelled trials and every animal.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from neural_action.config.load import read_yaml
from neural_action.config.sections import Sections
from neural_action.tables.document import interval
from neural_action.tables.efficiency import columns
from neural_action.tables.scores import SplitScores


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
    what = (sections.dataset, sections.split.protocol, sections.tables)
    scores = SplitScores.read(folder / "scores_all.csv", options.rows, *what)
    row, reference = (sections.methods[name].label for name in options.rows)
    print(f"{row} minus {reference}, accuracy in points [95 %]; labelled trials of each class")
    for animal in scores.animals:
        cells = [
            (column.part, scores.difference(*options.rows, column)) for column in columns(sections, animal)
        ]
        shown = [
            f"{part}: {interval(cell.mean, cell.low, cell.high, sign=True)}" for part, cell in cells if cell
        ]
        print(f"{animal}: {'; '.join(shown)}")


if __name__ == "__main__":
    main()
