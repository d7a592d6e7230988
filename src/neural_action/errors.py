"""The exception for errors of the user's input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from neural_action.text import printable


class InputError(ValueError):
    """Input or configuration that cannot be used.

    The message is one line that names the file (or configuration key), the value found and what was expected. The
    command line prints it and exits with status 2. Any other exception is a bug and keeps its traceback.
    """

    def __init__(self, message: str):
        # A value may be an array, a text of several lines, or have characters that change the writing direction.
        super().__init__(printable(message))


@contextmanager
def reading(path: Path | str, what: str, *kinds: type[Exception], nameless: bool = False) -> Iterator[None]:
    """Turn errors of a block that reads ``path`` into one InputError: the file cannot be read as ``what``.

    Args:
        path: the file.
        what: what was expected, with its article, such as ``an embedding``.
        kinds: the errors that a bad file raises; without any, all, because damaged bytes may raise any exception.
        nameless: whether InputErrors of the block do not name the file, and so get its name.
    """
    caught = kinds or (Exception,)
    try:
        yield
    except InputError as error:
        if not nameless:
            raise
        raise InputError(f"{path}: {error}") from None
    except caught as error:
        raise InputError(f"{path}: cannot be read as {what} ({type(error).__name__}: {error})") from None


def needed(package: str, extra: str, what: str) -> ModuleType:
    """Import an optional package that ``what`` needs. InputError that says how to install it, if it is missing."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise InputError(
            f"{what} needs the package {package}: pip install '.[{extra}]' in a checkout"
        ) from None
