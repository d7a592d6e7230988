"""What the report opens with: a page of its own, which the report also takes into its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neural_action.tables.diagnostics import SIGNS
from neural_action.tables.templates import template


def fragment(
    heading: str, dot: str, scores: str, embeddings: str | None, checks: Sequence[dict[str, Any]]
) -> str:
    """What the scores are and what a dot is, pictures as addresses, and ``asks, severity, said`` of each check.

    A page without the tags that HTML lets a page leave out, so that it is also valid within the body of the report. In
    ASCII, other characters by their numbers: no encoding has to be named or guessed.
    """
    text = template("overview.html.j2").render(
        heading=heading, dot=dot, scores=scores, embeddings=embeddings, checks=checks, signs=SIGNS
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
