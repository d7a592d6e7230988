"""The blocks of code that pages show, and how each is tested."""

import re
from dataclasses import dataclass

from running import ROOT

#: A comment before a block says how it is tested, where running it as it stands is too much.
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>planned|checked against (?P<file>\S+)) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: A file that a page has its reader write begins with its own name.
_FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")
#: What of a command is telling: options, files and pins; not what a reader fills in.
_TELLING = re.compile(r"--[a-z-]+|(?:config|profiles)/[\w./]+|[\w-]+==[\d.]+|(?<![\w-])make [\w-]+")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Without a mark its commands are run. ``planned``: their configuration is read and planned. ``checked against`` a
    file: it holds every telling word of theirs, being the test that runs them, or the pin.
    """

    page: str
    line: int
    language: str
    code: str
    mark: str | None
    against: str | None

    @property
    def name(self) -> str:
        """Page and line, for a test that fails."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the reader is to write with this content, if it is one."""
        found = _FILE.match(self.code)
        return found and found[1]

    @property
    def commands(self) -> list[str]:
        """Lines of shell without comments; none in other languages."""
        lines = [line.split("  #")[0].strip() for line in self.code.splitlines()]
        return [line for line in lines if line] if self.language == "sh" else []

    @property
    def telling(self) -> set[str]:
        """The words that the file must hold which the block is checked against."""
        return set(_TELLING.findall(" ".join(self.commands)))


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, given by its path in the repository."""
    text = (ROOT / page).read_text()
    return [
        Block(
            page,
            text[: found.start()].count("\n") + 1,
            found["language"],
            found["code"],
            found["mark"],
            found["file"],
        )
        for found in _BLOCK.finditer(text)
    ]


def pages() -> list[str]:
    """Every page of the documentation, but what `make docs` generates."""
    found = [*(ROOT / "docs").rglob("*.md"), ROOT / "config/README.md"]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def prose(page: str) -> str:
    """A page without its fenced blocks and without what scripts write between marks; lines keep their numbers."""
    text = (ROOT / page).read_text()
    for pattern in (r"<!-- (\S+) -->\n.*?<!-- /\1 -->", r"^```.*?^```"):
        text = re.sub(
            pattern, lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE
        )
    return text


def code_words(page: str) -> list[str]:
    """What a page sets as code inside its text."""
    return re.findall(r"`([^`\n]+)`", prose(page))
