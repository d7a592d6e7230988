"""Published numbers, read from ``published.yaml``, the only file that holds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from neural_action.config.settings import TableSettings

_FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """One published table; empty without arguments.

    Attributes:
        source: the publication.
        recordings: the recordings it was measured on.
        values: accuracy as a fraction of 1, by (method, probe, task, label budget or animal).
        heading: heading of its columns.
        note: a remark for the reader.
    """

    source: str = ""
    recordings: str = ""
    values: Mapping[tuple[str, str, str, str], float] = field(default_factory=dict)
    heading: str = "paper (MC2P)"
    note: str = ""


def beside(table: str, settings: TableSettings) -> Published:
    """``published``, or an empty table if the configuration (``tables.published``) turns published numbers off."""
    return published(table) if settings.published else Published()


def beside_animals(tables: Sequence[str], settings: TableSettings, animals: Collection[str]) -> Published:
    """``beside`` of the first of ``tables`` with one of ``animals``; an empty table if there is none."""
    found = (beside(table, settings) for table in tables)
    return next((one for one in found if any(over in animals for *_, over in one.values)), Published())


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
