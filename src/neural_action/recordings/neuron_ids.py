"""Identities of an animal's units, annotated by hand; a reference that matches cells between animals uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.files import csv_lines

_COLUMNS = ("worm", "trace_index_1based", "label", "neuron_class", "confidence")


def read_unit_names(
    path: Path, animal: str, units: np.ndarray, traces: int, by: str, min_confidence: float
) -> tuple[tuple[str, ...], list[str]]:
    """The names of an animal's units, and notes on them.

    A label that ends in ``?`` means that left and right could not be told apart: such a unit has a class but no label.
    If several units have the same label, only the one with the highest confidence keeps it; none does if two share that
    confidence.

    Args:
        path: CSV with columns worm, trace_index_1based, label, neuron_class, confidence.
        animal: name as in column worm.
        units: (unit,) int64, the column of each unit in the file of traces, from 0.
        traces: number of traces in that file.
        by: column with the names, ``label`` or ``neuron_class``.
        min_confidence: identities with a lower confidence are left out.

    Returns:
        (unit,) names, "" for a unit without one, and phrases.

    Raises:
        InputError: the file cannot be read or lacks a column; an index or a confidence is not a number; an index is
            outside the traces or occurs twice.
    """
    lines = csv_lines(path, _COLUMNS)
    rows = [{name: (line[name] or "").strip() for name in _COLUMNS} for line in lines]
    rows = [row for row in rows if row["worm"] == animal]
    named: dict[int, dict[str, str]] = {}
    for row in rows:
        trace = _number(path, row, "trace_index_1based")
        if trace != round(trace) or trace < 1:
            raise InputError(f"{path}: trace_index_1based {trace:g} of {animal}, expected 1 or more")
        if trace > traces:
            raise InputError(f"{path}: trace_index_1based {trace:g} of {animal}, expected at most {traces}")
        if trace in named:
            raise InputError(
                f"{path}: trace_index_1based {trace:g} of {animal} is both {named[int(trace)]['label']} and "
                f"{row['label']}, expected each trace once"
            )
        named[int(trace)] = row
    sure = {
        trace: (row, confidence)
        for trace, row in named.items()
        if (confidence := _number(path, row, "confidence")) >= min_confidence
    }
    said = [] if rows else [f"{path.name} names none of its units"]
    twice, names = [], dict.fromkeys(sure, "")
    for label in dict.fromkeys(row["label"] for row, _ in sure.values()):
        same = {trace: confidence for trace, (row, confidence) in sure.items() if row["label"] == label}
        best = [trace for trace, confidence in same.items() if confidence == max(same.values())]
        uncertain = label.endswith("?")
        if len(same) > 1 and not uncertain:
            twice.append(label)
        # Two units with the same uncertain label are two cells of one class, so both keep it.
        for trace in same if uncertain else best if len(best) == 1 else []:
            row = sure[trace][0]
            names[trace] = row["neuron_class"] if by == "neuron_class" else "" if uncertain else label
    if twice:
        said.append(
            f"{path.name} gives {', '.join(twice)} to several units; only the one with the highest confidence keeps it"
        )
    return tuple(names.get(int(unit) + 1, "") for unit in units), said


def _number(path: Path, row: dict[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{path}: {name} {row[name]!r} of {row['label']}, expected a number")
    return value
