"""Patterns of a configuration: of files below a folder, and regular expressions, which must end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from neural_action.errors import InputError

#: Seconds that a regular expression may take for all names of a dataset (our choice; it takes milliseconds).
SECONDS = 10.0
#: ``**`` in one pattern, at most: each multiplies what is walked through.
_DEEP = 3
# In a process of its own: a search cannot be interrupted from another thread.
_SEARCH = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
found = [re.search(pattern, text) for text in texts]
json.dump([match and match.groupdict() for match in found], sys.stdout)
"""


def below(folder: Path, pattern: str, key: str) -> list[Path]:
    """The paths below ``folder`` that match, sorted. InputError, naming ``key``, for a pattern that is none."""
    where = f"configuration {key}: {pattern[:80]!r}, expected a pattern below the raw folder"
    parts = Path(pattern).parts
    if not parts or ".." in parts or Path(pattern).is_absolute():
        raise InputError(where)
    if parts.count("**") > _DEEP:
        raise InputError(f"{where} with at most {_DEEP} times **")
    try:
        return sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError, re.error) as error:
        raise InputError(f"{where} ({error})") from None


def search_all(pattern: str, texts: Sequence[str], key: str) -> list[dict[str, str | None] | None]:
    """The named groups of the first match in each text, None where there is none.

    InputError, naming ``key``, for what is no regular expression, or takes longer than ``SECONDS``: some would take
    longer than the world has stood.
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
            f"configuration {key}: {pattern[:80]!r} takes more than {SECONDS:g} s, expected no repeats in repeats"
        ) from None
    return json.loads(done.stdout)
