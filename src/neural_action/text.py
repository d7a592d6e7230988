"""Text by strangers: names, titles and labels where they are printed, written and drawn.

A file name, a column or a series may hold anything. What it is put into must not take a part of it for its own.
"""

from __future__ import annotations

import re
import unicodedata

#: Invisible characters that scripts and emoji need: they join or part letters.
_JOINERS = "\u200c\u200d"
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: Characters of a text that is shown, or of a path.
_LONGEST = 4096
#: Words that pandas, R and spreadsheets read as no value, in small letters.
_MISSING = ("na", "n/a", "#n/a", "<na>", "nan", "none", "null")


def is_missing(text: str) -> bool:
    """Whether a text is blank, or a word that other programs read as no value: no name for an animal or an action."""
    return text.strip().lower() in ("", *_MISSING)


def is_hidden(character: str) -> bool:
    """Whether a character is a command: a control, a line end, one that turns or hides text, half of a pair."""
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and character not in _JOINERS)


def printable(text: str) -> str:
    """The text on one line: line ends are spaces, hidden characters are shown by their code, such as ``\\u202e``."""
    text = re.sub(r"\s*[\r\n\u2028\u2029]\s*", " ", text)
    return "".join(ascii(one)[1:-1] if is_hidden(one) else one for one in text)


def has_hidden(text: str) -> bool:
    """Whether a name has characters that no name needs."""
    return any(map(is_hidden, text))


def plain(text: str) -> str:
    """The text itself, for a pydantic field. ValueError if it has hidden characters, or has no end."""
    if has_hidden(text):
        raise ValueError("text on one line, without control characters")
    if len(text) > _LONGEST:
        raise ValueError(f"at most {_LONGEST} characters")
    return text


def for_spreadsheet(text: str) -> str:
    """The text as a cell of a CSV: a quote comes before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
