"""A page of tables before it has a format: text, and cells that are text already."""

from __future__ import annotations

import math
from dataclasses import dataclass

EMPTY = "–"


@dataclass(frozen=True)
class Span:
    """A heading over neighbouring columns, with the heading of each."""

    heading: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A row: what it is called, the group it stands in, and one text a column."""

    label: str
    group: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """One table. ``aside`` are the columns (from 0) that stand back: they were not measured here."""

    title: str
    spans: tuple[Span, ...]
    lines: tuple[Line, ...]
    aside: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Document:
    """Tables with a title, an opening line and notes (a term and what is to be known of it)."""

    title: str
    opening: str
    blocks: tuple[Block, ...]
    notes: tuple[tuple[str, str], ...]


def percent(value: float, *, sign: bool = False) -> str:
    """A fraction of 1 in percent with one decimal and a true minus sign: ``0.543`` is ``54.3``."""
    text = f"{100 * value:{'+' if sign else ''}.1f}"
    return "0.0" if text.lstrip("+-") == "0.0" else text.replace("-", "−")


def interval(mean: float, low: float, high: float, *, sign: bool = False) -> str:
    """Mean and interval in percent: ``54.3 [51.0, 57.2]``; the mean alone where there is no interval (NaN)."""
    if math.isnan(low):
        return percent(mean, sign=sign)
    return f"{percent(mean, sign=sign)} [{percent(low, sign=sign)}, {percent(high, sign=sign)}]"
