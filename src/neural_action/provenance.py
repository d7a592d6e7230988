"""Hashes of the code that a stage runs."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.name


def code_hash(modules: Iterable[str]) -> str:
    """Hash of the named modules and of every module of this package that they import, transitively.

    The hash is of the syntax tree, without comments, docstrings and formatting. Every rule has this hash as a
    parameter, because Snakemake does not track changes in a package that a shell command calls.
    """
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += _parsed(module)[1]
    digest = hashlib.sha256()
    for module in sorted(seen):
        digest.update(f"{module} {_parsed(module)[0]}\n".encode())
    return digest.hexdigest()[:16]


def part_modules(room: str, names: Iterable[str]) -> list[str]:
    """Modules of the components ``names`` in sub-package ``room``, which stages import by name."""
    from neural_action.config.signatures import signatures

    known = signatures(room)
    return [known[name][0] for name in names if name in known]


@cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    """Hash of a module's syntax tree and of the data files it names, and the modules of this package it imports."""
    source = _path(module).read_text()
    tree = ast.parse(source)
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imported.add(node.module)
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    own = tuple(sorted(name for name in imported if name.split(".")[0] == ROOT and _exists(name)))
    data = [
        path.read_bytes()
        for path in sorted(_path(module).parent.iterdir())
        if path.is_file() and path.suffix != ".py" and path.name in source
    ]
    return hashlib.sha256(b"\0".join([ast.dump(tree).encode(), *data])).hexdigest(), own


def _path(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _exists(module: str) -> bool:
    return _path(module).is_file()
