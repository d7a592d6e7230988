"""One folder of PNG or JPEG for each class: ``<class>/<picture>``, or ``<part>/<class>/<picture>``."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.pictures import Pictures
from neural_action.recordings.pictures.decode import decode, is_picture
from neural_action.recordings.pictures.sources import FileTree

EXPECTED = "a folder for each class with PNG or JPEG files, below train and test or without these"
#: Folder name -> part.
_PART = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


def recognise(files: FileTree) -> bool:
    """Pictures in folders."""
    return any(is_picture(name) for name in files.names)


def read(files: FileTree, *, grey: Literal["refuse", "repeat"] = "refuse") -> Pictures:
    """Every picture, part after part, class after class (alphabetically), file after file.

    A part may lack a class of another part. InputError as ``decode`` and ``Pictures.check``, and for a picture outside
    the folder of a class, or folders of parts beside folders of classes.
    """
    placed: list[tuple[str, str, str]] = []
    names = [name for name in files.names if is_picture(name)]
    common = _common(names)
    for name in names:
        folders = name.split("/")[len(common) : -1]
        part = _PART.get(folders[0].lower(), "all") if folders else "all"
        folders = folders[1:] if part != "all" else folders
        if not folders:
            raise InputError(f"{files.path(name)}: is in no folder of a class, expected {EXPECTED}")
        placed.append((part, "/".join(folders), name))
    order = ("train", "validation", "test", "all")
    parts = sorted({part for part, _, _ in placed}, key=order.index)
    if "all" in parts and len(parts) > 1:
        other = next(name for part, _, name in placed if part == "all")
        raise InputError(f"{files.path(other)}: is beside {parts[0]}, expected it in a part, like the others")
    placed.sort(key=lambda entry: (order.index(entry[0]), entry[1]))
    classes = tuple(sorted({name for _, name, _ in placed}))
    number = {name: at for at, name in enumerate(classes)}
    labels = np.array([number[name] for _, name, _ in placed], np.int16)
    if len(classes) < 2:
        raise InputError(f"{files.where}: {len(classes)} folders of pictures, expected {EXPECTED}")
    return Pictures(
        pictures=decode(files, [name for _, _, name in placed], grey),
        labels=labels,
        class_names=classes,
        part=np.array([part for part, _, _ in placed]),
    ).check(files.where)


def _common(names: list[str]) -> list[str]:
    """Common parent folders of all pictures, without one that names a part or the only class."""
    common = []
    for level in zip(*(name.split("/")[:-1] for name in names), strict=False):
        if len(set(level)) > 1 or level[0].lower() in _PART:
            break
        common.append(level[0])
    return common
