"""Writes docs/reference/configuration.md: every key of the configuration with its type, default and meaning.

Types, bounds and defaults come from the typed configuration, meanings from the tables of config/README.md. Run
``python docs/configuration_page.py`` after a change of either.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neural_action.config.load import read_yaml
from neural_action.config.settings import Settings
from neural_action.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference/configuration.md"
HEAD = """# Every key of the configuration

`python docs/configuration_page.py` writes this page; do not edit it. Types and defaults come from the code,
meanings from [config/README.md](../../config/README.md), which also has sources, readers and objectives.

- *Default* is the value where no file sets the key.
- *Simulated* is the value in `config/config.yaml`, the default dataset. – means that this file does not set it.
- A *part* is a class chosen by `name`, with its parameters: `{name: noise, sd: 0.1}`.
- An editor that reads `config/schema.json` completes and checks keys.
"""
_HEADING = re.compile(r"#+ (?:`([\w.]+)`.*|(Dataset)$|.*)")
_ROW = re.compile(r"\| `(\w+)` \| (.+) \| .*\|$")
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_MOST = 2**32  # the bound of every seed, which no reader needs
_WORDS = {"boolean": "true or false", "null": "null", "object": "mapping", "string": "text"}

Section = dict[str, Any]


def explained(readme: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Meanings by section and key, and the opening of each section. The top level is the section ``""``."""
    meanings: dict[str, dict[str, str]] = {}
    openings: dict[str, str] = {}
    section, inside = None, False
    for block in re.split(r"\n\s*\n", readme):
        for line in block.splitlines():
            if found := _HEADING.match(line):
                section = "" if found[2] else found[1]
            elif line.startswith("| key | meaning | source"):
                inside = True
            elif inside and section is not None and (row := _ROW.match(line)):
                meanings.setdefault(section, {})[row[1]] = row[2]
        inside = False
        if section and not block.startswith(("#", "|", "- ", "```")):
            openings.setdefault(section, block)
    return meanings, openings


def sections(schema: Section, path: str = "", part: Section | None = None) -> Iterator[tuple[str, Section]]:
    """Path and schema of every section: the top level, then each with the sections inside it."""
    part = schema if part is None else part
    yield path, part
    for key, value in part["properties"].items():
        inner = schema["$defs"].get(_section_of(value), {})
        if inner.get("additionalProperties") is False:
            yield from sections(schema, f"{path}.{key}".lstrip("."), inner)


def _section_of(value: Section) -> str:
    """Name of the section that a key holds: by itself, or null, or one for each name."""
    for choice in (value, *value.get("anyOf", ()), *value.get("patternProperties", {}).values()):
        if "$ref" in choice:
            return choice["$ref"].rpartition("/")[2]
    return ""


def kind(value: Section) -> str:
    """What a key takes, in words."""
    if "anyOf" in value:
        return " or ".join(kind(choice) for choice in value["anyOf"])
    if "enum" in value or "const" in value:
        return ", ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if "$ref" in value:
        return "part" if value["$ref"].endswith("/ComponentConfig") else "section"
    if value.get("type") == "array":
        return f"list of {kind(value['items'])}"
    if value.get("type") == "string" and "pattern" in value:
        return "name"
    bounds = [f"{sign} {value[name]}" for name, sign in _BOUNDS.items() if value.get(name, _MOST) != _MOST]
    return " ".join([_WORDS.get(value.get("type", ""), value.get("type", "any")), ", ".join(bounds)]).strip()


def shown(value: Any) -> str:
    """A value as YAML has it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")
    return "empty" if not text else f"`{text}`" if len(text) < 90 else "a longer text"


def page(readme: str, simulated: Section) -> str:
    """The page. ValueError if a key is not explained, or what is explained is no key."""
    meanings, openings = explained(readme)
    schema = Settings.model_json_schema()
    found = dict(sections(schema))
    keys = {(path, key) for path, part in found.items() for key in part["properties"]}
    keys -= {("", key) for key in found}
    for path, key in sorted(keys ^ {(path, key) for path, own in meanings.items() for key in own}):
        wrong = "a key without explanation" if (path, key) in keys else "an explanation without key"
        raise ValueError(f"config/README.md, section {path or 'Dataset'}: {key} is {wrong}")
    local = "|".join(path.replace(".", "") for path in found if "." in path)

    def here(text: str) -> str:
        """The text with its links as seen from the page."""
        text = re.sub(rf"\]\(#(?!(?:{local})\))", "](../../config/README.md#", text)
        return text.replace("](../docs/", "](../")

    lines = [HEAD]
    for path, part in found.items():
        values: Any = simulated
        for name in filter(None, path.split(".")):
            values = values.get(name) or {}
        named = path.startswith(("methods", "probes"))  # their keys are those of each row and each probe
        head = ["key", "type", "default", *([] if named else ["simulated"]), "meaning"]
        lines += [f"{'##' + '#' * path.count('.')} `{path}`" if path else "## Dataset", ""]
        lines += [here(openings[path]), ""] if path in openings else []
        lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for key, value in part["properties"].items():
            if (path, key) in keys:
                default = "required" if key in part.get("required", ()) else shown(value.get("default"))
                given = [] if named else [shown(values[key]) if key in values else "–"]
                cells = [f"`{key}`", kind(value), default, *given, here(meanings[path][key])]
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def current() -> str:
    """The page of the checkout's files."""
    return page((ROOT / "config/README.md").read_text(), read_yaml(ROOT / "config/config.yaml"))


if __name__ == "__main__":
    try:
        text = current()
    except ValueError as error:
        sys.exit(str(error))
    with atomic_write(PAGE) as partial:
        partial.write_text(text)
