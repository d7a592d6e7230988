"""Probes by kind, and how to build them."""

from __future__ import annotations

from neural_action.config.evaluation_settings import ProbeConfig
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
    config.check_tasks(f"probes.{name}")
    return KINDS[config.kind](config)
