"""Stage: fit the behavioural syllables of one run."""

from __future__ import annotations

from pathlib import Path

from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.syllables.posterior import fit_syllables


def run(config: str, source: Source, threads: int, output: Path, report: Path) -> None:
    """Fit on the poses that pretraining may see."""
    sections = Sections(config)
    dataset = source.open(sections.windows, neural=False)
    with threadpool_limits(threads):
        fit_syllables(dataset, sections.syllables).save(output, report)
