"""Tiny ImageNet: ``wnids.txt``, ``train/<wnid>/images/*.JPEG``, ``val/images/*.JPEG`` and ``val/val_annotations.txt``.

Pictures in ``test`` have no published labels and are not read; papers test on ``val``.
"""

from __future__ import annotations

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.pictures import Pictures
from neural_action.recordings.pictures.decode import decode, is_picture
from neural_action.recordings.pictures.sources import FileTree

EXPECTED = "wnids.txt, train/<wnid>/images and val with val_annotations.txt (Tiny ImageNet)"


def recognise(files: FileTree) -> bool:
    """Whether there is a file ``wnids.txt``."""
    return files.find("wnids.txt") is not None


def read(files: FileTree) -> Pictures:
    """The training pictures, class after class in the order of ``wnids.txt``, then the validation ones as ``test``.

    Names of classes come from ``words.txt`` if it exists (up to the first comma; with the wnid if two names are equal),
    else they are the wnids. A few published pictures are grey and get three equal channels. InputError as
    ``decode`` and ``Pictures.check``, and for a class without a folder, a picture that the annotations do not name,
    and a name without its picture or of no class.
    """
    listed = files.find("wnids.txt")
    if listed is None:
        raise InputError(f"{files.where}: has no wnids.txt, expected {EXPECTED}")
    root = listed.removesuffix("wnids.txt")
    wnids = files.text(listed)
    number = {wnid: at for at, wnid in enumerate(wnids)}
    if len(number) < len(wnids):
        raise InputError(
            f"{files.path(listed)}: names a class twice, expected {len(wnids)} classes that differ"
        )
    train: dict[str, list[str]] = {wnid: [] for wnid in wnids}
    tested = {}
    for name in files.names:
        folders = name.removeprefix(root).split("/")
        if not name.startswith(root) or not is_picture(name):
            continue
        if folders[0] == "train" and len(folders) > 2:
            if folders[1] not in train:
                raise InputError(f"{files.path(name)}: class {folders[1]} is not in {listed}")
            train[folders[1]].append(name)
        elif folders[0] == "val":
            tested[folders[-1]] = name
    if missing := [wnid for wnid in wnids if not train[wnid]]:
        raise InputError(f"{files.path(root + 'train/' + missing[0])}: no pictures, expected {EXPECTED}")
    annotated = _annotations(files, root + "val/val_annotations.txt", number)
    for name in sorted(annotated.keys() ^ tested.keys()):
        what = (
            "is not in val_annotations.txt"
            if name in tested
            else "is annotated, but there is no such picture"
        )
        raise InputError(f"{files.path(root + 'val/images/' + name)}: {what}")
    names = [name for wnid in wnids for name in train[wnid]]
    labels = [number[wnid] for wnid in wnids for _ in train[wnid]] + [annotated[name] for name in tested]
    return Pictures(
        pictures=decode(files, [*names, *tested.values()], "repeat"),
        labels=np.array(labels, np.int16),
        class_names=_words(files, root + "words.txt", wnids),
        part=np.repeat(["train", "test"], [len(names), len(tested)]),
    ).check(files.where)


def _annotations(files: FileTree, name: str, number: dict[str, int]) -> dict[str, int]:
    """Class number of each validation picture by its file name."""
    out = {}
    for at, line in enumerate(files.text(name), 1):
        columns = line.split("\t")
        if len(columns) < 2 or columns[1] not in number:
            raise InputError(
                f"{files.path(name)}: line {at} is {line[:80]!r}, expected a picture and one of wnids.txt"
            )
        out[columns[0]] = number[columns[1]]
    return out


def _words(files: FileTree, name: str, wnids: list[str]) -> tuple[str, ...]:
    if name not in files.names:
        return tuple(wnids)
    lines = (line.partition("\t") for line in files.text(name))
    words = {wnid: said.split(",")[0].strip() for wnid, _, said in lines}
    called = [words.get(wnid, wnid) for wnid in wnids]
    twice = {word for word in called if called.count(word) > 1}
    return tuple(
        f"{word} ({wnid})" if word in twice else word for word, wnid in zip(called, wnids, strict=True)
    )
