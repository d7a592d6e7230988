"""Readers of raw layouts, one module each, found by name: to add a reader, add a module here.

A reader module has

- ``EXPECTED``: one phrase that says which files it looks for;
- ``Options``: a ``ReaderOptions``, the keys of ``convert.reader_options``;
- ``scan(folder, options) -> list[SampleRow]``: every recording below a folder;
- ``files(root, row, options) -> list[Path]``: the raw files of the recording of ``row``;
- ``read(root, row, options, class_names) -> Recording``: one recording. Its neural array is lazy (dask) if it can be
  large. Values that are not finite raise InputError when they are read. Its ``streams`` say which file, signal, unit
  and clock each array came from; ``check`` prints nothing else on this;
- ``CONFIGURATION`` (optional): name of the package's configuration for this layout, by default the reader's name; None
  for a reader of many layouts, which has no such configuration;
- ``EMBEDDED`` (optional): names that replace the raw folder, for recordings that come with a Python package.

Snakemake imports readers whenever it parses the workflow, so import slow packages inside ``read``.
"""

from __future__ import annotations

import fnmatch
import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from neural_action.config.kinds import Section
from neural_action.errors import InputError


class ReaderOptions(Section):
    """Options of a reader; unknown keys are errors."""

    @classmethod
    def parse(cls, content: Any, where: str = "convert.reader_options") -> Self:
        """The typed options. InputError with the key, the value and what was expected."""
        return super().parse(content, where)


def load_reader(name: str) -> ModuleType:
    """The reader module ``name``. InputError with all names if there is none."""
    known = reader_names()
    if name not in known:
        raise InputError(f"configuration convert.reader: {name!r} is not one of {', '.join(known)}")
    return import_module(f"{__name__}.{name}")


def reader_modules(name: str, options: dict[str, Any]) -> list[str]:
    """Full names of the modules that reading depends on: the reader, and the formats that its options name."""
    formats = {part["format"] for part in options.values() if isinstance(part, dict) and "format" in part}
    return [
        load_reader(name).__name__,
        *(f"neural_action.recordings.formats.{one}" for one in sorted(formats)),
    ]


def reader_names() -> list[str]:
    """Names of the readers."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def search(folder: Path, pattern: str) -> list[Path]:
    """Files below ``folder`` whose name matches ``pattern``, sorted. Follows links to folders; skips hidden paths.

    InputError if a link leads to a folder with matching files a second time: its recordings would count twice.
    """
    found: list[Path] = []
    seen: dict[str, Path] = {}
    for here, folders, names in os.walk(folder, followlinks=True):
        first = seen.setdefault(os.path.realpath(here), Path(here))
        if first != Path(here):
            folders.clear()
            if first not in Path(here).parents and any(first in path.parents for path in found):
                raise InputError(f"{here}: is a link to {first}, expected each recording once")
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(here) / name for name in fnmatch.filter(names, pattern) if not name.startswith(".")]
    return sorted(found)


def hidden(path: Path, folder: Path) -> bool:
    """Whether ``path`` is hidden or in a hidden folder below ``folder``, as partly written ones are."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def renamed(classes: tuple[str, ...], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """``names`` of the classes of a reader; its own ``classes`` for None. InputError for another number of names."""
    if names is not None and len(names) != len(classes):
        raise InputError(
            f"configuration convert.class_names: {len(names)} names, expected {len(classes)} "
            f"(for {', '.join(classes)})"
        )
    return classes if names is None else names
