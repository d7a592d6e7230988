"""Stage: write the first page of the report."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

from matplotlib.figure import Figure

from neural_action.config.sections import Sections
from neural_action.diagnostics.finding import Finding
from neural_action.errors import reading
from neural_action.files import write_text
from neural_action.tables.diagnostics import summary
from neural_action.tables.headline import headlines
from neural_action.tables.notes import opening
from neural_action.tables.overview import fragment
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.runs import Run, by_method
from neural_action.tables.pictures.scores import draw_scores
from neural_action.tables.pictures.style import write_png
from neural_action.tables.scores import read_scores

#: Heading above the scores of each task.
_HEADINGS = {
    "across": "Actions of animals whose labels the probe never saw",
    "across_sessions": "Actions of sessions whose labels the probe never saw",
    "within": "Actions in trials whose labels the probe never saw",
    "decoding": "Classes in trials whose labels the probe never saw",
    "continuous_across": "Behaviour of animals that the probe never saw",
    "continuous_across_sessions": "Behaviour of sessions that the probe never saw",
    "continuous_within": "Behaviour in trials that the probe never saw",
}


def run(config: str, scores: Path, embeddings: tuple[Path, ...], diagnostics: Path, output: Path) -> None:
    """Write an HTML fragment: scores with intervals, embeddings by action and by animal, the result of every check.

    InputError if ``diagnostics`` was not written by stage diagnose.
    """
    sections = Sections(config)
    methods, settings = sections.methods, sections.tables
    every = read_scores(scores, sections)
    with reading(diagnostics, "diagnostics", OSError, ValueError, LookupError, TypeError):
        found = json.loads(diagnostics.read_text())
        checks = [
            {**check, "said": summary([Finding(**one) for one in found["findings"] if one["check"] == name])}
            for name, check in found["checks"].items()
        ]
        classes = len({row["class"] for row in found["windows"]} - {""})
    runs = by_method([Run.load(path) for path in embeddings], list(methods))
    labels = {name: row.label for name, row in methods.items()}
    columns = headlines(sections, every)
    chart = draw_scores(every, methods, columns, opening(sections), classes)
    animals = every.over(columns[0]) == {"animals"}
    heading, dot = _HEADINGS[columns[0].task], "animal" if animals else "split"
    drawn = draw_embeddings(runs, labels, settings.figure_method) if runs else None
    text = fragment(heading, dot, _address(chart), None if drawn is None else _address(drawn), checks)
    write_text(output, text)


def _address(figure: Figure) -> str:
    """The picture as a data URI."""
    buffer = io.BytesIO()
    write_png(figure, buffer)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
