"""Check the parameters of augmentations, encoders and objectives against the classes that take them.

A component is a class in ``<package>/<module>.py`` with an attribute ``name``. The keyword arguments of its
``__init__`` are its configuration keys. They are read from the source code without importing it, so that the workflow
validates its configuration in milliseconds and without torch.
"""

from __future__ import annotations

import ast
import re
import reprlib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, ValidationError, create_model

from neural_action.errors import InputError

PACKAGE = Path(__file__).resolve().parent.parent
_TYPES = {"int": int, "float": float, "bool": bool, "str": str}
#: Parts that pydantic appends to the location of a value of several types.
_BRANCH = re.compile(r"(literal\[|constrained-|list\[|(int|float|str|bool)$)")
#: A number that was read as text.
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e-?\d+)?", re.IGNORECASE)
# Values in messages are shortened.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 80, 80


@cache
def signatures(room: str) -> dict[str, tuple[str, str, dict[str, tuple[Any, Any]]]]:
    """The named classes of a sub-package: name -> (module, class, {parameter: (type, default)}).

    Only keyword-only parameters are listed, because ``build`` passes the positional ones. The default ``...`` marks a
    required parameter.
    """
    found = {}
    for path in sorted((PACKAGE / room).glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and (name := _class_name(node)):
                found[name] = (f"neural_action.{room}.{path.stem}", node.name, _keywords(node))
    return found


def check_parameters(room: str, name: str, parameters: dict[str, Any], where: str) -> None:
    """Raise InputError (naming ``where``) unless ``parameters`` fit the class ``name`` in sub-package ``room``."""
    known = signatures(room)
    if name not in known:
        raise InputError(f"{where}.name: {name!r} is not one of {', '.join(sorted(known))}")
    limits = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    # Any, because a type checker takes keys for pydantic's own keywords, which begin with underscores.
    fields: dict[str, Any] = {**known[name][2]}
    model = create_model(name, __config__=limits, **fields)
    try:
        model(**parameters)
    except ValidationError as error:
        raise InputError(one_line(error, where)) from None


def one_line(error: ValidationError, where: str) -> str:
    """The first problem of a pydantic error as ``where.key: value, expected: ...``."""
    errors = error.errors()
    first = errors[0]
    place = first["loc"]
    branches = [
        one
        for one in errors
        if one["loc"] and one["loc"][:-1] == place[:-1] and _BRANCH.match(str(one["loc"][-1]))
    ]
    if len(branches) > 1 and place and _BRANCH.match(str(place[-1])):
        # A value of several possible types has one problem for each type.
        place = place[:-1]
    else:
        branches = [first]
    key = ".".join(str(part) for part in (where, *place) if str(part))
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key; config/README.md lists the keys"
    if first["type"] == "missing":
        return f"{key}: missing key"
    said = [one["msg"].removeprefix("Input should be ").removeprefix("Value error, ") for one in branches]
    number = isinstance(first["input"], str) and _NUMBER.fullmatch(first["input"])
    hint = "; Snakemake reads nested values of --config as text: write them into a file" if number else ""
    return f"{key}: {_SHORT.repr(first['input'])}, expected: {' or '.join(dict.fromkeys(said))}{hint}"


def needs(room: str, name: str) -> frozenset[str]:
    """The attribute ``needs`` of a class: its inputs beside the recordings."""
    return frozenset(_of_class(room, name, "needs") or ())


def mines(objective: str) -> bool:
    """The attribute ``mines`` of an objective: whether it mines views."""
    return bool(_of_class("objectives", objective, "mines"))


@cache
def _of_class(room: str, name: str, attribute: str) -> Any:
    """A constant attribute of a class; None if its own body does not set it."""
    module, cls, _ = signatures(room)[name]
    path = PACKAGE / room / f"{module.rsplit('.', 1)[1]}.py"
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == cls:
            return _attribute(node, attribute)
    return None


def _class_name(node: ast.ClassDef) -> str | None:
    return _attribute(node, "name")


def _attribute(node: ast.ClassDef, name: str) -> Any:
    for line in node.body:
        if isinstance(line, ast.Assign) and [getattr(t, "id", None) for t in line.targets] == [name]:
            return ast.literal_eval(line.value)
    return None


def _keywords(node: ast.ClassDef) -> dict[str, tuple[Any, Any]]:
    for line in node.body:
        if isinstance(line, ast.FunctionDef) and line.name == "__init__":
            defaults = [... if d is None else ast.literal_eval(d) for d in line.args.kw_defaults]
            return {
                arg.arg: (_type(arg.annotation), default)
                for arg, default in zip(line.args.kwonlyargs, defaults, strict=True)
            }
    return {}


def _type(annotation: ast.expr | None) -> Any:
    """The type of a parameter: int, float, bool, str or a ``Literal``. TypeError without an annotation."""
    if annotation is None:
        raise TypeError("a parameter has no type annotation, expected int, float, bool, str or Literal")
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        return Literal[ast.literal_eval(annotation.slice)]
    return _TYPES[ast.unparse(annotation)]
