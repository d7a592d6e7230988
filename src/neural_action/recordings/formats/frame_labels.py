"""Actions of every behaviour frame in a table: one column a class, or one column of names.

One-hot tables hold 1 where the class was annotated, 0 or -1 elsewhere; -1 throughout means unlabelled. A table of names
may hold several recordings; ``where`` chooses the rows of one. A column of times (BORIS' behaviour binary table:
``time``) or of frame numbers says when a row is; an unnamed first column is the frame number that pandas writes.
SimBA's ``targets_inserted`` and ``machine_results`` have the classes behind poses and features. Sources:
boris/behavior_binary_table.py; simba/labelling, simba/model/inference_batch.py; deepethogram's labels (``background``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.files import most_bytes
from neural_action.recordings.formats import FormatOptions, Labels, as_classes, frame_numbers
from neural_action.recordings.table_files import read_table, texts
from neural_action.recordings.units import FRAMES, TIMES, called, lasting, seconds_named

_SIMBA = ("targets_inserted", "machine_results")
EXPECTED = "a table (.csv, .csv.gz, .parquet) of frames: one column a class, or one column of class names"


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        column: the column of names; null: one column a class.
        frame: the column of behaviour frame numbers, from 0; null: the one that is called so, else an unnamed first
            column, else row k is frame k.
        time: the column of times, s since the first video frame; null: the one that is called so. A row lasts until the
            next one, at most 1.5 of the usual steps.
        seconds: seconds per unit of ``time``; null: as its name says (``time_ms``), else 1.
        where: columns and values that rows must have.
        classes: columns that are classes; null: all but ``frame``, ``time`` and unnamed ones; of SimBA those behind its
            features.
        unlabelled: classes or names that count as no label.
        conflicts: a frame with two classes is an error, or ``unlabelled``.
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
    """A CSV called ``*label*`` or ``*annotation*``, or one of SimBA."""
    if path.suffix not in (".csv", ".gz", ".parquet") or not path.is_file():
        return None
    if path.suffix == ".csv" and path.parent.name in _SIMBA:
        return "labels of frames (SimBA)"
    named = any(word in path.name.lower() for word in ("label", "annotation", "behaviour", "behavior"))
    return "labels of frames" if named and ".csv" in path.name else None


def files(path: Path) -> list[Path]:
    """The one file."""
    return [path]


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """One label a video frame, up to the last frame of the table; frames that are not in it are unlabelled.

    Where the table has times instead, intervals of the video. Raises InputError naming the file: columns or rows that
    are not there, values that are neither -1, 0 nor 1, two classes in one frame (with the frame and both), a name that
    is no class, frames or times out of order.
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
        found = texts(_column(path, table, column))
        numbers, names = as_classes(found, class_names, options.unlabelled, path)
    if frame is not None and options.time is None:
        numbers = _by_frame(path, _column(path, table, frame), frame, numbers)
        return Labels(names, numbers, by_frame=True, said=f"video frames of column {frame!r}")
    if time is not None:
        unit = seconds_named(time) if options.seconds is None else options.seconds
        intervals = lasting(_column(path, table, time).to_numpy(), unit, f"{path}: column {time!r}")
        said = f"s of the video, column {time!r}"
        return Labels(names, numbers, intervals, of_video=True, conflicts=options.conflicts, said=said)
    return Labels(names, numbers)


def _by_frame(path: Path, values: Any, name: str, numbers: np.ndarray) -> np.ndarray:
    """(frame,) int8: the numbers at their frames, -1 elsewhere."""
    order = np.argsort(values.to_numpy(), kind="stable")
    frames, numbers = frame_numbers(values.to_numpy()[order], path, f"column {name!r}"), numbers[order]
    if frames.max() >= most_bytes(path):
        raise InputError(f"{path}: column {name!r} names frame {frames.max()}, expected one of a video")
    out = np.full(frames.max() + 1, -1, np.int8)
    out[frames] = numbers
    return out


def _rows(path: Path, options: Options):
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    table = read_table(path, words=True)
    if all(_is_number(name) for name in table.columns) and path.suffix != ".parquet":
        raise InputError(f"{path}: has no header, its first line is numbers; expected names of columns")
    for column, value in options.where.items():
        table = table[_column(path, table, column).astype(str) == str(value)]
    if len(table) == 0:
        chosen = ", ".join(f"{column} {value}" for column, value in options.where.items())
        raise InputError(f"{path}: no rows{' with ' + chosen if chosen else ''}, expected some")
    return table


def _is_number(name: Any) -> bool:
    try:
        float(name)
    except (TypeError, ValueError):
        return False
    return True


def _one_hot(
    path: Path, table, options: Options, class_names: tuple[str, ...] | None, others: set[str | None]
):
    columns = options.classes or [
        name for name in table.columns if name not in others and not str(name).startswith("Unnamed:")
    ]
    if options.classes is None and path.parent.name in _SIMBA:
        columns = _simba(path, table, columns)
    values = np.stack([np.asarray(_column(path, table, name)) for name in columns], 1)
    if values.dtype.kind not in "biuf" or not np.isin(values, (-1, 0, 1)).all():
        raise InputError(
            f"{path}: values other than -1, 0 and 1, expected one column a class; or name the column"
        )
    on = values == 1
    several = on.sum(1) > 1
    if several.any() and options.conflicts == "refuse":
        at = int(np.argmax(several))
        both = " and ".join(columns[k] for k in np.flatnonzero(on[at]))
        raise InputError(
            f"{path}: row {at} has the classes {both} ({int(several.sum())} such rows), expected one; "
            "conflicts: unlabelled leaves them out"
        )
    named = np.where(on.any(1) & ~several, np.array(columns, object)[on.argmax(1)], "")
    wanted = class_names or tuple(name for name in columns if name not in options.unlabelled)
    return as_classes(list(named), wanted, options.unlabelled, path)


def _simba(path: Path, table, columns: list[str]) -> list[str]:
    """Classes of SimBA's tables: with a probability beside them, or the columns of 0 and 1 at the end."""
    found = [name for name in columns if f"Probability_{name}" in table.columns]
    if found:
        return found
    for name in reversed(columns):
        if str(name).endswith(("_x", "_y", "_p")) or not table[name].isin((0, 1)).all():
            break
        found.insert(0, name)
    if not found:
        raise InputError(
            f"{path}: no columns of 0 and 1 at its end, expected options classes: the names of some"
        )
    return found


def _column(path: Path, table, name: str):
    if name not in table.columns:
        raise InputError(f"{path}: no column {name!r}, found {', '.join(map(str, table.columns))}")
    return table[name]
