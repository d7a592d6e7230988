"""Published numbers, read from ``published.yaml``, the only file that holds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from neural_action.config.output_settings import TableSettings

_FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """One published table.

    Attributes:
        source: the publication.
        recordings: the recordings it was measured on.
        values: accuracy as a fraction of 1, by (method, probe, task, label budget or animal).
        heading: heading of its columns.
        note: a remark for the reader.
    """

    source: str
    recordings: str
    values: Mapping[tuple[str, str, str, str], float]
    heading: str
    note: str

    def has(self, column: tuple[str, str, str]) -> bool:
        """Whether it has the column (probe, task, label budget or animal)."""
        return any(key[1:] == column for key in self.values)


#: Published tables whose columns are animals, sessions or sets of pictures. The paper's own come first.
_OF_ANIMALS = ("decoding", "image_recognition", "solo_learn")


def beside(table: str, settings: TableSettings) -> tuple[Published, ...]:
    """``published``, or nothing if the configuration (``tables.published``) turns published numbers off."""
    return (published(table),) if settings.published else ()


def beside_animals(settings: TableSettings, animals: Collection[str]) -> tuple[Published, ...]:
    """The published tables with one of ``animals``, likewise."""
    found = (one for table in _OF_ANIMALS for one in beside(table, settings))
    return tuple(one for one in found if any(over in animals for *_, over in one.values))


@cache
def published(table: str) -> Published:
    """The numbers of one section of the file. KeyError if the file has no such section."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    part = content[table]
    values = {
        (method, probe, task, over): round(percent / 100, 6)
        for probe, read in part["probes"].items()
        for method, row in read["rows"].items()
        for (task, over), percent in zip(read["columns"], row, strict=True)
        if percent is not None
    }
    recordings = part.get("recordings", content["recordings"])
    return Published(
        part["source"], recordings, values, part.get("heading", "paper (MC2P)"), part.get("note", "")
    )
