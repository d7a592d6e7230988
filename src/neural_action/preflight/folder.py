"""Find every file or folder below a folder that a format recognises, with its roles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neural_action.errors import InputError
from neural_action.preflight.movies import movies
from neural_action.recordings.formats import arrays, files_of, known_formats, module_of, nwb
from neural_action.text import has_hidden

#: Formats of each role, the preferred one first; traces come before the movies that they were extracted from.
PREFERRED = {
    "neural": ("nwb", "suite2p", "caiman", "arrays", "thorimage", "tiff"),
    "behavior": ("nwb", "deepfly3d", "deeplabcut", "sleap", "anipose", "arrays"),
    "labels": ("events", "frame_labels", "arrays"),
}
#: Suffixes of files that may hold recordings, poses, labels or times.
DATA = tuple(
    f".{name}"
    for name in ("csv", "tsv", "txt", "dat", "xls", "xlsx", "ods", "parquet", "h5", "hdf5", "mat", "npy", "npz", "raw",
                 "bin", "slp", "pkl", "pickle", "boris", "tif", "tiff")
)  # fmt: skip
#: Maximum number of entries to look at (our choice): enough to see the layout of a folder.
MOST = 20_000


@dataclass(frozen=True)
class Found:
    """A recognised file or folder.

    Attributes:
        path: file or folder.
        format: name of the format.
        roles: those of neural, behavior and labels that it can provide.
        phrase: description for messages.
        series: for an NWB file, its series by role, the likeliest first (``formats.nwb.contents``).
        options: options of the format that follow from the files, such as the pattern of a movie's files.
    """

    path: Path
    format: str
    roles: tuple[str, ...]
    phrase: str
    series: Mapping[str, list[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def look(folder: Path) -> list[Found]:
    """Everything recognised below ``folder``, sorted by path; hidden paths are left out.

    Some folders are recognised as a whole, such as a suite2p folder. A file inside one, such as its registered movie
    or NWB copy, is left out if the folder provides the same roles. InputError for a folder with more than ``MOST``
    entries, and for a recognised file whose name has control characters.
    """
    found, tiffs = [], []
    for count, path in enumerate(_walk(folder)):
        if count >= MOST:
            raise InputError(
                f"{folder}: more than {MOST} entries, expected a folder of recordings; give a folder inside it"
            )
        item = recognise(path)
        if item is not None:
            if has_hidden(str(path.relative_to(folder))):
                raise InputError(
                    f"{path}: has control characters in its name, expected none; rename the file"
                )
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


def unrecognised(folder: Path, found: list[Found]) -> dict[str, list[Path]]:
    """Suffix -> files of data that no recognised file or folder consists of, at most ``MOST`` entries looked at."""
    own = {path for item in found for path in _parts(item)}
    folders = {item.path for item in found if item.path.is_dir() and "pattern" not in item.options}
    left: dict[str, list[Path]] = {}
    for path, _ in zip(_walk(folder), range(MOST), strict=False):
        suffix = path.suffix.lower()
        if suffix in DATA and path not in own and not folders & set(path.parents) and path.is_file():
            left.setdefault(suffix, []).append(path)
    return left


def _parts(item: Found) -> list[Path]:
    """Files of an item; only its path if a description of arrays names none that can be read."""
    try:
        return [item.path, *files_of(item.format, item.path, item.options.get("pattern"))]
    except InputError:
        return [item.path]


def _joined(found: list[Found], tiffs: list[Path]) -> list[Found]:
    """``found`` with all TIFF files of one movie replaced by one item: their folder and a pattern."""
    many = {item.path for item in found if item.format == "tiff"}
    for folder, pattern, members in movies(tiffs, many):
        phrase = f"a movie of {len(members)} TIFF files ({pattern})"
        found = [item for item in found if item.path not in members]
        found.append(Found(folder, "tiff", ("neural",), phrase, options={"pattern": pattern}))
    return sorted(found, key=lambda item: item.path)


def recognise(path: Path) -> Found | None:
    """``path`` as the first format that recognises it describes it; None if no format does."""
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
