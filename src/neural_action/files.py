"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary sibling to write to; renamed to ``path`` at the end, removed after an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def writable(path: Path) -> bool:
    """Whether ``path``, or the nearest folder above it that exists, can be written to."""
    path = Path(path).absolute()
    while not path.exists():
        path = path.parent
    return os.access(path, os.W_OK)
