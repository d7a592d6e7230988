"""Reading and validating a configuration: one clear line for whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from neural_action.config.settings import Settings
from neural_action.config.signatures import check_parameters, one_line
from neural_action.errors import InputError


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; InputError if it cannot be read or holds something else."""
    try:
        content = yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}, expected a mapping of configuration keys")
    return content


def validate(config: Mapping[str, Any]) -> Settings:
    """The typed configuration. Raises InputError with the key, the value and what was expected."""
    try:
        settings = Settings.model_validate(dict(config))
    except ValidationError as error:
        raise InputError(f"configuration {one_line(error, '')}") from None
    check_parameters(
        "encoders", settings.encoders.neural.name, settings.encoders.neural.parameters, "encoders.neural"
    )
    check_parameters(
        "encoders",
        settings.encoders.behavior.name,
        settings.encoders.behavior.parameters,
        "encoders.behavior",
    )
    for row, method in settings.methods.items():
        if method.objective is not None:
            check_parameters(
                "objectives", method.objective.name, method.objective.parameters, f"methods.{row}.objective"
            )
        for modality in ("neural", "behavior"):
            for at, view in enumerate(getattr(method.views, modality)):
                check_parameters("views", view.name, view.parameters, f"methods.{row}.views.{modality}.{at}")
    if settings.tables.figure_method not in settings.methods:
        raise InputError(
            f"configuration tables.figure_method: {settings.tables.figure_method!r} is not one of "
            f"{', '.join(settings.methods)}"
        )
    if settings.raw is None and settings.simulation is None:
        raise InputError(
            "configuration raw: missing; name the folder of raw recordings with --config raw=<folder>, "
            "or give a simulation section"
        )
    return settings


def load(path: Path) -> Settings:
    """``validate`` the configuration file ``path``."""
    return validate(read_yaml(path))
