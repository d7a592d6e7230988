"""CIFAR-10 and CIFAR-100 as published: the Python archives (pickles) and the binary ones.

CIFAR-10 has ``data_batch_1`` to ``_5`` and ``test_batch``, CIFAR-100 ``train`` and ``test``. Each is a pickle or, with
``.bin``, records of one label byte (CIFAR-100: coarse, fine) and 3 x 32 x 32 bytes (channel, y, x).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.pickles import object_pickle
from neural_action.recordings.pictures import Pictures, join
from neural_action.recordings.pictures.sources import FileTree

EXPECTED = (
    "data_batch_1 to 5, test_batch and batches.meta (CIFAR-10), or train, test and meta (CIFAR-100), or their "
    ".bin"
)
SIDE = 32
_SIZE = 3 * SIDE * SIDE


@dataclass(frozen=True)
class _Layout:
    """File names of a set, and the keys of labels and of their names in its pickles."""

    train: tuple[str, ...]
    test: str
    meta: str
    labels: str
    names: str
    coarse: str | None = None
    coarse_names: str | None = None
    #: Text files of fine and coarse names, which come with binary records.
    texts: tuple[str, ...] = ()

    @property
    def binary(self) -> bool:
        return self.test.endswith(".bin")


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_CIFAR10 = _Layout(_BATCHES, "test_batch", "batches.meta", "labels", "label_names")
_CIFAR100 = _Layout(
    ("train",), "test", "meta", "fine_labels", "fine_label_names", "coarse_labels", "coarse_label_names"
)
_LAYOUTS = (
    _CIFAR10,
    _Layout(
        tuple(f"{name}.bin" for name in _BATCHES), "test_batch.bin", "", "", "", texts=("batches.meta.txt",)
    ),
    _CIFAR100,
    _Layout(
        ("train.bin",),
        "test.bin",
        "",
        "",
        "",
        coarse="",
        texts=("fine_label_names.txt", "coarse_label_names.txt"),
    ),
)


def recognise(files: FileTree) -> bool:
    """Whether there is a training file and, in the same folder, the names of the classes."""
    return _layout(files) is not None


def read(files: FileTree) -> Pictures:
    """The training pictures in the order of their files, then the test pictures.

    InputError naming the file: it is missing, truncated or no pickle of plain arrays (nothing is executed), an entry is
    missing, or labels have another length; and as ``Pictures.check``.
    """
    found = _layout(files)
    if found is None:
        raise InputError(f"{files.where}: expected {EXPECTED}")
    layout, root = found
    one = _records if layout.binary else _batch
    parts = [
        (part, *one(files, root + name, layout))
        for part, names in (("train", layout.train), ("test", (layout.test,)))
        for name in names
    ]
    names, coarse_names = _class_names(files, root, layout)
    pictures = np.concatenate([part[1] for part in parts]).reshape(-1, 3, SIDE, SIDE)
    return Pictures(
        pictures=np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)),
        labels=np.concatenate([part[2] for part in parts]),
        class_names=names,
        part=join([part[:2] for part in parts]),
        coarse=None if layout.coarse is None else np.concatenate([part[3] for part in parts]),
        coarse_names=coarse_names,
    ).check(files.where)


def _layout(files: FileTree) -> tuple[_Layout, str] | None:
    """The layout and the folder that its files are in."""
    for layout in _LAYOUTS:
        first = files.find(layout.train[0])
        if first is not None:
            root = first.removesuffix(layout.train[0])
            if root + (layout.texts[0] if layout.binary else layout.meta) in files.names:
                return layout, root
    return None


def _batch(files: FileTree, name: str, layout: _Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 3072) uint8, labels and coarse labels (n,) int16 of one pickle."""
    content = _pickle(files, name)
    data = _entry(files, name, content, "data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != _SIZE:
        shape = f"{data.dtype} of shape {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise InputError(f"{files.path(name)}: data is {shape}, expected uint8 (n, {_SIZE})")
    labels = [
        _labels(files, name, key, _entry(files, name, content, key), len(data))
        for key in (layout.labels, layout.coarse)
        if key is not None
    ]
    return data, labels[0], labels[-1]


def _labels(files: FileTree, name: str, key: str, found: Any, count: int) -> np.ndarray:
    """(n,) int16; the pickles hold lists."""
    listed = found.tolist() if isinstance(found, np.ndarray) else found
    if not isinstance(listed, list) or not all(type(one) is int and -1 < one < 1 << 15 for one in listed):
        raise InputError(
            f"{files.path(name)}: {key} are {type(found).__name__}, expected a list of whole numbers"
        )
    if len(listed) != count:
        raise InputError(f"{files.path(name)}: {len(listed)} {key}, expected {count}, one for each picture")
    return np.array(listed, np.int16)


def _records(files: FileTree, name: str, layout: _Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As ``_batch``, from binary records."""
    data = np.frombuffer(files.read(name), np.uint8)
    heads = 1 if layout.coarse is None else 2
    if len(data) == 0 or len(data) % (heads + _SIZE):
        raise InputError(
            f"{files.path(name)}: {len(data)} bytes, expected whole records of {heads + _SIZE}; the file is cut off"
        )
    records = data.reshape(-1, heads + _SIZE)
    return records[:, heads:], records[:, heads - 1].astype(np.int16), records[:, 0].astype(np.int16)


def _class_names(files: FileTree, root: str, layout: _Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if layout.binary:
        fine, *coarse = (tuple(files.text(root + name)) for name in layout.texts)
        return fine, coarse[0] if coarse else ()
    content = _pickle(files, root + layout.meta)
    return _names(files, root + layout.meta, content, layout.names), (
        () if layout.coarse_names is None else _names(files, root + layout.meta, content, layout.coarse_names)
    )


def _names(files: FileTree, name: str, content: dict, key: str) -> tuple[str, ...]:
    found = _entry(files, name, content, key)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InputError(f"{files.path(name)}: {key} is {type(found).__name__}, expected a list of names")
    return tuple(found)


def _pickle(files: FileTree, name: str) -> dict:
    content = object_pickle(files.read(name), files.path(name))
    if not isinstance(content, dict):
        raise InputError(f"{files.path(name)}: holds {type(content).__name__}, expected a dictionary")
    # Python 3 may have written the keys as bytes.
    return {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}


def _entry(files: FileTree, name: str, content: dict, key: str) -> Any:
    if key not in content:
        raise InputError(
            f"{files.path(name)}: has no {key}, found {', '.join(map(str, content)) or 'nothing'}"
        )
    return content[key]
