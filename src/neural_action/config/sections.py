"""Sections of a configuration, from a file or from inline JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from neural_action.config.load import read_yaml
from neural_action.config.settings import MethodSettings, Settings
from neural_action.config.signatures import one_line
from neural_action.errors import InputError


class Sections:
    """Typed access to the sections in ``config``, a path or JSON; a missing section has its defaults."""

    def __init__(self, config: str):
        if config.lstrip().startswith("{"):
            try:
                self.content: dict[str, Any] = json.loads(config)
            except (ValueError, RecursionError) as error:
                raise InputError(f"--config: not JSON ({error})") from None
        else:
            self.content = read_yaml(Path(config))

    def __getattr__(self, name: str) -> Any:
        """The value of key ``name`` of ``Settings``, validated. InputError if it is missing or invalid."""
        field = Settings.model_fields.get(name)
        if field is None or field.annotation is None:
            raise AttributeError(name)
        if name not in self.content:
            if field.is_required():
                raise InputError(f"configuration {name}: missing key")
            return field.get_default(call_default_factory=True)
        try:
            return TypeAdapter(field.annotation).validate_python(self.content[name])
        except ValidationError as error:
            raise InputError(f"configuration {one_line(error, name)}") from None

    def method(self, name: str) -> MethodSettings:
        """The row called ``name``. InputError if there is none."""
        rows = self.content.get("methods", {})
        if not isinstance(rows, dict):
            raise InputError(f"configuration methods: {type(rows).__name__}, expected a mapping of rows")
        if name not in rows:
            raise InputError(f"method {name!r} is not one of {', '.join(map(str, rows))}")
        return MethodSettings.parse(rows[name], f"methods.{name}")
