"""Stage: simulate one animal in the release's raw layout."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.recordings.simulate import simulate_animal


def run(config: str, animal: int, output: Path) -> None:
    """Write every trial of animal number ``animal`` below ``output``."""
    settings = Sections(config).simulation
    if settings is None:
        raise InputError("configuration simulation: missing key")
    simulate_animal(settings, animal, output)
