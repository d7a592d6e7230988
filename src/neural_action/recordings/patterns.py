"""Patterns in a configuration: file patterns, and regular expressions, whose search time is limited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from neural_action.errors import InputError

#: Maximum search time for all names of a dataset, s (our choice; a usual expression takes milliseconds).
SECONDS = 10.0
#: Maximum number of ``**`` in one pattern (our choice): each multiplies the number of folders that are visited.
_DEEP = 3
# Run in another process, because a search cannot be interrupted from another thread.
_SEARCH = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
found = [re.search(pattern, text) for text in texts]
json.dump([match and match.groupdict() for match in found], sys.stdout)
"""


def below(folder: Path, pattern: str, key: str) -> list[Path]:
    """The paths below ``folder`` that match ``pattern``, sorted. InputError, naming ``key``, for an invalid pattern."""
    where = f"configuration {key}: {pattern[:80]!r}, expected a pattern below the raw folder"
    parts = Path(pattern).parts
    if not parts or ".." in parts or Path(pattern).is_absolute():
        raise InputError(where)
    if parts.count("**") > _DEEP:
        raise InputError(f"{where} with ** at most {_DEEP} times")
    try:
        return sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError, re.error) as error:
        raise InputError(f"{where} ({error})") from None


def covering(names: Sequence[str]) -> str:
    """A pattern for several different names: their common start, ``*``, and their common end."""
    start = _common_start(names)
    return f"{start}*{_common_start([name[len(start) :][::-1] for name in names])[::-1]}"


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    return next((first[:at] for at, letter in enumerate(first) if letter != last[at]), first)


def search_all(pattern: str, texts: Sequence[str], key: str) -> list[dict[str, str | None] | None]:
    """The named groups of the first match in each text, None for a text without a match.

    InputError, naming ``key``, for an invalid regular expression, or one that takes longer than ``SECONDS``.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(
            f"configuration {key}: {pattern[:80]!r}, expected a regular expression ({error})"
        ) from None
    command = [sys.executable, "-I", "-S", "-c", _SEARCH]
    try:
        done = subprocess.run(
            command,
            input=json.dumps([pattern, list(texts)]),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"configuration {key}: {pattern[:80]!r} takes more than {SECONDS:g} s, expected no nested repeats"
        ) from None
    return json.loads(done.stdout)
