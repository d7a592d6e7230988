"""What the report opens with, as a fragment of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neural_action.tables.diagnostics import SIGNS
from neural_action.tables.templates import template


def fragment(
    heading: str, dot: str, scores: str, embeddings: str | None, checks: Sequence[dict[str, Any]]
) -> str:
    """What the scores are and what a dot is, pictures as addresses, and ``asks, severity, said`` of each check.

    In ASCII, other characters by their numbers: the report has it within its body, where naming an encoding is not
    valid, and a browser that opens it alone has to guess one.
    """
    text = template("overview.html.j2").render(
        heading=heading, dot=dot, scores=scores, embeddings=embeddings, checks=checks, signs=SIGNS
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
