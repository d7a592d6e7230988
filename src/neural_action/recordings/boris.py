"""BORIS: events of one subject in one observation, with start and stop, or as START and STOP rows.

Source: boris/export_events.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.table_files import column_of, numbers_of

#: (action, start, stop) in the unit of the file.
Events = list[tuple[str, float, float]]
#: Entries of the column of media that name no file.
_NO_MEDIUM = {"nan", "NA", "Not found"}


def events_of(
    path: Path, table: Any, column: str | None, subject: str | None, where: dict[str, Any]
) -> tuple[Events, str]:
    """Events, and a phrase on their clock; START and STOP rows are paired by time.

    InputError naming the file: it has several subjects, observations or media and none is chosen (``subject``,
    ``where``), or rows of an action do not alternate.
    """
    columns = {str(name).strip().lower(): name for name in table.columns}
    for key, given, option in (("subject", subject, "subject"), ("observation id", None, "where")):
        if key not in columns:
            continue
        values = table[columns[key]].map(lambda entry: "none" if entry != entry else str(entry))
        found = list(dict.fromkeys(values))
        if given is None and len(found) > 1:
            hint = f"subject={found[0]}" if option == "subject" else f"where={{{columns[key]}: {found[0]}}}"
            raise InputError(
                f"{path}: {len(found)} values of {columns[key]} ({', '.join(found)}), expected one: --option "
                f"'labels.options.{hint}'"
            )
        if given is not None and given not in found:
            raise InputError(f"{path}: subject {given!r}, expected one of {', '.join(found)}")
        if given is not None:
            table = table[values == given]
    name = columns.get("media file name", columns.get("media file path"))
    entries = [] if name is None else dict.fromkeys(table[name].astype(str))
    media = [entry for entry in entries if entry not in _NO_MEDIUM]
    if len(media) > 1 and not {"media file name", "media file path"} & {key.strip().lower() for key in where}:
        raise InputError(
            f"{path}: events in {len(media)} media ({', '.join(media)}), whose times count from the start of the "
            f"first; expected one: --option 'labels.options.where={{{name}: {media[0]}}}' (of a later one, also "
            "--option labels.options.offset=-SECONDS before it)"
        )
    action = column_of(path, table, column or columns["behavior"]).astype(str)
    said = _offset(table, columns)
    if "start (s)" in columns:
        start, stop = (
            numbers_of(path, table[columns[name]], columns[name]) for name in ("start (s)", "stop (s)")
        )
        return list(zip(action, start, stop, strict=True)), said
    time = numbers_of(path, table[columns["time"]], "Time")
    state = table[columns.get("behavior type", columns.get("status"))].astype(str).str.upper()
    return _paired(path, list(zip(action, time, state, strict=True))), said


def _offset(table: Any, columns: dict[str, Any]) -> str:
    """Phrase on a time offset of the observation; "" without one."""
    name = columns.get("time offset (s)")
    values = [] if name is None else [str(value) for value in dict.fromkeys(table[name]) if value == value]
    if not any(np.any(_number(value) != 0) for value in values):
        return ""
    return (
        f"; BORIS notes a time offset of {', '.join(values)} s, which is not applied (labels.options.offset)"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _paired(path: Path, rows: list[tuple[str, float, str]]) -> Events:
    """Pair each START with the next STOP of the same action. InputError if they do not alternate."""
    begun: dict[str, float] = {}
    found = []
    for name, time, state in sorted(rows, key=lambda row: row[1]):
        if state == "POINT":
            found.append((name, time, time))
        elif state == "START" and name not in begun:
            begun[name] = time
        elif state == "STOP" and name in begun:
            found.append((name, begun.pop(name), time))
        else:
            raise InputError(
                f"{path}: {name} has an unpaired {state} at {time:g} s, expected START, then STOP"
            )
    if begun:
        name, time = next(iter(begun.items()))
        raise InputError(f"{path}: {name} starts at {time:g} s and never stops, expected START, then STOP")
    return found
