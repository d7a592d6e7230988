"""A trained network of several sessions or animals with units of their own, given units of one more."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from neural_action.config.settings import ComponentConfig
from neural_action.encoders.neural import UnitEncoder
from neural_action.errors import InputError
from neural_action.objectives.objective import Objective
from neural_action.training.model import create


def with_animal(objective: Objective, animal: str, neural: Tensor, seed: int) -> Objective:
    """A copy of ``objective`` with an input layer for one more animal, last, freshly initialised.

    Args:
        objective: trained on animals with input layers of their own.
        animal: name of the new one.
        neural: (n, unit) frames of it that may be seen: its units are scaled by these.
        seed: of the new weights; what follows another network starts with the same.
    """
    wider, known = copy.deepcopy(objective), objective.shapes.units
    for part in list(wider.modules()):
        if isinstance(part, UnitEncoder):
            torch.manual_seed(seed)
            part.input = part.input.extended(neural.shape[1])
    wider.shapes = replace(objective.shapes, units=(*known, (animal, neural.shape[1])))
    wider.fit_units(len(known), neural)
    return wider.eval()


def with_session(
    objective: Objective,
    named: ComponentConfig,
    sessions: Sequence[tuple[str, int]],
    neural: Tensor,
    visible: Tensor,
    seed: int,
) -> Objective:
    """A copy of ``objective`` whose first layer has weights for one more session, freshly initialised.

    Everything else is as it was trained, the statistics of the other sessions' units too.

    Args:
        objective: trained on all of ``sessions`` but the last.
        named: its name and parameters.
        sessions: name and number of units of each; the new one is the last.
        neural: (frame, units of all sessions) float32, side by side; NaN where a unit is another session's.
        visible: (n,) int64, frames of the new session that may be seen: its units are scaled by these.
        seed: of the new weights.

    Raises:
        InputError: windows of several frames, whose first layer is not laid out by unit.
    """
    if objective.shapes.frames != 1:
        raise InputError("adapt: a session is added to a model of single bins, this one reads longer windows")
    units = (sum(count for _, count in sessions),)
    shapes = replace(objective.shapes, neural=units, sessions=tuple(sessions))
    wider = create(named, objective.encoders, shapes, seed).to(neural.device)
    wider.fit_scales(neural, visible)
    known = objective.state_dict()
    with torch.no_grad():
        for name, value in wider.state_dict().items():
            # Units of the sessions that are known come first in every tensor that has a place for each.
            value[tuple(map(slice, known[name].shape))].copy_(known[name])
    return wider.eval()
