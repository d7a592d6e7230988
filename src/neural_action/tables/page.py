"""Scores to a page of tables: blocks of measured and published numbers, and the same as tidy records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neural_action.config.settings import MethodSettings
from neural_action.progress import progress
from neural_action.tables.document import EMPTY, Block, Line, Span, interval, percent
from neural_action.tables.published import Published
from neural_action.tables.scores import Cell, Column, Scores

RECORD = (
    "method",
    "label",
    "group",
    "task",
    "fraction",
    "metric",
    "probe",
    "representation",
    "mean",
    "low",
    "high",
    "published",
    "n_scores",
)


@dataclass
class Page:
    """Blocks of one table file, and a record for every cell in them that was measured or published.

    Attributes:
        scores: what the cells are made of.
        methods: the rows, in order.
        paper: the published numbers that stand beside.
    """

    scores: Scores
    methods: Mapping[str, MethodSettings]
    paper: Published
    blocks: list[Block] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def measured(
        self, title: str, columns: Sequence[Column], *, projection: bool = False, with_paper: bool = True
    ) -> None:
        """Add a block of means and intervals, each beside its published number where the paper has one.

        Rows without a score stay out, and so does the block without columns or rows. Published numbers do not
        stand beside the projection: the paper does not say which representation it probes.
        """
        cells = {
            name: measured
            for name in progress(self.methods, "means and intervals", "row")
            if any(measured := [self.scores.cell(name, column, projection=projection) for column in columns])
        }
        if not cells:
            return
        in_paper = {(task, part) for _, task, part in self.paper.values}
        # The papers probe linearly, but for the supervised row.
        beside = [
            not projection
            and column.probe in (None, "linear", "all")
            and with_paper
            and column.in_paper in in_paper
            for column in columns
        ]
        lines = []
        for name in cells:
            row, texts = self.methods[name], []
            for column, cell, paper in zip(columns, cells[name], beside, strict=True):
                printed = self.paper.values.get((name, *column.in_paper)) if paper else None
                texts.append(EMPTY if cell is None else interval(cell.mean, cell.low, cell.high))
                if paper:
                    texts.append(EMPTY if printed is None else percent(printed))
                if cell is not None or printed is not None:
                    self._record(name, column, column.metric, cell, printed, projection=projection)
            lines.append(Line(row.label, row.group, tuple(texts)))
        spans, aside = _headings(columns, beside, self.paper.heading)
        self.blocks.append(Block(title, spans, tuple(lines), aside))

    def differences(self, title: str, column: Column, references: Sequence[str]) -> None:
        """Add a block of paired differences of every row with a score in ``column`` to each of ``references``."""
        lines = []
        for name in progress(self.methods, "paired differences", "row"):
            row = self.methods[name]
            if self.scores.pick(name, column).empty:
                continue
            texts = []
            for reference in references:
                cell = None if name == reference else self.scores.difference(name, reference, column)
                if cell is not None:
                    self._record(name, column, f"{column.metric}_minus_{reference}", cell, None)
                    texts += [interval(cell.mean, cell.low, cell.high, sign=True), str(cell.n_scores)]
                else:
                    texts += ["reference" if name == reference else EMPTY, EMPTY]
            lines.append(Line(row.label, row.group, tuple(texts)))
        spans = [Span(f"minus {self.methods[name].label}", ("difference", "pairs")) for name in references]
        self.blocks.append(Block(title, tuple(spans), tuple(lines)))

    def best(self, column: Column) -> str | None:
        """The baseline with the highest mean in ``column``; None without baselines."""
        means = {
            name: cell.mean
            for name, row in self.methods.items()
            if row.role == "baseline" and (cell := self.scores.cell(name, column)) is not None
        }
        return max(means, key=means.__getitem__) if means else None

    def record(self, name: str, column: Column, metric: str, cell: Cell) -> None:
        """Keep a number that a caller lays out itself."""
        self._record(name, column, metric, cell, None)

    def _record(
        self,
        name: str,
        column: Column,
        metric: str,
        cell: Cell | None,
        printed: float | None,
        *,
        projection: bool = False,
    ) -> None:
        row = self.methods[name]
        shown = {"trained": "encoder"}.get(row.representation, row.representation)
        values = (
            *(name, row.label, row.group, column.task, column.fraction, metric, column.probe or row.probe),
            "projection" if projection else shown,
            *((None, None, None) if cell is None else (cell.mean, cell.low, cell.high)),
            printed,
            0 if cell is None else cell.n_scores,
        )
        self.records.append({**dict(zip(RECORD, values, strict=True)), "animal": column.animal})


def _headings(
    columns: Sequence[Column], beside: Sequence[bool], paper_heading: str
) -> tuple[tuple[Span, ...], frozenset[int]]:
    """Spans over neighbouring columns that share a heading, and the places of the paper's columns."""
    grouped: list[tuple[str, list[str]]] = []
    aside: set[int] = set()
    at = 0
    for column, paper in zip(columns, beside, strict=True):
        if not grouped or grouped[-1][0] != column.heading:
            grouped.append((column.heading, []))
        grouped[-1][1].append(column.part)
        at += 1
        if paper:
            grouped[-1][1].append(paper_heading)
            aside.add(at)
            at += 1
    return tuple(Span(heading, tuple(parts)) for heading, parts in grouped), frozenset(aside)
