"""Which pictures of the documentation are older than the code that draws them.

``python benchmarks/drawn_by.py`` lists them; ``make docs`` and a test fail on them. ``docs/images/made.json`` has, for
each picture, the code that draws it and the hash of this code when it was drawn. Only code that draws counts. Code that
reads settings or computes scores decides what is measured, not how a picture looks, and most changes there leave every
picture as it is. A change of results asks for new tables and pictures anyway.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"
MADE = IMAGES / "made.json"
#: Drawings made by hand have no code.
BY_HAND = (".svg",)


def main() -> None:
    """Print what is outdated; exit status 1 if anything is."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    sys.exit("\n".join(outdated()) or None)


def code_hash(sources: Sequence[str]) -> str:
    """Hash of source files, without the comments, docstrings and layout of Python.

    A source is a path in the repository (``docs/conf.py``), a pattern of paths (``docs/*.py``), or one function of a
    file (``docs/conf.py:setup``). ValueError if there is none.
    """
    digest = hashlib.sha256()
    for source in sources:
        pattern, _, function = source.partition(":")
        paths = sorted(path for path in ROOT.glob(pattern) if path.is_file())
        if not paths:
            raise ValueError(f"{source}: no such file")
        for path in paths:
            digest.update(f"{path.relative_to(ROOT).as_posix()} ".encode() + _content(path, function))
    return digest.hexdigest()[:16]


def outdated() -> list[str]:
    """One line for each picture that is older than its code, or of which ``made.json`` does not know what draws it."""
    made = json.loads(MADE.read_text())
    lines = [
        f"{name} is older than {', '.join(known['drawn_by'])}: draw it again"
        for name, known in made.items()
        if code_hash(known["drawn_by"]) != known["code"]
    ]
    drawn = {path.name for path in IMAGES.iterdir() if path.suffix not in (*BY_HAND, ".json")}
    return lines + [f"{name} is not in {MADE.name}" for name in sorted(drawn ^ set(made))]


def record(drawn_by: Mapping[str, Sequence[str]]) -> None:
    """Write into ``made.json`` what has just drawn each picture, and the hash of this code."""
    made = json.loads(MADE.read_text()) if MADE.exists() else {}
    for name, sources in drawn_by.items():
        made[name] = {"drawn_by": list(sources), "code": code_hash(sources)}
    MADE.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")


def _content(path: Path, function: str) -> bytes:
    """The file; of Python its syntax tree, or that of one function."""
    if path.suffix != ".py":
        return path.read_bytes()
    tree: ast.AST = ast.parse(path.read_text())
    if function:
        found = [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        if not found:
            raise ValueError(f"{path.name}:{function}: no such function")
        tree = found[0]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree).encode()


if __name__ == "__main__":
    main()
