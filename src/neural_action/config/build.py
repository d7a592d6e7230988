"""Build a configured component: the class of its name, with its parameters."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neural_action.config.settings import ComponentConfig
from neural_action.config.signatures import check_parameters, signatures


def build(room: str, part: ComponentConfig, *given: Any) -> Any:
    """An instance of the class called ``part.name`` in sub-package ``room``.

    ``given`` are the positional arguments; the configuration gives the keyword arguments.
    Raises InputError if there is no such class or the parameters do not fit it.
    """
    check_parameters(room, part.name, part.parameters, room)
    module, cls, _ = signatures(room)[part.name]
    return getattr(import_module(module), cls)(*given, **part.parameters)
