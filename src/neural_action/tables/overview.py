"""What the report opens with, as a fragment of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from neural_action.tables.diagnostics import SIGNS


def fragment(scores: str, embeddings: str | None, checks: Sequence[dict[str, Any]]) -> str:
    """Pictures, as addresses, and the verdicts: ``asks``, ``severity`` and ``said`` of each check."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template("overview.html.j2")
    return template.render(scores=scores, embeddings=embeddings, checks=checks, signs=SIGNS)
