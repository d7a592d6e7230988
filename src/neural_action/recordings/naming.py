"""Find the animal and the trial of a recording, from its file or from its path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from neural_action.errors import InputError
from neural_action.recordings import patterns

#: Suffixes that are removed from names; other dots stay, because folders may have dots in their names.
_SUFFIXES = (
    ".nwb",
    ".h5",
    ".hdf5",
    ".slp",
    ".npy",
    ".npz",
    ".csv",
    ".parquet",
    ".yaml",
    ".yml",
    ".tif",
    ".tiff",
)
#: ``sub-`` and ``ses-`` as in BIDS and DANDI.
_SUBJECT, _SESSION = re.compile(r"(?:^|[_/])sub-([^_/]+)"), re.compile(r"(?:^|[_/])ses-([^_/]+)")
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"{_YEAR}([-.]?){_MONTH}\1{_DAY}(?:T\d{{4,6}})?|{_DAY}([-.]?){_MONTH}\2{_YEAR}|\d\d{_MONTH}{_DAY}"
    r"|\d{1,2}[A-Za-z]{3}\d{2,4}|\d{4}[A-Za-z]{3}\d{1,2}"
)
_TRIAL = re.compile(
    r"(?:ses|sess|session|run|trial|day|block|epoch|rec|recording|scan|part|d)-?\d+|\d+", re.IGNORECASE
)
_NUMBERED = re.compile(r"[A-Za-z]+-?\d+[A-Za-z]?")
#: A name, then the number of a trial.
_LAST = re.compile(r"(?P<animal>.+?)[_-](?P<trial>[A-Za-z]*\d+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Name:
    """Animal and trial of a recording, and ``why``, the source of the animal's name."""

    animal: str
    trial: str
    why: str


def safe(name: str) -> str:
    """The name with each run of characters other than letters, digits, ".", "_" and "-" replaced by one underscore."""
    return _UNSAFE.sub("_", name)


def by_pattern(paths: Sequence[PurePath], pattern: str, where: str) -> list[tuple[str, str]]:
    """Animal and trial of each path, the groups of a regular expression; ``where`` is its key, for messages.

    InputError if a path does not match, or names of different animals become the same.
    """
    out = []
    searched = patterns.search_all(pattern, [path.as_posix() for path in paths], where)
    for path, groups in zip(paths, searched, strict=True):
        animal, trial = ((groups or {}).get(key) for key in ("animal", "trial"))
        if animal is None or trial is None:
            raise InputError(f"{path}: does not match {where} {pattern!r} with groups animal and trial")
        out.append((animal, trial))
    refuse_merged([animal for animal, _ in out])
    return [(safe(animal), safe(trial)) for animal, trial in out]


def named(paths: Sequence[PurePosixPath], subjects: Sequence[str | None]) -> list[Name]:
    """The name of every recording.

    The animal's name is the subject in the file; else ``sub-`` in the path; else the folder or file name. Dates and the
    numbers of sessions and runs belong to the trial, never to the animal.

    Args:
        paths: relative to the raw folder.
        subjects: subject in each file, or None.

    Raises:
        InputError: a path has only dates and numbers; all files have the same subject but paths name several; or two
            animals differ only in characters that names cannot have.
    """
    flat = all(len(path.parts) == 1 for path in paths)
    numbered = flat and all(_LAST.fullmatch(_stem(path.name)) for path in paths)
    labels = {_plain(match[1]) for path in paths if (match := _SUBJECT.search(path.as_posix()))}
    if len(labels) > 1 and len(set(subjects)) == 1 and None not in subjects:
        raise InputError(
            f"every file has subject_id {subjects[0]}, but paths name {len(labels)} subjects "
            f"({', '.join(sorted(labels))}); expected --option "
            "'names=(?P<animal>...)(?P<trial>...)', a regular expression on the path"
        )
    found: list[Name] = []
    for path, subject in zip(paths, subjects, strict=True):
        label = _SUBJECT.search(path.as_posix())
        if subject:
            name = Name(subject, _trial(path, subject), "subject_id of the file")
        elif label:
            name = Name(label[1], _trial(path, label[1]), "sub- in the path")
        else:
            name = _by_path(path, numbered)
        found.append(name)
    refuse_merged([name.animal for name in found])
    return _distinct(paths, [Name(safe(name.animal), safe(name.trial), name.why) for name in found])


def refuse_merged(animals: Sequence[str]) -> None:
    """InputError if two of the animals, as files and paths name them, would get one name by ``safe``."""
    first: dict[str, str] = {}
    for animal in animals:
        other = first.setdefault(safe(animal), animal)
        if other != animal:
            raise InputError(
                f"animals {other!r} and {animal!r} would both be called {safe(animal)}, expected names that differ in "
                "letters, digits, dot, underscore or hyphen (ASCII): rename them, or write the samples table by hand"
            )


def alike(animals: Sequence[str]) -> list[str]:
    """A sentence for each group of animals whose names differ only in case and punctuation, such as M1 and m-1."""
    by_name: dict[str, list[str]] = {}
    for animal in dict.fromkeys(animals):
        by_name.setdefault(_plain(animal), []).append(animal)
    return [
        f"Animals {' and '.join(group)} differ only in case or punctuation: if they are one animal, identity scores "
        "and scores on unseen animals are wrong"
        for name, group in by_name.items()
        if name and len(group) > 1
    ]


def conflicts(paths: Sequence[PurePosixPath], subjects: Sequence[str | None]) -> list[str]:
    """A sentence for each file whose path names another subject than the file."""
    said = []
    for path, subject in zip(paths, subjects, strict=True):
        label = _SUBJECT.search(path.as_posix())
        if subject and label and _plain(label[1]) != _plain(subject):
            said.append(
                f"{path}: the path has sub-{label[1]}, but the file has subject_id {subject}, which is used"
            )
    return said


def is_date(token: str) -> bool:
    """Whether a part of a name is a date, or a date and a time."""
    return _DATE.fullmatch(token) is not None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _SUFFIXES else name


def _tokens(component: str) -> list[str]:
    """Parts of a name between underscores, spaces and hyphens; a date with hyphens is one part."""
    kept = re.sub(rf"({_YEAR})-({_MONTH})-({_DAY})", r"\1.\2.\3", component)
    return [token for token in re.split(r"[_\s-]+", kept) if token]


def _of_trial(token: str) -> bool:
    return is_date(token) or _TRIAL.fullmatch(token) is not None


def _by_path(path: PurePosixPath, numbered: bool) -> Name:
    """Animal and trial from folders and file name. InputError if there are only dates and numbers."""
    parts = [*path.parts[:-1], _stem(path.name)]
    split = [_tokens(part) for part in parts]
    dated = any(is_date(token) for tokens in split for token in tokens)
    if len(parts) == 1:
        if dated:
            return _around_dates(path, split[0], [], "the name without its date")
        if numbered and (match := _LAST.fullmatch(parts[0])):
            animal, trial = match["animal"], match["trial"]
            # In m1_day2_run3, the day also belongs to the trial.
            while (earlier := _LAST.fullmatch(animal)) and _TRIAL.fullmatch(earlier["trial"]):
                if earlier["trial"].isdigit():
                    break
                animal, trial = earlier["animal"], f"{earlier['trial']}_{trial}"
            return Name(animal, trial, "the name before its number")
        return Name(parts[0], "1", "the name of the file")
    own = [at for at, tokens in enumerate(split[:-1]) if not all(map(_of_trial, tokens))]
    if not own:
        if not dated or not any(is_date(token) for token in split[0]):
            return Name(parts[0], "_".join(parts[1:]), "the first folder")
        return _around_dates(path, split[-1], parts[:-1], "the name in a folder of a date")
    trial = [part for at, part in enumerate(parts[:-1]) if at not in own]
    animal = []
    for at in own:
        animal += [token for token in split[at] if not is_date(token)]
        trial += [token for token in split[at] if is_date(token)]
    if all(not any(map(is_date, split[at])) for at in own):
        animal = [parts[at] for at in own]
    return Name("_".join(animal), "_".join([*trial, parts[-1]]), "the folder")


def _around_dates(path: PurePosixPath, tokens: list[str], before: list[str], why: str) -> Name:
    """The animal is the parts that are no date, number or session; if only one is a numbered word (m1), that one."""
    rest = [token for token in tokens if not _of_trial(token)]
    if not rest:
        raise InputError(
            f"{path}: has only dates and numbers, so the animal is not known; expected --option "
            "'names=(?P<animal>...)(?P<trial>...)', a regular expression on the path, or a samples table by hand"
        )
    words = [token for token in rest if _NUMBERED.fullmatch(token)]
    animal = words if len(words) == 1 else rest
    trial = [*before, *(token for token in tokens if token not in animal)]
    return Name("_".join(animal), "_".join(trial) or "1", why)


def _trial(path: PurePosixPath, animal: str) -> str:
    """The session, else the parts of the path that are not the animal; ``1`` if there are none."""
    if session := _SESSION.search(path.as_posix()):
        return session[1]
    return "_".join(_beside(path, animal)) or "1"


def _beside(path: PurePosixPath, animal: str) -> list[str]:
    """Parts of the path other than the animal."""
    parts = [*path.parts[:-1], _stem(path.name)]
    found: dict[str, None] = {}
    for part in parts:
        for token in re.split(r"[_\s]+", part):
            label = token.removeprefix("sub-").removeprefix("ses-")
            if token and _plain(label) != _plain(animal):
                found[label] = None
    return list(found)


def _distinct(paths: Sequence[PurePosixPath], found: list[Name]) -> list[Name]:
    """The names, where trials with the same name get the other parts of their paths instead."""
    count = Counter((name.animal, name.trial) for name in found)
    return [
        name
        if count[name.animal, name.trial] == 1
        else Name(name.animal, safe("_".join(_beside(path, name.animal))) or name.trial, name.why)
        for path, name in zip(paths, found, strict=True)
    ]
