"""Stage: check for silent errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.diagnostics.finding import CHECKS
from neural_action.diagnostics.run import Diagnosis, diagnose
from neural_action.files import write_text
from neural_action.tables.diagnostics import html
from neural_action.tables.notes import opening
from neural_action.tables.pictures.diagnostics import draw_diagnostics
from neural_action.tables.pictures.style import save
from neural_action.tables.scores import read_scores


def run(
    config: str,
    source: Source,
    swaps: tuple[Path, ...],
    scores: Path | None,
    threads: int,
    output: Path,
) -> None:
    """Write diagnostics.json, .html and .png into ``output``; print errors and warnings on standard error.

    The name of a file in ``swaps`` without its suffix is the name of its run.
    """
    sections = Sections(config)
    every = None if scores is None else read_scores(scores, sections).table
    with threadpool_limits(threads):
        found = diagnose(sections, source, {path.stem: path for path in swaps}, every)
    write_text(output / "diagnostics.json", json.dumps(_summary(sections.dataset, found), indent=1) + "\n")
    write_text(output / "diagnostics.html", html(opening(sections), found))
    save(draw_diagnostics(found, sections.diagnostics), output / "diagnostics.png")
    for finding in found.findings:
        if finding.severity in ("error", "warning"):
            print(
                f"{finding.severity}: {finding.check}: {finding.subject}: {finding.message}", file=sys.stderr
            )


def _summary(dataset: str, found: Diagnosis) -> dict:
    severities = found.severities
    return {
        "dataset": dataset,
        "checks": {check: {"asks": CHECKS[check], "severity": severities[check]} for check in severities},
        "findings": [finding.to_dict() for finding in found.findings],
        "windows": found.counts.to_dict("records"),
    }
