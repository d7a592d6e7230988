"""Lines of ``neural-action check`` about animals: the files of each, and where its name comes from."""

from __future__ import annotations

from pathlib import Path

from neural_action.recordings.formats import nwb
from neural_action.recordings.naming import alike, safe
from neural_action.recordings.samples import SampleRow

#: Maximum number of files shown for each animal, and of animals shown.
_FILES, _ANIMALS = 4, 40


def who_lines(
    root: Path, by_animal: dict[str, list[SampleRow]], named_by: str = "samples table"
) -> tuple[list[str], list[str]]:
    """Lines with each animal's files and where its name comes from, and notes on files with another name.

    ``named_by`` is the samples table, or the reader that wrote it.
    """
    lines, notes = ["animals (files of each, and where its name comes from):"], []
    subjects = {
        path: nwb.subject(root / path)
        for path in dict.fromkeys(row.path for rows in by_animal.values() for row in rows)
        if path.endswith(".nwb")
    }
    owners: dict[str, set[str]] = {}
    for number, (animal, rows) in enumerate(by_animal.items()):
        paths = list(dict.fromkeys(row.path for row in rows))
        reasons = {_reason(animal, path, subjects.get(path), named_by) for path in paths}
        more = f" and {len(paths) - _FILES} more" if len(paths) > _FILES else ""
        if number < _ANIMALS:
            lines.append(f"  {animal}: {', '.join(paths[:_FILES])}{more} ({', '.join(sorted(reasons))})")
        for path in paths:
            subject = subjects.get(path)
            if subject:
                owners.setdefault(subject, set()).add(animal)
                if safe(subject) != animal:
                    notes.append(
                        f"{path}: the {named_by} says {animal}, but the file has subject_id {subject}"
                    )
    if len(by_animal) > _ANIMALS:
        lines.append(f"  and {len(by_animal) - _ANIMALS} more animals")
    notes += [
        f"subject_id {subject} is in files of {len(animals)} animals ({', '.join(sorted(animals))}): if one animal has "
        "two names, identity scores and scores on unseen animals are wrong"
        for subject, animals in owners.items()
        if len(animals) > 1
    ]
    return lines, notes + alike(list(by_animal))


def _reason(animal: str, path: str, subject: str | None, named_by: str) -> str:
    if subject is not None and safe(subject) == animal:
        return "subject_id of the file"
    if f"sub-{animal}" in path:
        return "sub- in the path"
    return f"{named_by}, and in the path" if animal in safe(path) else f"{named_by} only"
