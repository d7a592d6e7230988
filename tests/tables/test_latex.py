"""Tables in LaTeX: no wider than a line of text, and every number of the document in one of them."""

import re
import shutil
import subprocess

import pytest

from neural_action.tables.document import Block, Document, Line, Span
from neural_action.tables.render import latex


def cell(row: int, at: int, columns: tuple[str, ...]) -> str:
    """A number that no other cell has; those of the paper have no interval."""
    return f"{row}{at}.3" if columns[at % len(columns)].startswith("paper") else f"{row}{at}.3 [51.0, 57.2]"


def document(spans: int, columns: tuple[str, ...] = ("ours", "paper (MC2P)")) -> Document:
    """A table like the paper's Table 1, every number another."""
    names = ("SimCLR", "Behavior encoder of Swap + calcium, half of the poses swapped")
    count = spans * len(columns)
    lines = tuple(
        Line(name, "Self-supervised", tuple(cell(row, at, columns) for at in range(count)))
        for row, name in enumerate(names, 1)
    )
    aside = frozenset(at for at in range(count) if at % len(columns)) if len(columns) == 2 else frozenset()
    heads = tuple(Span(f"Task {at}", columns) for at in range(spans))
    return Document(
        "Actions", "simulated", (Block("Balanced accuracy", heads, lines, aside),), (("Chance", "12.5"),)
    )


def tables(text: str) -> list[str]:
    return re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.DOTALL)


@pytest.mark.parametrize("spans", [1, 2, 4])
def test_a_wide_block_is_cut_between_columns_and_nothing_is_lost(spans):
    text = latex(document(spans))
    assert len(tables(text)) == -(-spans // 2)
    assert "resizebox" not in text
    for row in (1, 2):
        for at in range(2 * spans):
            assert text.count("{" + cell(row, at, ("ours", "paper (MC2P)")) + "}") == 1
    for table in tables(text):
        # The published number stays beside the measured one.
        assert re.search(r"Method (& ours & paper \(MC2P\) ){1,2}", table)
    assert text.count("Chance") == 1


def test_columns_of_one_heading_are_cut_too():
    text = latex(document(1, ("1 trial", "2 trials", "4 trials", "8 trials", "all")))
    assert len(tables(text)) == 2
    assert text.count("(1 of 2)") == 2
    assert text.count(r"\multicolumn{3}{c}{Task 0}") == text.count(r"\multicolumn{2}{c}{Task 0}") == 1


def test_a_narrow_block_is_one_table():
    text = latex(document(1, ("a", "b")))
    assert len(tables(text)) == 1
    assert "(1 of" not in text


def test_latex_compiles_it_without_a_line_too_wide(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex")
    body = latex(document(4)) + latex(document(1, ("1 trial", "2 trials", "4 trials", "8 trials", "all")))
    preamble = r"\documentclass{article}\usepackage{array,booktabs}\begin{document}"
    (tmp_path / "a.tex").write_text(preamble + body + r"\end{document}")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "a.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
