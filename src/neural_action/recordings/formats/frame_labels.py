"""Labels from a table with a row for each behaviour frame: one column for each class, or one column of names.

One-hot tables hold 1 in the annotated class, and 0 or -1 in the others; a row without 1 is unlabelled. A table of names
may hold several recordings; ``where`` chooses the rows of one. A column of times (``time`` in BORIS' behaviour binary
table) or of frame numbers gives the time of a row; an unnamed first column is the frame number that pandas writes. In
SimBA's ``targets_inserted`` and ``machine_results``, classes come after poses and features. Sources:
boris/behavior_binary_table.py; simba/labelling, simba/model/inference_batch.py; deepethogram's labels (``background``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError
from neural_action.files import most_bytes
from neural_action.recordings.formats import Labels, as_classes, frame_numbers
from neural_action.recordings.table_files import column_of, read_table, texts
from neural_action.recordings.units import FRAMES, TIMES, called, lasting, seconds_named

if TYPE_CHECKING:
    import pandas as pd

_SIMBA = ("targets_inserted", "machine_results")
EXPECTED = (
    "a table (.csv, .csv.gz, .parquet) of frames: one column for each class, or one column of class names"
)


class Options(Section):
    """Options of this format.

    Attributes:
        column: column of names; null: one column for each class.
        frame: column of behaviour frame numbers, from 0; null: a column with such a name, else an unnamed first column,
            else row k is frame k.
        time: column of times, s after the first video frame; null: a column with such a name. A row lasts until the
            next one, but at most 1.5 median steps.
        seconds: seconds per unit of ``time``; null: from its name (``time_ms``), else 1.
        where: columns and values that rows must have.
        classes: columns of classes; null: all except ``frame``, ``time`` and unnamed ones; for SimBA those after its
            features.
        unlabelled: classes or names that count as no label.
        conflicts: frames with two classes are an error (``refuse``) or ``unlabelled``.
    """

    column: str | None = None
    frame: str | None = None
    time: str | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    where: dict[str, str | int] = Field(default_factory=dict)
    classes: list[str] | None = None
    unlabelled: list[str] = Field(default_factory=list)
    conflicts: Literal["refuse", "unlabelled"] = "refuse"


def recognise(path: Path) -> str | None:
    """Recognise a CSV by its name (label, annotation, behaviour or behavior), or one of SimBA by its folder."""
    if path.suffix not in (".csv", ".gz", ".parquet") or not path.is_file():
        return None
    if path.suffix == ".csv" and path.parent.name in _SIMBA:
        return "labels of frames (SimBA)"
    named = any(word in path.name.lower() for word in ("label", "annotation", "behaviour", "behavior"))
    return "labels of frames" if named and ".csv" in path.name else None


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """One label for each video frame up to the last frame of the table; frames not in the table are unlabelled.

    If the table has times instead, labels of intervals. InputError naming the file: a column or all rows are missing;
    values are not -1, 0 or 1; a frame has two classes (with the frame and both); a name is no class; or frames or times
    do not increase.
    """
    table = _rows(path, options)
    time = options.time or called(table.columns, TIMES)
    frame = options.frame or called(table.columns, FRAMES)
    if frame is None and time is None and str(table.columns[0]).startswith("Unnamed:"):
        frame = str(table.columns[0])
    others = {frame, time, *options.where}
    words = [name for name in table.columns if name not in others and table[name].dtype.kind in "OUT"]
    column = options.column or (words[0] if len(words) == 1 and options.classes is None else None)
    if column is None:
        numbers, names = _one_hot(path, table, options, class_names, others)
    else:
        found = texts(column_of(path, table, column))
        numbers, names = as_classes(found, class_names, options.unlabelled, path)
    if frame is not None and options.time is None:
        numbers = _by_frame(path, column_of(path, table, frame), frame, numbers)
        return Labels(names, numbers, by_frame=True, said=f"video frames of column {frame!r}")
    if time is not None:
        unit = seconds_named(time) if options.seconds is None else options.seconds
        intervals = lasting(column_of(path, table, time).to_numpy(), unit, f"{path}: column {time!r}")
        said = f"s of the video, column {time!r}"
        stated = options.seconds is not None
        return Labels(
            names, numbers, intervals, of_video=True, conflicts=options.conflicts, said=said, stated=stated
        )
    return Labels(names, numbers)


def _by_frame(path: Path, values: pd.Series, name: str, numbers: np.ndarray) -> np.ndarray:
    """(frame,) int16: the numbers at their frames, -1 elsewhere."""
    order = np.argsort(values.to_numpy(), kind="stable")
    frames, numbers = frame_numbers(values.to_numpy()[order], path, f"column {name!r}"), numbers[order]
    if frames.max() >= most_bytes(path):
        raise InputError(f"{path}: column {name!r} has frame {frames.max()}, expected video frame numbers")
    out = np.full(frames.max() + 1, -1, np.int16)
    out[frames] = numbers
    return out


def _rows(path: Path, options: Options) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    table = read_table(path, words=True)
    if all(_is_number(name) for name in table.columns) and path.suffix != ".parquet":
        raise InputError(f"{path}: the first line is numbers, expected a header with names of columns")
    for column, value in options.where.items():
        table = table[column_of(path, table, column).astype(str) == str(value)]
    if len(table) == 0:
        chosen = ", ".join(f"{column} {value}" for column, value in options.where.items())
        raise InputError(f"{path}: no rows{' with ' + chosen if chosen else ''}, expected at least one")
    return table


def _is_number(name: Any) -> bool:
    try:
        float(name)
    except (TypeError, ValueError):
        return False
    return True


def _one_hot(
    path: Path,
    table: pd.DataFrame,
    options: Options,
    class_names: tuple[str, ...] | None,
    others: set[str | None],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(row,) int16 class numbers and the class names, from one column for each class."""
    columns = options.classes or [
        name for name in table.columns if name not in others and not str(name).startswith("Unnamed:")
    ]
    if options.classes is None and path.parent.name in _SIMBA:
        columns = _simba(path, table, columns)
    values = np.stack([np.asarray(column_of(path, table, name)) for name in columns], 1)
    if values.dtype.kind not in "biuf" or not np.isin(values, (-1, 0, 1)).all():
        raise InputError(
            f"{path}: values other than -1, 0 and 1, expected one column for each class, or options column: NAME"
        )
    on = values == 1
    several = on.sum(1) > 1
    if several.any() and options.conflicts == "refuse":
        at = int(np.argmax(several))
        both = " and ".join(columns[k] for k in np.flatnonzero(on[at]))
        raise InputError(
            f"{path}: row {at} has the classes {both} ({int(several.sum())} such rows), expected one; "
            "set conflicts: unlabelled to leave them out"
        )
    named = np.where(on.any(1) & ~several, np.array(columns, object)[on.argmax(1)], "")
    wanted = class_names or tuple(name for name in columns if name not in options.unlabelled)
    return as_classes(list(named), wanted, options.unlabelled, path)


def _simba(path: Path, table: pd.DataFrame, columns: list[str]) -> list[str]:
    """Classes of SimBA's tables: columns that have a probability column, or else the last columns with only 0 and 1."""
    found = [name for name in columns if f"Probability_{name}" in table.columns]
    if found:
        return found
    for name in reversed(columns):
        if str(name).endswith(("_x", "_y", "_p")) or not table[name].isin((0, 1)).all():
            break
        found.insert(0, name)
    if not found:
        raise InputError(
            f"{path}: the last column has values other than 0 and 1, expected columns of classes: --option "
            "'labels.options.classes=[NAMES]'"
        )
    return found
