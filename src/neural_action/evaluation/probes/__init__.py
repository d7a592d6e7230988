"""Probes by kind, and how to build them."""

from __future__ import annotations

from neural_action.config.evaluation_settings import VALUES, ProbeConfig
from neural_action.errors import InputError
from neural_action.evaluation.probes.angle import Angle
from neural_action.evaluation.probes.knn import Knn, Retrieval
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
    "retrieval": Retrieval,
}


def build_probe(name: str, config: ProbeConfig) -> Probe:
    """The probe called ``name``. InputError if its kind cannot read one of its tasks."""
    probe = KINDS[config.kind](config)
    for task in config.tasks:
        if (task in VALUES) != (probe.output == "values"):
            expected = "ridge or retrieval" if task in VALUES else "a kind that gives classes"
            raise InputError(f"probes.{name}: kind {config.kind} cannot read {task}, expected {expected}")
    if probe.output == "directions" and "identity" in config.tasks:
        raise InputError(
            f"probes.{name}: kind angle cannot read identity, expected classes that are directions"
        )
    return probe
