"""Labels from events with a start and a stop: BORIS, ELAN, SimBA's bouts, or a plain table of intervals.

- BORIS, aggregated events: ``Behavior``, ``Start (s)``, ``Stop (s)``; tabular events: ``Behavior``, ``Time`` and
  ``Behavior type`` (START, STOP, POINT; ``Status`` before version 8, where lines about the observation precede the
  table). Sources: boris/export_events.py, boris/export_observation.py.
- ELAN: ``.eaf``, or tab-delimited text with columns ``Begin Time - ss.msec`` (or msec, or hh:mm:ss.ms) and a column for
  each tier, or without a header: tier, participant, times, value. Source: ELAN manual, "Exporting a document".
- SimBA: ``detailed_bout_data_summary``: ``Event``, ``Start_time``, ``End Time``.
- Any other table with a column of starts and one of stops, s.

Times of these programs start at the first video frame; times of a plain table are on the clock of the behaviour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError, reading
from neural_action.recordings.boris import events_of
from neural_action.recordings.elan import headerless, seconds_of, tiers_of_eaf
from neural_action.recordings.formats import Labels, as_classes
from neural_action.recordings.table_files import column_of, numbers_of
from neural_action.recordings.units import NAMED, seconds_named

EXPECTED = "events with start and stop: a table of BORIS, ELAN (.eaf, tab-delimited), SimBA, or of intervals"
_SUFFIXES = (".csv", ".tsv", ".txt", ".eaf")
#: Words that make a column one of starts or stops.
_STARTS, _STOPS = {"start", "onset", "begin"}, {"stop", "end", "offset"}
_NAMES = (
    "behavior",
    "behaviour",
    "event",
    "action",
    "label",
    "class",
    "annotation",
    "value",
    "name",
    "state",
)
_ELAN_TIME = re.compile(r"(begin|end) time - (hh:mm:ss\.ms|ss\.msec|msec)", re.IGNORECASE)
_PHRASES = {
    "boris": "BORIS events",
    "boris points": "BORIS events",
    "elan": "ELAN annotations",
    "simba": "SimBA bouts",
    "plain": "events with start and stop",
}
#: Maximum number of lines to search for the header.
_ABOVE = 60


class Options(Section):
    """Options of this format.

    Attributes:
        column: column that names the action; null: ``Behavior`` of BORIS, the tier of ELAN, ``Event`` of SimBA, or
            the only such column.
        start, stop: columns of a plain table; null: columns with such names.
        subject: the imaged animal, if a BORIS file has several subjects.
        tier: the tier with the actions, if an ELAN file has several tiers.
        where: columns and values that rows must have, such as ``{Observation id: day1}``.
        seconds: seconds per unit of the times; null: from the columns' names (``start_ms``), video frames in columns
            such as ``start_frame``, else 1.
        offset: seconds added to the times.
        zero: zero of the times: the first frame of the ``video``, or the zero of the behaviour's ``clock``; null: video
            for BORIS, ELAN and SimBA, else clock.
        classes: actions that are classes; all others are unlabelled; null: all actions.
        unlabelled: actions that count as no label.
        conflicts: samples with two actions are an error (``refuse``) or ``unlabelled``.
    """

    column: str | None = None
    start: str | None = None
    stop: str | None = None
    subject: str | None = None
    tier: str | None = None
    where: dict[str, str | int] = Field(default_factory=dict)
    seconds: Annotated[float, Field(gt=0)] | None = None
    offset: float = 0.0
    zero: Literal["video", "clock"] | None = None
    classes: list[str] | None = None
    unlabelled: list[str] = Field(default_factory=list)
    conflicts: Literal["refuse", "unlabelled"] = "refuse"


def recognise(path: Path) -> str | None:
    """Recognise an .eaf, or a table with such columns."""
    if path.suffix not in _SUFFIXES or not path.is_file():
        return None
    if path.suffix == ".eaf":
        return "ELAN annotations"
    with path.open(errors="replace") as file:
        lines = [line for line, _ in zip(file, range(_ABOVE), strict=False)]
    kind = _kind(lines)
    return _PHRASES[kind[0]] if kind else None


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """Intervals with their actions. Point events have no duration and are left out.

    InputError naming the file: it is not such a table; it has several subjects or tiers and none is chosen; a START
    has no STOP; times are not numbers; or a stop is before its start.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    if path.suffix == ".eaf":
        kind, found, more = "elan", _of_tiers(path, tiers_of_eaf(path), options), ""
        unit: float | None = 1.0
    else:
        kind, found, unit, more = _of_table(path, options)
    unit = options.seconds or unit
    times = np.array([[start, stop] for _, start, stop in found], np.float64).reshape(-1, 2) * (unit or 1.0)
    if unit is not None:
        times = times + options.offset
    if not np.isfinite(times).all():
        at = int(np.argmin(np.isfinite(times).all(1)))
        raise InputError(f"{path}: event {at} ({found[at][0]}) has no time, expected start and stop in s")
    if (times[:, 1] < times[:, 0]).any():
        at = int(np.argmax(times[:, 1] < times[:, 0]))
        raise InputError(
            f"{path}: event {at} ({found[at][0]}) stops at {times[at, 1]:g} s, expected a stop after its start "
            f"({times[at, 0]:g} s)"
        )
    lasting = times[:, 1] > times[:, 0]
    named = [name for (name, _, _), lasts in zip(found, lasting, strict=True) if lasts]
    if not named:
        raise InputError(f"{path}: {len(found)} events without duration, expected start and stop")
    wanted = options.classes
    if wanted is not None and not set(wanted) & set(named):
        raise InputError(
            f"{path}: none of the classes {', '.join(wanted)}, found {', '.join(sorted(set(named)))}"
        )
    ignored = options.unlabelled if wanted is None else [*options.unlabelled, *(set(named) - set(wanted))]
    numbers, names = as_classes(
        named, class_names or (None if wanted is None else tuple(wanted)), ignored, path
    )
    zero = options.zero or ("clock" if kind == "plain" else "video")
    return Labels(
        names,
        numbers,
        times[lasting],
        of_video=zero == "video",
        conflicts=options.conflicts,
        in_frames=unit is None,
        stated=options.seconds is not None,
        said=f"start and stop, {_unit(unit, zero)}{more}",
    )


def _unit(seconds: float | None, zero: str) -> str:
    """Phrase on the unit of times (None: frames)."""
    if seconds is None:
        return "video frames from 0"
    return f"s of the {zero}" + ("" if seconds == 1 else f", in units of {seconds:g} s")


def _of_table(path: Path, options: Options) -> tuple[str, list[tuple[str, float, float]], float | None, str]:
    """Kind of a table, (action, start, stop) of each row, seconds per unit (None: frames), phrase on the times."""
    import pandas as pd

    with path.open(errors="replace") as file:
        lines = [line for line, _ in zip(file, range(_ABOVE), strict=False)]
    given = options.start is not None and options.stop is not None
    kind = _kind(lines, asked=True) or (("plain", 0, _separator(lines[0])) if given and lines else None)
    if kind is None:
        raise InputError(f"{path}: no columns of starts and stops, expected {EXPECTED}")
    name, line, separator = kind
    if name == "elan" and line < 0:
        return name, _of_tiers(path, headerless(path), options), 1.0, ""
    with reading(path, "a table"):
        table = pd.read_csv(path, sep=separator, skiprows=line, skipinitialspace=True)
    for column, value in options.where.items():
        table = table[column_of(path, table, column).astype(str) == str(value)]
    if name == "elan":
        return name, _of_tiers(path, _elan_columns(path, table), options), 1.0, ""
    if name.startswith("boris"):
        events, said = events_of(path, table, options.column, options.subject, options.where)
        return name, events, 1.0, said
    return name, *_plain(path, table, options), ""


def _kind(lines: list[str], asked: bool = False) -> tuple[str, int, str] | None:
    """Kind of a table from its header, line of the header (-1: none) and separator; None if it is not such a table.

    A plain table is accepted only if ``asked``, or if it has words that could be actions.
    """
    for at, line in enumerate(lines):
        separator = _separator(line)
        cells = [cell.strip().strip('"').lower() for cell in line.rstrip("\r\n").split(separator)]
        there = set(cells)
        if "behavior" in there and ({"start (s)", "stop (s)"} <= there):
            return "boris", at, separator
        if "behavior" in there and "time" in there and there & {"behavior type", "status"}:
            return "boris points", at, separator
        if any(_ELAN_TIME.fullmatch(cell) for cell in cells):
            return "elan", at, separator
        if at == 0 and {"event", "start_time", "end time", "bout_time"} <= there:
            return "simba", at, separator
        if at == 0 and _edges(cells) and (asked or _has_words(lines[1:2], separator)):
            return "plain", at, separator
    first = lines[0].rstrip("\r\n").split("\t") if lines else []
    if len(first) >= 5 and any(re.fullmatch(r"\d+:\d\d:\d\d\.\d+", cell) for cell in first):
        return "elan", -1, "\t"
    return None


def _has_words(lines: list[str], separator: str) -> bool:
    """Whether a row has a cell with a word, which could name an action."""
    return any(
        re.search("[A-Za-z]", cell) and cell.strip().lower() not in ("nan", "inf", "true", "false")
        for line in lines
        for cell in line.split(separator)
    )


def _separator(line: str) -> str:
    return max("\t,;", key=line.count)


def _edges(columns: Iterable[Any]) -> tuple[float | None, Any, Any] | None:
    """Seconds per unit (None: frames), and the first columns of starts and stops in it; None without both.

    Seconds come before other units, and frames last.
    """
    found: dict[tuple[str, float | None], Any] = {}
    for name in columns:
        words = re.findall(r"[a-zµ]+", str(name).lower())
        role = "start" if _STARTS & set(words) else "stop" if _STOPS & set(words) else ""
        rest = set(words) - _STARTS - _STOPS - {"time", "t"}
        if role and len(rest) < 2 and rest <= {"s", "sec", "seconds", "frame", "frames", *NAMED}:
            unit = None if rest & {"frame", "frames"} else seconds_named("".join(rest))
            found.setdefault((role, unit), name)
    for unit in (1.0, 1e-3, 1e-6, 1e-9, None):
        if ("start", unit) in found and ("stop", unit) in found:
            return unit, found["start", unit], found["stop", unit]
    return None


def _plain(path: Path, table: Any, options: Options) -> tuple[list[tuple[str, float, float]], float | None]:
    columns = {str(name).strip().lower(): name for name in table.columns}
    unit, *edges = _edges(table.columns) or (1.0, "start", "stop")
    if options.start is not None or options.stop is not None:
        unit = 1.0
    start, stop = options.start or edges[0], options.stop or edges[1]
    action = options.column or next((columns[name] for name in _NAMES if name in columns), None)
    if action is None:
        texts = [
            name
            for name in table.columns
            if table[name].dtype.kind not in "biuf" and name not in (start, stop)
        ]
        if len(texts) != 1:
            raise InputError(
                f"{path}: {len(texts)} columns that could name the action ({', '.join(map(str, table.columns))}), "
                "expected one: --option labels.options.column=NAME, or --option labels=null to leave them out"
            )
        action = texts[0]
    starts, stops = (numbers_of(path, column_of(path, table, name), name) for name in (start, stop))
    return list(zip(column_of(path, table, action).astype(str), starts, stops, strict=True)), unit


def _elan_columns(path: Path, table: Any) -> dict[str, list[tuple[str, float, float]]]:
    """Tiers of a table with a header: one column for each tier, or tiers named in a column ``Tier``."""
    times: dict[str, np.ndarray] = {}
    for name in table.columns:
        if match := _ELAN_TIME.fullmatch(str(name).strip()):
            times.setdefault(match[1].lower(), seconds_of(path, table[name], match[2].lower()))
    if set(times) != {"begin", "end"}:
        raise InputError(
            f"{path}: no columns Begin Time and End Time, found {', '.join(map(str, table.columns))}"
        )
    known = re.compile(r"(begin|end) time|duration|participant|tier$|file", re.IGNORECASE)
    tiers = [
        name for name in table.columns if not known.match(str(name)) and not str(name).startswith("Unnamed:")
    ]
    tier = next((name for name in table.columns if str(name).strip().lower() == "tier"), None)
    rows: dict[str, list[tuple[str, float, float]]] = {}
    for name in tiers:
        for at, value in enumerate(table[name]):
            if isinstance(value, str) and value.strip():
                key = str(table[tier].iloc[at]) if tier is not None else str(name)
                rows.setdefault(key, []).append((value.strip(), times["begin"][at], times["end"][at]))
    return rows


def _of_tiers(
    path: Path, tiers: dict[str, list[tuple[str, float, float]]], options: Options
) -> list[tuple[str, float, float]]:
    """The events of the tier ``options.tier``, or of the only tier."""
    tiers = {name: events for name, events in tiers.items() if events}
    wanted = options.tier or (next(iter(tiers)) if len(tiers) == 1 else None)
    if wanted not in tiers:
        shown = ", ".join(tiers) or "none with annotations"
        raise InputError(
            f"{path}: tier {options.tier!r}, expected one of {shown} (--option labels.options.tier=NAME)"
        )
    return tiers[wanted]
