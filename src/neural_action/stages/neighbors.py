"""Stage: draw the swap table of one run."""

from __future__ import annotations

import json
from pathlib import Path

from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.files import write_text
from neural_action.neighbors.table import build_swap_table


def run(config: str, source: Source, threads: int, output: Path, report: Path) -> None:
    """Draw swaps among the poses that pretraining may see: hidden poses are neither queries nor targets."""
    sections = Sections(config)
    dataset = source.open(sections.windows, neural=False)
    with threadpool_limits(threads):
        table = build_swap_table(
            dataset.pose,
            dataset.pose_animal,
            dataset.pose_visible,
            sections.neighbors,
            names=dataset.animals,
        )
    table.save(output)
    write_text(report, json.dumps(table.report, indent=1) + "\n")
