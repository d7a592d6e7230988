"""Add one more session or animal to a trained network of sessions or animals with their own units."""

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
    """A copy of ``objective`` with a new input layer at the end, for one more animal.

    Args:
        objective: objective trained on animals with their own input layers.
        animal: name of the new animal.
        neural: (n, unit) visible frames of the new animal, to which its scales are fitted.
        seed: seed of the new weights; followers get the same weights.
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
    """A copy of ``objective`` whose first layer has new weights for one more session.

    All other weights, and the statistics of the other sessions' units, are kept.

    Args:
        objective: objective trained on all of ``sessions`` except the last.
        named: its name and parameters.
        sessions: name and number of units of each session; the new session is the last.
        neural: (frame, units of all sessions) float32, side by side; units of other sessions are NaN.
        visible: (n,) int64, visible frames of the new session, to which its scales are fitted.
        seed: seed of the new weights.

    Raises:
        InputError: windows of several frames, whose first layer has no separate weights for each unit.
    """
    if objective.shapes.frames != 1:
        raise InputError(
            f"adapt: the model reads windows of {objective.shapes.frames} frames, expected 1 to add a session"
        )
    units = (sum(count for _, count in sessions),)
    shapes = replace(objective.shapes, neural=units, sessions=tuple(sessions))
    wider = create(named, objective.encoders, shapes, seed).to(neural.device)
    wider.fit_scales(neural, visible)
    known = objective.state_dict()
    with torch.no_grad():
        for name, value in wider.state_dict().items():
            # In tensors with an entry for each unit, the units of known sessions come first.
            value[tuple(map(slice, known[name].shape))].copy_(known[name])
    return wider.eval()
