"""Stage: join all recordings in one dataset."""

from __future__ import annotations

from pathlib import Path

from neural_action.datasets.layout import lay_out


def run(output: Path, manifests: tuple[Path, ...]) -> None:
    """Verify every store and write the arrays, which later stages memory-map, into ``output``."""
    lay_out(manifests, output)
