"""The documentation site. ``make docs`` builds it from the repository's own pages, warnings counting as errors.

The source folder is the repository, so that a link of a page leads to the same file here and on GitHub. What is built
works from a disk without a network: nothing is loaded from elsewhere, and equations are MathML, which browsers draw.
"""

from __future__ import annotations

import importlib
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

# First, because autodoc imports with TYPE_CHECKING set, and pydantic then fails on models that allow more keys.
importlib.import_module("neural_action.inference.model")

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/neural_action"

#: Two numbers in brackets, with the star of a difference that holds; and a number of datasets.
INTERVAL = re.compile(r"[\[(][-+−]?[\d.]+, [-+−]?[\d.]+[\])](?: \*)?|\d+ of \d+")

project = "neural-action"
author = "The neural-action authors"
copyright = "The neural-action authors, Apache-2.0"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_design",
]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "docs/_api/*.rst", "config/README.md"]
exclude_patterns = [".*", "results", "build", "tests"]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
add_module_names = False
# A shape in a docstring, such as (animal, frame), is read as a type, and fields of several classes have such names.
suppress_warnings = ["ref.python"]
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "neural-action"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
# Not "D": two hyphens are an option, not a dash.
smartquotes_action = "qe"


def _mathml(text: str, **options: str) -> str:
    """LaTeX as MathML; bars of a norm do not stretch to the height of the line."""
    return convert(text, **options).replace("<mo>&#x02016;</mo>", '<mo stretchy="false">&#x02016;</mo>')


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_mathml(node.astext()))
    raise nodes.SkipNode


def _displayed(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_mathml(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def _examples(app: Sphinx, context: Any, lines: list[str]) -> None:
    """The examples of a command's help, as they stand."""
    text: list[str] = []
    for line in lines:
        if line == "| Example:":
            text += ["Example::", ""]
        else:
            text.append(f"  {line[2:]}" if line.startswith("| ") else line)
    lines[:] = text


def _rooms(app: Sphinx) -> None:
    """Write a page for each room of the package, that takes the docstrings of its modules."""
    pages = ROOT / "docs/_api"
    pages.mkdir(exist_ok=True)
    written = set()
    for folder in sorted(path.parent for path in PACKAGE.rglob("__init__.py")):
        name = ".".join(folder.relative_to(PACKAGE.parent).parts)
        title = "Python API" if folder == PACKAGE else name.removeprefix(f"{PACKAGE.name}.")
        text = [title, "=" * len(title), "", f".. automodule:: {name}", "   :members:"]
        # What a package offers from its modules is described with those.
        text += ["   :ignore-module-all:", ""]
        if inner := sorted(path.parent.name for path in folder.glob("*/__init__.py")):
            text += [".. toctree::", "   :maxdepth: 1", "", *(f"   {name}.{room}" for room in inner), ""]
        for module in sorted(path.stem for path in folder.glob("[a-z]*.py")):
            text += [module, "-" * len(module), "", f".. automodule:: {name}.{module}"]
            # What a module takes from another is described there.
            text += ["   :members:", "   :ignore-module-all:", "   :show-inheritance:", ""]
        page = pages / f"{name}.rst"
        written.add(page)
        # What has not changed is not read again.
        if not page.exists() or page.read_text() != "\n".join(text):
            page.write_text("\n".join(text))
    for page in set(pages.glob("*.rst")) - written:
        page.unlink()


def _pictures(app: Sphinx) -> None:
    """A warning, which ends the build, for every picture that is older than the code that draws it."""
    for line in runpy.run_path(str(ROOT / "benchmarks/drawn_by.py"))["outdated"]():
        logging.getLogger(__name__).warning("docs/images/%s", line)


def _inherited(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to an estimator's class."""
    return True if getattr(thing, "__module__", None) == "sklearn.utils._metadata_requests" else None


def _intervals(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Keep an interval of a table on one line, so that a narrow cell breaks between a mean and its interval."""
    for cell in tree.findall(nodes.entry):
        for text in list(cell.findall(nodes.Text)):
            kept = INTERVAL.sub(lambda found: found[0].replace(" ", "\u00a0"), text.astext())
            text.parent.replace(text, nodes.Text(kept))


def setup(app: Sphinx) -> None:
    """Register the renderer of equations, and what is done to pages before they are read."""
    app.connect("builder-inited", _rooms)
    app.connect("builder-inited", _pictures)
    app.connect("doctree-resolved", _intervals)
    app.connect("autodoc-skip-member", _inherited)
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    app.connect("sphinx-click-process-description", _examples)
