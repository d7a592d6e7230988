"""Stage: pose index and swap table of one holdout."""

from __future__ import annotations

import json
from pathlib import Path

from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.neighbors.table import build_swap_table
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds


def run(
    config: str,
    folds: Path,
    holdout: str,
    threads: int,
    output: Path,
    report: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Draw swaps among what pretraining may see under ``holdout``: hidden poses are neither queries nor targets."""
    sections = Sections(config)
    cohort = load_cohort(manifests, read_folds(folds), Holdout.parse(holdout), sections.clips, neural=False)
    with threadpool_limits(threads):
        table = build_swap_table(
            cohort.pose,
            cohort.pose_animal,
            cohort.pose_visible,
            sections.neighbors,
            names=cohort.animals,
        )
    table.save(output)
    with whole(report) as partial:
        partial.write_text(json.dumps(table.report, indent=1) + "\n")
