"""What a folder holds: every file or folder that some format recognises, by role."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neural_action.errors import InputError
from neural_action.preflight.movies import movies
from neural_action.recordings.formats import arrays, known_formats, module_of, nwb
from neural_action.text import has_hidden

#: Of several kinds of neural activity in one folder, the first is proposed: traces before the movies they came from.
PREFERRED = {
    "neural": ("nwb", "suite2p", "caiman", "arrays", "thorimage", "tiff"),
    "behavior": ("nwb", "deepfly3d", "deeplabcut", "sleap", "anipose", "arrays"),
    "labels": ("events", "frame_labels", "arrays"),
}
#: Files that are looked at, at most: enough to see how a folder is laid out.
MOST = 20_000


@dataclass(frozen=True)
class Found:
    """Something recognised.

    Attributes:
        path: file or folder.
        format: name of the format.
        roles: what it can give: of neural, behavior, labels.
        phrase: what it holds, in words.
        series: of an NWB file, what it holds by role, the likeliest first (``formats.nwb.contents``).
        options: of the format, that follow from what was found, such as the pattern of a movie's files.
    """

    path: Path
    format: str
    roles: tuple[str, ...]
    phrase: str
    series: Mapping[str, list[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def look(folder: Path) -> list[Found]:
    """Everything recognised below ``folder``, sorted by path; hidden paths are left out.

    What lies in a folder that is recognised as a whole, such as the registered movie and the NWB copy in one of
    suite2p, is left out where the folder gives the same. Raises InputError for a folder with more than ``MOST``
    entries, and for a recognised file whose name has control characters.
    """
    found, tiffs = [], []
    for count, path in enumerate(_walk(folder)):
        if count >= MOST:
            raise InputError(
                f"{folder}: more than {MOST} entries, expected a folder of recordings; name one below it"
            )
        item = recognise(path)
        if item is not None:
            if has_hidden(str(path.relative_to(folder))):
                raise InputError(f"{path}: has control characters in its name, expected none; rename it")
            found.append(item)
        if path.suffix.lower() in (".tif", ".tiff"):
            tiffs.append(path)
    taken = {item.path: set(item.roles) for item in found if item.path.is_dir()}
    found = [
        item
        for item in found
        if not any(set(item.roles) <= taken[parent] for parent in item.path.parents if parent in taken)
    ]
    return _joined(found, [path for path in tiffs if not taken.keys() & set(path.parents)])


def _joined(found: list[Found], tiffs: list[Path]) -> list[Found]:
    """TIFF files that are one movie as one, by their folder and a pattern."""
    many = {item.path for item in found if item.format == "tiff"}
    for folder, pattern, members in movies(tiffs, many):
        phrase = f"a movie of {len(members)} TIFF files ({pattern})"
        found = [item for item in found if item.path not in members]
        found.append(Found(folder, "tiff", ("neural",), phrase, options={"pattern": pattern}))
    return sorted(found, key=lambda item: item.path)


def recognise(path: Path) -> Found | None:
    """What ``path`` is, by the first format that recognises it; None if none does."""
    for name in known_formats():
        module = module_of(name)
        phrase = module.recognise(path)
        if phrase is not None:
            roles = tuple(role for role in PREFERRED if hasattr(module, role))
            if name == "arrays":
                roles = tuple(arrays.described_roles(path))
            if hasattr(module, "roles"):
                roles = module.roles(path)
            if name == "nwb":
                return _nwb(path)
            return Found(path, name, roles, phrase)
    return None


def _nwb(path: Path) -> Found:
    there = nwb.contents(path)
    roles = tuple(role for role, names in there.items() if names)
    shown = [f"{role} {len(names)}" for role, names in there.items() if names]
    return Found(path, "nwb", roles, f"NWB ({', '.join(shown) or 'nothing that can be read'})", there)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(parent)
        yield from (Path(parent) / name for name in sorted(files) if not name.startswith("."))
