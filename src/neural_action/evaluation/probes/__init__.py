"""Probes by kind."""

from __future__ import annotations

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.errors import InputError
from neural_action.evaluation.probes.angle import Angle
from neural_action.evaluation.probes.knn import Knn
from neural_action.evaluation.probes.mlp import Mlp
from neural_action.evaluation.probes.probe import Probe
from neural_action.evaluation.probes.ridge import Ridge
from neural_action.evaluation.probes.softmax import Softmax

KINDS: dict[str, type[Probe]] = {
    "softmax": Softmax,
    "angle": Angle,
    "ridge": Ridge,
    "knn": Knn,
    "mlp": Mlp,
}


def build_probe(name: str, config: ProbeConfig) -> Probe:
    """The probe called ``name``. InputError if its kind cannot read one of its tasks."""
    probe = KINDS[config.kind](config)
    for task in config.tasks:
        if task.startswith("continuous") != (probe.output == "values"):
            expected = "ridge" if task.startswith("continuous") else "a kind that gives classes"
            raise InputError(f"probes.{name}: kind {config.kind} cannot read {task}, expected {expected}")
    if probe.output == "directions" and "identity" in config.tasks:
        raise InputError(f"probes.{name}: kind angle cannot read identity, animals are no directions")
    return probe
