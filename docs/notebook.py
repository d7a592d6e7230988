"""The notebook of the documentation: a script in cells, executed and written as a page with its output and pictures.

``python docs/notebook.py`` executes ``docs/tutorials/model_to_picture.py`` on the results of ``make quick``. The script
is in the percent format, which editors and jupytext open as a notebook. Cells begin with ``# %%``, text with
``# %% [markdown]``. A kernel for one notebook would add some thirty packages to those that developers install.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "docs/tutorials/model_to_picture.py"
PAGE = SCRIPT.with_suffix(".md")
PICTURE = ROOT / "docs/images/model_to_picture.png"
HEAD = f"<!-- `python docs/notebook.py` writes this page from {SCRIPT.name}; do not edit it. -->\n"


@dataclass(frozen=True)
class Cell:
    """A cell: its text without the comment signs, or its code."""

    markdown: bool
    text: str


def cells(script: str) -> list[Cell]:
    """The cells of a script."""
    found = []
    for head, body in re.findall(r"^# %%(.*)\n((?:(?!# %%).*\n)*)", script, re.MULTILINE):
        markdown = "[markdown]" in head
        text = re.sub(r"^# ?", "", body, flags=re.MULTILINE) if markdown else body
        found.append(Cell(markdown, text.strip() + "\n"))
    return found


def execute(notebook: list[Cell]) -> list[str]:
    """What each cell prints. An error of a cell is raised."""
    names: dict[str, Any] = {}
    printed = []
    for number, cell in enumerate(notebook):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            if not cell.markdown:
                exec(compile(cell.text, f"cell {number}", "exec"), names)
        printed.append(output.getvalue())
    return printed


def page(notebook: list[Cell], printed: list[str]) -> str:
    """The Markdown: text, code, output, and the picture behind the cell that saves it."""
    parts = [HEAD]
    for cell, output in zip(notebook, printed, strict=True):
        parts.append(cell.text if cell.markdown else f"```python\n{cell.text}```\n")
        if output:
            parts.append(f"```text\n{output.rstrip()}\n```\n")
        if PICTURE.name in cell.text and not cell.markdown:
            parts.append(f"![The embedding by action and by animal](../images/{PICTURE.name})\n")
    return "\n".join(parts)


def main() -> None:
    """Execute the notebook, and write the page and its picture."""
    import matplotlib as mpl

    mpl.use("agg")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from drawn_by import record

    notebook = cells(SCRIPT.read_text())
    PAGE.write_text(page(notebook, execute(notebook)))
    Path(PICTURE.name).replace(PICTURE)
    record({PICTURE.name: [SCRIPT.relative_to(ROOT).as_posix()]})


if __name__ == "__main__":
    main()
