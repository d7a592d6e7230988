"""Tables before rendering: every title, note and cell is already text."""

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
    """A row: its label, its group and one text for each column."""

    label: str
    group: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """One table. ``aside`` are the columns (from 0) shown muted, because they were not measured here."""

    title: str
    spans: tuple[Span, ...]
    lines: tuple[Line, ...]
    aside: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Document:
    """Tables with a title, an opening line and notes (pairs of a term and its explanation)."""

    title: str
    opening: str
    blocks: tuple[Block, ...]
    notes: tuple[tuple[str, str], ...]


#: Metrics that are not fractions of 1, with their decimals.
_PLAIN = {"r2": 2, "log_loss": 3}


def percent(value: float, *, sign: bool = False) -> str:
    """A fraction of 1 in percent with one decimal and a typographic minus sign: ``0.543`` is ``54.3``."""
    return _decimals(100 * value, 1, sign)


def interval(mean: float, low: float, high: float, *, sign: bool = False, metric: str = "accuracy") -> str:
    """Mean and interval in percent: ``54.3 [51.0, 57.2]``; only the mean if there is no interval (NaN).

    R2 and log loss are not converted to percent: ``0.54 [0.51, 0.57]``. Infinite bounds are ``[no bounds]``.
    """
    decimals = _PLAIN.get(metric)
    values = (mean, low, high) if decimals else (100 * mean, 100 * low, 100 * high)
    middle, *ends = (_decimals(value, decimals or 1, sign) for value in values)
    if math.isnan(low):
        return middle
    return f"{middle} [{', '.join(ends)}]" if math.isfinite(low) else f"{middle} [no bounds]"


def probability(p: float) -> str:
    """A p value: ``0.012`` or ``< 0.001``; a dash for NaN."""
    if math.isnan(p):
        return EMPTY
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _decimals(value: float, count: int, sign: bool) -> str:
    if not math.isfinite(value):
        return EMPTY
    text = f"{value:{'+' if sign else ''}.{count}f}"
    zero = f"{0:.{count}f}"
    return zero if text.lstrip("+-") == zero else text.replace("-", "−")
