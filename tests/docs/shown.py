"""The blocks of code that pages show, and what is to become of each."""

import re
from dataclasses import dataclass
from pathlib import Path

from running import ROOT

#: A comment before a block says how it is tested, where running it as it stands is too much.
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>dry run|checked against (?P<file>\S+)) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: A file that a page has its reader write begins with its own name.
_FILE = re.compile(r"# (\S+/)?[\w.]+\.(py|yaml)\n")
#: What of a command another file must hold, to be checked against it: options, files, pins; not what a reader fills in.
_TELLING = re.compile(r"--[a-z-]+|(?:config|profiles)/[\w./]+|[\w-]+==[\d.]+|make \w[\w-]*")


@dataclass(frozen=True)
class Block:
    """A fenced block: ``mark`` is None, "dry run" or "checked against <file>"."""

    page: str
    line: int
    language: str
    code: str
    mark: str | None
    against: str | None

    @property
    def name(self) -> str:
        """Page and line, for a failing test."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the reader is to write, from the first line; None if the block is for reading alone."""
        found = _FILE.match(self.code)
        return found and found[0][2:].strip()

    @property
    def commands(self) -> str:
        """What the shell is given: with ``--dry-run`` where the block is only tried."""
        if self.mark != "dry run":
            return self.code
        lines = [line.split("  #")[0] for line in self.code.splitlines()]
        return "\n".join(f"{line} --dry-run" for line in lines if line.strip())

    @property
    def telling(self) -> set[str]:
        """The words that a file must hold which the block is checked against."""
        return set(_TELLING.findall(self.code))


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
    """Every page of the documentation."""
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in ("README.md", "config/README.md"))]
    return sorted(str(path.relative_to(ROOT)) for path in found if "_api" not in path.parts)
