"""Readers of raw formats, one file each, found by name.

A reader module has ``EXPECTED`` (one phrase that says what it looks for), ``Options``, and
``scan(folder, options) -> list[SheetRow]``, ``files(path) -> list[Path]`` (what a recording is made from) and
``read(root, row, options, class_names) -> Recording`` (lazy where it can be large).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from neural_action.config.signatures import one_line
from neural_action.errors import InputError


class ReaderOptions(BaseModel):
    """Options of a reader: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def parse(cls, options: dict[str, Any]):
        """The typed options; InputError with the key, the value and what was expected."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise InputError(f"configuration {one_line(error, 'convert.reader_options')}") from None


def load_reader(name: str) -> ModuleType:
    """The reader module called ``name``. InputError if there is none."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    if name not in known:
        raise InputError(f"configuration convert.reader: {name!r} is not one of {', '.join(known)}")
    return import_module(f"{__name__}.{name}")
