"""Choose one file for a role if a folder holds several; ask the user if the choice is not clear."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from neural_action.errors import InputError
from neural_action.preflight.folder import Found

_WHAT = {"behavior": "behaviour", "labels": "labels"}
#: Two forms of the same pose file: the left one is read.
_SAME = ((".csv", ".h5"), (".csv", ".hdf5"), (".analysis.h5", ".slp"), (".h5", ".slp"))


def one_of(role: str, items: list[Found], folder: Path, parent: Path, given: Any, notes: list[str]) -> Found:
    """The file to read for ``role`` in ``parent``; files that are passed over are added to ``notes``.

    A given pattern decides. Otherwise, two forms of one file (a CSV and an HDF5 of the same name) count as one, and a
    filtered pose is preferred to the unfiltered one. InputError, with the option to add, if several files are left.
    """
    items = _matching(items, folder, parent, given)
    for item in list(items):
        for kept, dropped in _SAME:
            twin = item.path.with_name(item.path.name.removesuffix(dropped) + kept)
            if item.path.name.endswith(dropped) and any(other.path == twin for other in items):
                items = [other for other in items if other is not item]
                notes.append(f"{_below(item.path, folder)}: {twin.name} holds the same and is read instead.")
                break
    for item in list(items):
        filtered = [other for other in items if other.path.stem == f"{item.path.stem}_filtered"]
        if filtered:
            items = [other for other in items if other is not item]
            notes.append(
                f"{_below(item.path, folder)}: {filtered[0].path.name} is its filtered version and is read instead."
            )
    if len(items) > 1:
        names = [item.path.relative_to(parent).as_posix() for item in items]
        raise InputError(
            f"{parent}: {len(items)} files of {_WHAT[role]} ({', '.join(names[:6])}), expected one that belongs to the "
            f"neural activity; nothing was written: run init again with --option "
            f"'{role}.path={{path}}/{names[0]}' or with a pattern that matches one file in each folder"
        )
    return items[0]


def given_file(
    role: str, format_name: str, pattern: str, folder: Path, beside: Path
) -> tuple[Path, Found] | None:
    """The file that a given pattern matches, and the folder that ``{path}`` then stands for.

    That folder is the lowest one above ``beside`` in which the pattern matches exactly one file; None if there is none.
    """
    for parent in beside.parents:
        if parent != folder and folder not in parent.parents:
            return None
        hits = _hits(pattern, folder, parent)
        if len(hits) == 1:
            return parent, Found(hits[0], format_name, (role,), f"{_WHAT[role]} as given")
    return None


def _matching(items: list[Found], folder: Path, parent: Path, given: Any) -> list[Found]:
    if not isinstance(given, str):
        return items
    hits = set(_hits(given, folder, parent))
    return [item for item in items if item.path in hits] or items


def _hits(pattern: str, folder: Path, parent: Path) -> list[Path]:
    below = parent.relative_to(folder).as_posix()
    filled = pattern.replace("{path}", glob.escape(below)).replace("{animal}", "*").replace("{trial}", "*")
    if Path(filled).is_absolute() or ".." in Path(filled).parts:
        raise InputError(f"--option {pattern!r}: expected a pattern below {folder}")
    return sorted(folder.glob(filled))


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
