"""Untrusted text: names, titles and labels from input files.

File names and columns may contain any characters. They must not be interpreted where they are printed, written or
drawn.
"""

from __future__ import annotations

import re
import unicodedata

#: Invisible characters that scripts and emoji need to join or separate letters.
_JOINERS = "\u200c\u200d"
#: Characters that begin a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: Largest number of characters of a shown text or a path.
_LONGEST = 4096
#: Words that pandas, R and spreadsheets read as a missing value, in lower case.
_MISSING = ("na", "n/a", "#n/a", "<na>", "nan", "none", "null")


def is_missing(text: str) -> bool:
    """Whether a text is blank or a word that other programs read as a missing value, so that it cannot be a name."""
    return text.strip().lower() in ("", *_MISSING)


def is_hidden(character: str) -> bool:
    """Whether a character is a control character, a line end, a formatting character or half of a surrogate pair."""
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and character not in _JOINERS)


def printable(text: str) -> str:
    """The text on one line: line ends become spaces, hidden characters their codes, such as ``\\u202e``."""
    text = re.sub(r"\s*[\r\n\u2028\u2029]\s*", " ", text)
    return "".join(ascii(one)[1:-1] if is_hidden(one) else one for one in text)


def has_hidden(text: str) -> bool:
    """Whether a text has hidden characters."""
    return any(map(is_hidden, text))


def plain(text: str) -> str:
    """The text itself, for a pydantic field. ValueError if it has hidden characters or is too long."""
    if has_hidden(text):
        raise ValueError("text on one line, without control characters")
    if len(text) > _LONGEST:
        raise ValueError(f"at most {_LONGEST} characters")
    return text


def for_spreadsheet(text: str) -> str:
    """The text as a cell of a CSV; a quote is put before text that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
