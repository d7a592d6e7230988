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
    """Text that GitHub Markdown shows unchanged, also in a table: no markup and no links."""
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


# Column headings that need no span heading before them.
_BARE = {"paper (MC2P)", "paper", "solo-learn", "pairs"}


def latex(document: Document) -> str:
    """LaTeX with booktabs: a block wider than a line becomes several tables; notes are in the first caption."""
    head = [
        f"% {_comment(document.title)}: {_comment(document.opening)}",
        r"% Needs \usepackage{array,booktabs}.",
    ]
    tables: list[str] = []
    for block in document.blocks:
        parts = _parts(block)
        for at, places in enumerate(parts):
            caption = escape_latex(block.title) + (f" ({at + 1} of {len(parts)})" if len(parts) > 1 else "")
            text = rf"\textbf{{{caption}.}} {escape_latex(document.opening)}."
            if not tables:
                text += "".join(
                    rf" \emph{{{escape_latex(term)}}}: {escape_latex(note)}." for term, note in document.notes
                )
            tables.append(_latex_table(block, places, rf"\caption[{{{caption}}}]{{{text}}}"))
    return "\n".join([*head, *tables]) + "\n"


def _comment(text: str) -> str:
    return " ".join(text.split())


#: Characters that fit beside the row labels on a line of 345 pt in footnotesize, measured with pdflatex.
_LINE = 62


def _parts(block: Block) -> list[list[int]]:
    """Columns of a block, cut into tables that fit a line. A muted column stays beside the column it belongs to."""
    heads = [part for span in block.spans for part in span.columns]
    widths = [
        max(len(text) for text in (head, *(line.cells[at] for line in block.lines))) + 1
        for at, head in enumerate(heads)
    ]
    units: list[list[int]] = []
    for at in range(len(heads)):
        if at in block.aside and units:
            units[-1].append(at)
        else:
            units.append([at])
    parts: list[list[int]] = [[]]
    for unit in units:
        if parts[-1] and sum(widths[at] for at in (*parts[-1], *unit)) > _LINE:
            parts.append([])
        parts[-1] += unit
    return parts


def _latex_table(block: Block, places: list[int], caption: str) -> str:
    """A table with the columns ``places`` of a block."""
    headings = [span.heading for span in block.spans for _ in span.columns]
    heads = [part for span in block.spans for part in span.columns]
    spans, rules, first = [], [], 2
    for heading, group in groupby(places, key=headings.__getitem__):
        width = len(list(group))
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(heading)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    lines = [
        "",
        r"\begin{table}",
        caption,
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{>{{\raggedright\arraybackslash}}p{{.26\linewidth}}{'r' * len(places)}}}",
        r"\toprule",
        " & ".join(["", *spans]).strip() + r" \\",
        " ".join(rules),
        " & ".join(["Method", *(escape_latex(heads[at]) for at in places)]) + r" \\",
    ]
    for name, rows in groupby(block.lines, key=lambda line: line.group):
        lines.append(r"\midrule")
        if name:
            lines.append(rf"\multicolumn{{{1 + len(places)}}}{{l}}{{\emph{{{escape_latex(name)}}}}} \\")
        for line in rows:
            texts = (line.label, *(line.cells[at] for at in places))
            # In braces: LaTeX would read a bracket at the start of a row as the option of the preceding line break.
            lines.append(
                " & ".join("{" + escape_latex(text) + "}" if text else "" for text in texts).strip() + r" \\"
            )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def html(document: Document) -> str:
    """One self-contained HTML page, without scripts."""
    return template("page.html.j2").render(document=document, groups=_groups)


def _groups(block: Block) -> list[tuple[str, list]]:
    return [(name, list(lines)) for name, lines in groupby(block.lines, key=lambda line: line.group)]
