"""One file of several that could be meant: the one that can be told from the others, or a question."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from neural_action.errors import InputError
from neural_action.preflight.folder import Found

_WHAT = {"behavior": "behaviour", "labels": "labels"}
#: Of two forms of one pose file, the one on the left is taken.
_SAME = ((".csv", ".h5"), (".csv", ".hdf5"), (".analysis.h5", ".slp"), (".h5", ".slp"))


def one_of(role: str, items: list[Found], folder: Path, parent: Path, given: Any, notes: list[str]) -> Found:
    """The file of ``role`` in ``parent`` that is meant; what was passed over is added to ``notes``.

    A pattern that was given decides. Else one file in two forms (a CSV beside the HDF5 of the same name) is one, and a
    filtered pose stands before what it was filtered from. InputError, with the option that answers, for what is left.
    """
    items = _matching(items, folder, parent, given)
    for item in list(items):
        for kept, dropped in _SAME:
            twin = item.path.with_name(item.path.name.removesuffix(dropped) + kept)
            if item.path.name.endswith(dropped) and any(other.path == twin for other in items):
                items = [other for other in items if other is not item]
                notes.append(f"{_below(item.path, folder)} is {twin.name} in another form, which is read.")
                break
    for item in list(items):
        filtered = [other for other in items if other.path.stem == f"{item.path.stem}_filtered"]
        if filtered:
            items = [other for other in items if other is not item]
            notes.append(
                f"{_below(item.path, folder)}: {filtered[0].path.name} is the same, filtered, and is read."
            )
    if len(items) > 1:
        names = [item.path.relative_to(parent).as_posix() for item in items]
        raise InputError(
            f"{parent}: {len(items)} files of {_WHAT[role]} ({', '.join(names[:6])}), which of them belongs to the "
            f"neural activity is not known; nothing was written: run init again with --option "
            f"'{role}.path={{path}}/{names[0]}' or a pattern that means one file in each folder"
        )
    return items[0]


def given_file(
    role: str, format_name: str, pattern: str, folder: Path, beside: Path
) -> tuple[Path, Found] | None:
    """The file that a given pattern means, and the lowest folder around ``beside`` that it stands for as ``{path}``."""
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
