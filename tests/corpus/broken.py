"""A broken input: how a small good one is spoiled, and the one line that is expected of it.

Each ``broken_*.py`` beside this file is about one reader, or one kind of file. It has

- ``make(folder)``: writes good inputs;
- ``arguments(folder, case)``: the command line that reads them;
- ``CASES``: what is done to them, and what is said.

A new reader is a new file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neural_action import __main__

#: The kinds of damage; docs/development/faults.md counts the cases of each.
KINDS = (
    "missing",
    "truncated",
    "empty",
    "not such a file",
    "wrong type",
    "wrong shape",
    "transposed",
    "NaN or infinity",
    "constant",
    "huge values",
    "wrong unit",
    "clock",
    "index out of range",
    "labels",
    "too little",
    "too much",
    "twice",
    "name or path",
    "link",
    "another's",
    "lying header",
    "program",
    "unknown key",
    "out of range",
)


@dataclass(frozen=True)
class Case:
    """One broken input.

    Attributes:
        kind: of ``KINDS``.
        name: in words, unique in its file.
        spoil: changes the good inputs in a folder.
        says: regular expression that the line matches.
        config: sections of the configuration that differ.
        status: exit status; 2 for what is wrong with an input.
    """

    kind: str
    name: str
    spoil: Callable[[Path], Any]
    says: str
    config: dict[str, Any] = field(default_factory=dict)
    status: int = 2


def nothing(folder: Path) -> None:
    """For a case that is in its configuration alone."""


def cut(name: str, size: int) -> Callable[[Path], None]:
    """Leaves the first ``size`` bytes of a file."""
    return lambda folder: os.truncate(folder / name, size)


def put(name: str, data: bytes) -> Callable[[Path], Any]:
    """Puts other bytes in a file's place."""
    return lambda folder: (folder / name).write_bytes(data)


def poke(place: Any, value: Any) -> Callable[[Any], Any]:
    """A change to an array: another value at a place."""

    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


def command(arguments: list[str], monkeypatch, capsys) -> tuple[int, list[str]]:
    """Exit status and lines on standard error of the command line, without a new process."""
    monkeypatch.setattr(sys, "argv", ["neural-action", *arguments])
    before, status = signal.getsignal(signal.SIGTERM), 0
    capsys.readouterr()
    try:
        __main__.main()
    except SystemExit as end:
        status = end.code or 0
    finally:
        signal.signal(signal.SIGTERM, before)
    return status, capsys.readouterr().err.splitlines()


def convert(folder: Path, path: str, reader: str, changes: dict[str, Any]) -> list[str]:
    """The command that converts the recording at ``path`` below ``folder/raw``."""
    settings = {"reader": reader, **changes.get("convert", {})}
    return [
        *("convert", "--config", json.dumps({"dataset": "broken", "convert": settings})),
        *("--raw", str(folder / "raw"), "--path", path, "--animal", "Fly1", "--trial", "001"),
        *("--store", str(folder / "out/001.zarr"), "--manifest", str(folder / "out/001.manifest.json")),
    ]


def written(folder: Path) -> list[Path]:
    """What a command left where it writes."""
    return [path for path in (folder / "out").rglob("*") if path.is_file()]


def matches(line: str, says: str) -> bool:
    """Whether a line is the command's and says so."""
    return line.startswith("neural-action: ") and re.search(says, line) is not None
