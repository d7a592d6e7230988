"""The overview that opens the report. It is also a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neural_action.tables.diagnostics import SIGNS
from neural_action.tables.templates import template


def fragment(
    heading: str, dot: str, scores: str, embeddings: str | None, checks: Sequence[dict[str, Any]]
) -> str:
    """The overview as HTML, in ASCII.

    Optional tags (html, head, body) are left out, so that the page is also valid inside the body of the report.
    Characters outside ASCII are written as character references, so that no encoding has to be declared.

    Args:
        heading: what the scores are.
        dot: what a dot in the picture of scores is.
        scores: address of the picture of scores.
        embeddings: address of the picture of embeddings; None without one.
        checks: ``asks``, ``severity`` and ``said`` of each check.
    """
    text = template("overview.html.j2").render(
        heading=heading, dot=dot, scores=scores, embeddings=embeddings, checks=checks, signs=SIGNS
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
