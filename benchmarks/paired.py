"""One row minus another, paired, with its interval: any two rows of a finished run, label by label.

``python benchmarks/paired.py --dataset monkey_reach --rows trial_discriminant byol`` prints
differences in points for every probe, number of labelled trials, and task or animal.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from neural_action.config.load import read_yaml
from neural_action.config.sections import Sections
from neural_action.tables.document import interval
from neural_action.tables.efficiency import curves
from neural_action.tables.scores import Scores


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
    what = (sections.dataset, sections.split.protocol, sections.probes)
    scores = Scores.read(folder / "scores.csv", options.rows, *what)
    row, reference = (sections.methods[name].label for name in options.rows)
    print(f"{row} minus {reference}, in points [95 %]; labelled trials of each class")
    for title, columns in curves(sections, scores).items():
        cells = [(column.part, scores.difference(*options.rows, column)) for column in columns]
        shown = [
            f"{part}: {interval(cell.mean, cell.low, cell.high, sign=True)}" for part, cell in cells if cell
        ]
        print(f"{title}: {'; '.join(shown)}")


if __name__ == "__main__":
    main()
