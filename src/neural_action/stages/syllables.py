"""Stage: behavioural syllables of one holdout."""

from __future__ import annotations

from pathlib import Path

from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.syllables.posterior import fit_syllables


def run(
    config: str,
    folds: Path,
    holdout: str,
    threads: int,
    output: Path,
    report: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Fit on the poses that pretraining may see under ``holdout``."""
    sections = Sections(config)
    cohort = load_cohort(manifests, read_folds(folds), Holdout.parse(holdout), sections.clips, neural=False)
    with threadpool_limits(threads):
        fit_syllables(cohort, sections.syllables).save(output, report)
