"""A page of tables from scores: blocks of measured and published numbers, and the same numbers as tidy records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.statistics import Estimate, holm
from neural_action.progress import progress
from neural_action.tables.document import EMPTY, Block, Line, Span, interval, percent, probability
from neural_action.tables.published import Published
from neural_action.tables.scores import Column, Scores

#: Columns of the CSV of a table. ``reference`` is the row that was subtracted; ``p`` is after Holm.
RECORD = (
    *("method", "label", "group", "task", "probe", "label_budget", "animal", "unit", "metric", "layer"),
    *("reference", "mean", "low", "high", "p", "published", "elsewhere", "n_scores"),
)
#: Star of a difference with p below ``LEVEL``, in tables without a column for p.
MARK = " *"
LEVEL = 0.05


@dataclass
class Page:
    """The blocks of one table file, and one record for each measured or published number.

    Attributes:
        scores: all scores of the dataset.
        methods: the rows, in order.
        papers: published tables shown beside the measured numbers, at most two; the first is the paper's own.
        blocks: the tables.
        records: rows of the CSV, with the keys ``RECORD``.
    """

    scores: Scores
    methods: Mapping[str, MethodSettings]
    papers: tuple[Published, ...] = ()
    blocks: list[Block] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def measured(self, title: str, columns: Sequence[Column], *, with_paper: bool = True) -> None:
        """Add a block of means and intervals, each beside its published numbers where a paper has one.

        Rows without a score are left out, and the block is left out if no row remains. Published numbers are not
        shown beside the projection, because the paper does not say which layer it probes.
        """
        cells = {
            name: measured
            for name in progress(self.methods, "means and intervals", "row")
            if any(measured := [self.scores.cell(name, column) for column in columns])
        }
        if not cells:
            return
        beside = [
            [
                paper
                for paper in self.papers
                if with_paper and not column.projection and paper.has(column.in_paper)
            ]
            for column in columns
        ]
        lines = []
        for name in cells:
            row, texts = self.methods[name], []
            for column, cell, papers in zip(columns, cells[name], beside, strict=True):
                printed = [paper.values.get((name, *column.in_paper)) for paper in papers]
                texts.append(EMPTY if cell is None else _text(cell, column))
                texts += [EMPTY if value is None else percent(value) for value in printed]
                if cell is not None or any(value is not None for value in printed):
                    self.record(name, column, cell, published=printed)
            lines.append(Line(row.label, row.group, tuple(texts)))
        spans, aside = _headings(columns, [[paper.heading for paper in papers] for papers in beside])
        self.blocks.append(Block(title, spans, tuple(lines), aside))

    def recorded(self, columns: Sequence[Column]) -> None:
        """Add means and intervals to the CSV only."""
        for column in columns:
            for name in self.methods:
                if (cell := self.scores.cell(name, column)) is not None:
                    self.record(name, column, cell)

    def differences(self, title: str, column: Column, references: Sequence[str]) -> None:
        """Add a block with the paired difference of each row to each of ``references`` in ``column``.

        The p values of a block are one family, corrected by Holm. No block is added if no row can be compared.
        """
        found = self._compared([(column, reference) for reference in references])
        if not any(map(any, found.values())):
            return
        lines = []
        for name, cells in found.items():
            texts = []
            for reference, cell in zip(references, cells, strict=True):
                if cell is None:
                    texts += ["reference" if name == reference else EMPTY, EMPTY, EMPTY]
                else:
                    texts += [_text(cell, column, sign=True), probability(cell.p), str(cell.n)]
            lines.append(Line(self.methods[name].label, self.methods[name].group, tuple(texts)))
        spans = [
            Span(f"minus {self.methods[name].label}", ("difference", "p", "pairs")) for name in references
        ]
        self.blocks.append(Block(title, tuple(spans), tuple(lines)))

    def differences_by_budget(self, title: str, columns: Sequence[Column], reference: str) -> None:
        """Like ``differences``, to one reference and with one cell for each column; a star marks p < 0.05."""
        found = self._compared([(column, reference) for column in columns])
        lines = []
        for name, cells in found.items():
            if not any(cells):
                continue
            texts = [
                EMPTY if cell is None else _text(cell, column, sign=True) + (MARK if cell.p < LEVEL else "")
                for column, cell in zip(columns, cells, strict=True)
            ]
            lines.append(Line(self.methods[name].label, self.methods[name].group, tuple(texts)))
        if lines:
            spans, _ = _headings(columns, [[] for _ in columns])
            self.blocks.append(Block(title, spans, tuple(lines)))

    def references(self, sections: Sections, column: Column) -> list[str]:
        """The reference rows of differences: those configured, else the figure method and the best baseline.

        References that the page does not show are left out. InputError if the figure method is not configured.
        """
        settings = sections.tables
        if settings.figure_method not in sections.methods:
            raise InputError(
                f"configuration tables.figure_method: {settings.figure_method!r} is not one of "
                f"{', '.join(sections.methods)}"
            )
        if settings.references:
            return [name for name in settings.references if name in self.methods]
        best = self.best(column)
        return [name for name in dict.fromkeys([settings.figure_method, best]) if name in self.methods]

    def best(self, column: Column) -> str | None:
        """The baseline with the highest mean in ``column``; None without baselines."""
        means = {
            name: cell.mean
            for name, row in self.methods.items()
            if row.role == "baseline" and (cell := self.scores.cell(name, column)) is not None
        }
        return max(means, key=means.__getitem__) if means else None

    def record(
        self,
        name: str,
        column: Column,
        cell: Estimate | None,
        *,
        metric: str | None = None,
        reference: str = "",
        published: Sequence[float | None] = (),
    ) -> None:
        """Add a number to the CSV. ``metric`` replaces the metric of the column; ``published``: as ``papers``."""
        row = self.methods[name]
        layers = self.scores.pick(name, column)["layer"]
        shown = (
            layers.iloc[0]
            if len(layers)
            else {"trained": "encoder"}.get(row.representation, row.representation)
        )
        values = (
            *(name, row.label, row.group, column.task, column.probe, column.label_budget),
            *(column.animal or "all", column.unit, metric or column.metric),
            *("projection" if column.projection else shown, reference),
            *(
                (None,) * 4
                if cell is None
                else (cell.mean, cell.low, cell.high, cell.p if reference else None)
            ),
            *(*published, None, None)[:2],
            0 if cell is None else cell.n,
        )
        self.records.append(dict(zip(RECORD, values, strict=True)))

    def _compared(self, pairs: Sequence[tuple[Column, str]]) -> dict[str, list[Estimate | None]]:
        """Differences of each row in each (column, reference). Their p values are corrected as one family."""
        found: dict[str, list[Estimate | None]] = {}
        for name in progress(self.methods, "paired differences", "row"):
            if any(not self.scores.pick(name, column).empty for column, _ in pairs):
                found[name] = [
                    None if name == reference else self.scores.difference(name, reference, column)
                    for column, reference in pairs
                ]
        corrected = iter(holm([cell.p for cells in found.values() for cell in cells if cell is not None]))
        for name, cells in found.items():
            for at, (cell, (column, reference)) in enumerate(zip(cells, pairs, strict=True)):
                if cell is not None:
                    cells[at] = Estimate(cell.mean, cell.low, cell.high, cell.n, float(next(corrected)))
                    self.record(name, column, cells[at], reference=reference)
        return found


def _text(cell: Estimate, column: Column, *, sign: bool = False) -> str:
    return interval(cell.mean, cell.low, cell.high, sign=sign, metric=column.metric)


def _headings(
    columns: Sequence[Column], beside: Sequence[Sequence[str]]
) -> tuple[tuple[Span, ...], frozenset[int]]:
    """Spans over neighbouring columns with the same heading, and the positions of the papers' columns.

    ``beside``: the headings of the papers' columns after each column.
    """
    grouped: list[tuple[str, list[str]]] = []
    aside: set[int] = set()
    at = 0
    for column, papers in zip(columns, beside, strict=True):
        if not grouped or grouped[-1][0] != column.heading:
            grouped.append((column.heading, []))
        grouped[-1][1].append(column.part)
        at += 1
        grouped[-1][1].extend(papers)
        aside |= set(range(at, at + len(papers)))
        at += len(papers)
    return tuple(Span(heading, tuple(parts)) for heading, parts in grouped), frozenset(aside)
