"""A document as Markdown, LaTeX and HTML."""

from __future__ import annotations

import re
from itertools import groupby

from neural_action.tables.document import Block, Document
from neural_action.tables.templates import template
from neural_action.text import printable

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "–": "--",
    "\n": " ",
}


def escape_markdown(text: str) -> str:
    """Text that GitHub Markdown shows as it is, also within a table: no markup, no link."""
    return re.sub(r"([\\`*_<>|]|\](?=[(\[:]))", r"\\\1", printable(text))


def escape_latex(text: str) -> str:
    """Text that LaTeX (UTF-8) prints as it is."""
    return "".join(_LATEX.get(character, character) for character in text)


def markdown(document: Document) -> str:
    """GitHub Markdown: a table for each block, notes as a list."""
    parts = [f"# {escape_markdown(document.title)}", escape_markdown(document.opening)]
    for block in document.blocks:
        parts += [f"## {escape_markdown(block.title)}", _markdown_table(block)]
    parts.append(
        "\n".join(f"- **{escape_markdown(term)}**: {escape_markdown(text)}." for term, text in document.notes)
    )
    return "\n\n".join(parts) + "\n"


def _markdown_table(block: Block) -> str:
    heads = [
        f"{span.heading}, {part}" if part not in _BARE else part
        for span in block.spans
        for part in span.columns
    ]
    rows = [["Method", "Group", *heads], ["---", "---", *("---:" for _ in heads)]]
    rows[0] = [escape_markdown(text) for text in rows[0]]
    rows += [
        [escape_markdown(text) for text in (line.label, line.group, *line.cells)] for line in block.lines
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# Headings that say enough without the one they stand under.
_BARE = {"paper (MC2P)", "paper", "pairs"}


def latex(document: Document) -> str:
    """LaTeX: a booktabs ``table`` for each block, notes in the caption of the first."""
    head = [
        f"% {_comment(document.title)}: {_comment(document.opening)}",
        r"% Needs \usepackage{booktabs,graphicx}.",
    ]
    return "\n".join([*head, *(_latex_table(document, at) for at in range(len(document.blocks)))]) + "\n"


def _comment(text: str) -> str:
    return " ".join(text.split())


def _latex_table(document: Document, at: int) -> str:
    block = document.blocks[at]
    caption = rf"\textbf{{{escape_latex(block.title)}.}} {escape_latex(document.opening)}."
    if at == 0:
        caption += "".join(
            rf" \emph{{{escape_latex(term)}}}: {escape_latex(text)}." for term, text in document.notes
        )
    count = sum(len(span.columns) for span in block.spans)
    spans, rules, first = [], [], 3
    for span in block.spans:
        width = len(span.columns)
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(span.heading)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    parts = [escape_latex(part) for span in block.spans for part in span.columns]
    lines = [
        "",
        r"\begin{table}",
        rf"\caption[{{{escape_latex(block.title)}}}]{{{caption}}}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        # Wide tables shrink to the line.
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{ll{'r' * count}}}",
        r"\toprule",
        " & ".join(["", "", *spans]).strip() + r" \\",
        " ".join(rules),
        " & ".join(["Group", "Method", *parts]) + r" \\",
    ]
    for _, group in groupby(block.lines, key=lambda line: line.group):
        lines.append(r"\midrule")
        for number, line in enumerate(group):
            texts = (line.group if number == 0 else "", line.label, *line.cells)
            # Braces: a bracket that begins a row would be read as the option of the line break before.
            lines.append(
                " & ".join("{" + escape_latex(text) + "}" if text else "" for text in texts).strip() + r" \\"
            )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}"])


def html(document: Document) -> str:
    """One self-contained HTML page, without scripts."""
    return template("page.html.j2").render(document=document, groups=_groups)


def _groups(block: Block) -> list[tuple[str, list]]:
    return [(name, list(lines)) for name, lines in groupby(block.lines, key=lambda line: line.group)]
