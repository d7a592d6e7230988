"""Stage: simulate one animal in the raw layout of the authors' release."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.recordings.simulate.release import simulate_animal


def run(config: str, animal: int, output: Path) -> None:
    """Write every trial of the animal with index ``animal`` below ``output``.

    InputError if the configuration has no section ``simulation``.
    """
    settings = Sections(config).simulation
    if settings is None:
        raise InputError("configuration simulation: missing key")
    simulate_animal(settings, animal, output)
