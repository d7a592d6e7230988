"""Actions of every behaviour frame in a table: one column a class, or one column of names.

One-hot tables hold 1 where the class was annotated, 0 or -1 elsewhere; -1 throughout means unlabelled. A table of names
may hold several recordings; ``where`` chooses the rows of one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.files import most_bytes
from neural_action.recordings.formats import FormatOptions, Labels, as_classes
from neural_action.recordings.table_files import read_table, texts

EXPECTED = "a table (.csv, .csv.gz, .parquet) of frames: one column a class, or one column of class names"


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        column: the column of names; null: one column a class.
        frame: the column of behaviour frame numbers, from 0; null: row k is frame k.
        where: columns and values that rows must have.
        classes: columns that are classes; null: all but ``frame`` and unnamed ones.
        unlabelled: classes or names that count as no label.
        conflicts: a frame with two classes is an error, or ``unlabelled``.
    """

    column: str | None = None
    frame: str | None = None
    where: dict[str, str | int] = Field(default_factory=dict)
    classes: list[str] | None = None
    unlabelled: list[str] = Field(default_factory=list)
    conflicts: Literal["refuse", "unlabelled"] = "refuse"


def recognise(path: Path) -> str | None:
    """A CSV called ``*label*`` or ``*annotation*``."""
    if path.suffix not in (".csv", ".gz", ".parquet") or not path.is_file():
        return None
    named = any(word in path.name.lower() for word in ("label", "annotation", "behaviour", "behavior"))
    return "labels of frames" if named and ".csv" in path.name else None


def files(path: Path) -> list[Path]:
    """The one file."""
    return [path]


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """One label a behaviour frame, up to the last frame of the table; frames that are not in it are unlabelled.

    Raises InputError naming the file: columns or rows that are not there, values that are neither -1, 0 nor 1, two
    classes in one frame (with the frame and both), a name that is no class.
    """
    table = _rows(path, options)
    if options.column is not None:
        found = texts(_column(path, table, options.column))
        numbers, names = as_classes(found, class_names, options.unlabelled, path)
    else:
        numbers, names = _one_hot(path, table, options, class_names)
    if options.frame is None:
        return Labels(names, numbers)
    frames = np.asarray(_column(path, table, options.frame))
    if frames.dtype.kind not in "iu" or frames.min() < 0:
        raise InputError(f"{path}: column {options.frame!r}, expected frame numbers from 0")
    if frames.max() >= most_bytes(path):
        raise InputError(
            f"{path}: column {options.frame!r} names frame {frames.max()}, expected one of a video"
        )
    out = np.full(frames.max() + 1, -1, np.int8)
    out[frames] = numbers
    return Labels(names, out)


def _rows(path: Path, options: Options):
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    table = read_table(path, words=True)
    for column, value in options.where.items():
        table = table[_column(path, table, column).astype(str) == str(value)]
    if len(table) == 0:
        chosen = ", ".join(f"{column} {value}" for column, value in options.where.items())
        raise InputError(f"{path}: no rows{' with ' + chosen if chosen else ''}, expected some")
    return table


def _one_hot(path: Path, table, options: Options, class_names: tuple[str, ...] | None):
    others = {options.frame, *options.where}
    columns = options.classes or [
        name for name in table.columns if name not in others and not str(name).startswith("Unnamed:")
    ]
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


def _column(path: Path, table, name: str):
    if name not in table.columns:
        raise InputError(f"{path}: no column {name!r}, found {', '.join(map(str, table.columns))}")
    return table[name]
