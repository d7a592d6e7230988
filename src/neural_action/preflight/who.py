"""Lines of ``neural-action check`` about animals: who is in which file, and what says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.recordings.hdf5 import opened
from neural_action.recordings.naming import safe
from neural_action.recordings.samples import SampleRow

#: Files that are shown of an animal; animals that are shown.
_FILES, _ANIMALS = 4, 40


def who_lines(root: Path, by_animal: dict[str, list[SampleRow]]) -> tuple[list[str], list[str]]:
    """Lines that list each animal's files with what says who it is, and notes on files that say otherwise."""
    lines, notes = ["animals (who is in which file, and what says so):"], []
    subjects = {
        path: subject_of(root / path)
        for path in dict.fromkeys(row.path for rows in by_animal.values() for row in rows)
        if path.endswith(".nwb")
    }
    owners: dict[str, set[str]] = {}
    for number, (animal, rows) in enumerate(by_animal.items()):
        paths = list(dict.fromkeys(row.path for row in rows))
        reasons = {_reason(animal, path, subjects.get(path)) for path in paths}
        more = f" and {len(paths) - _FILES} more" if len(paths) > _FILES else ""
        if number < _ANIMALS:
            lines.append(f"  {animal}: {', '.join(paths[:_FILES])}{more} ({', '.join(sorted(reasons))})")
        for path in paths:
            subject = subjects.get(path)
            if subject:
                owners.setdefault(subject, set()).add(animal)
                if safe(subject) != animal:
                    notes.append(f"{path}: the samples table says {animal}, the file subject_id {subject}")
    if len(by_animal) > _ANIMALS:
        lines.append(f"  and {len(by_animal) - _ANIMALS} more animals")
    notes += [
        f"subject_id {subject} is in files of {len(animals)} animals ({', '.join(sorted(animals))}): one animal under "
        "two names spoils identity and what is read from an animal left out"
        for subject, animals in owners.items()
        if len(animals) > 1
    ]
    return lines, notes


def subject_of(path: Path) -> str | None:
    """``general/subject/subject_id`` of an NWB file; None where it has none. InputError if it cannot be read."""
    with opened(path, "an NWB file") as file:
        item = file.get("general/subject/subject_id")
        value = None if item is None or not hasattr(item, "dtype") else np.asarray(item[()]).ravel()
    if value is None or not len(value):
        return None
    first = value[0]
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _reason(animal: str, path: str, subject: str | None) -> str:
    if subject is not None and safe(subject) == animal:
        return "subject_id of the file"
    if f"sub-{animal}" in path:
        return "sub- in the path"
    return "in the path, by the samples table" if animal in safe(path) else "the samples table alone"
