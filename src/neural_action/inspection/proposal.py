"""How the recordings of a folder could be read: reader options and the rows of the sheet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neural_action.errors import InputError
from neural_action.inspection.folder import PREFERRED, Found
from neural_action.inspection.layouts import complained, refuse_layouts
from neural_action.inspection.signals import left_out, neural_options, refuse_unclear, unread
from neural_action.inspection.trials import settle
from neural_action.recordings.readers import paired
from neural_action.recordings.recording import Recording
from neural_action.recordings.sheet import SheetRow

#: Folds that are proposed: the paper's.
FOLDS = 4
#: Names as DANDI has them, and as laboratories number trials.
_DANDI = re.compile(r"sub-(?P<animal>[^_/]+)(?:.*ses-(?P<trial>[^_/]+))?")
_NUMBERED = re.compile(r"(?P<animal>.+?)[_-](?P<trial>[A-Za-z]*\d+)")
#: Option of a pose format below which a keypoint is not taken for tracked, as the trackers themselves have it:
#: DeepLabCut's pcutoff, SLEAP's threshold of peaks; for Anipose that of DeepLabCut (our choice).
LIKELY = {
    "deeplabcut": ("min_likelihood", 0.6),
    "sleap": ("min_score", 0.2),
    "anipose": ("min_score", 0.6),
}
_ROLES = {"neural": "neural activity", "behavior": "behaviour", "labels": "labels"}


@dataclass
class Proposal:
    """What would be written.

    Attributes:
        options: of the reader ``paired``.
        sources: where options come from that are not found in the files, by dotted key.
        folds: of the split.
        rows: of the sheet.
        class_names: of the actions, if there are any.
        calcium: the section of that name.
        calcium_source: why it is so.
        neural_rate: frames a second that all are brought to; None where they have one rate.
        dff: whether neural activity is raw fluorescence, of which dF/F is taken.
        sample: the first recording as the reader gives it, once they were read.
        notes: what was decided, in sentences.
    """

    options: dict[str, Any]
    sources: dict[str, str]
    folds: int
    rows: list[SheetRow] = field(default_factory=list)
    class_names: list[str] | None = None
    calcium: dict[str, float] = field(default_factory=dict)
    calcium_source: str = ""
    neural_rate: float | None = None
    dff: bool = False
    sample: Recording | None = None
    notes: list[str] = field(default_factory=list)

    def option(self, key: str, value: Any, source: str = "") -> bool:
        """Set an option by its dotted key, unless it was given; returns whether it was set."""
        *parents, last = key.split(".")
        place = self.options
        for at, parent in enumerate(parents):
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                where = ".".join(parents[: at + 1])
                raise InputError(f"--option {where}: {place!r}, expected keys below it, such as {key}=VALUE")
        if last in place:
            return False
        place[last] = value
        if source:
            self.sources[key] = source
        return True

    @property
    def body(self) -> bool:
        """Whether behaviour is keypoints of a body, which have a centre that they can be relative to."""
        return self.sample.behavior.ndim == 3 and self.sample.behavior.shape[1] > 2


def propose(
    folder: Path,
    found: list[Found],
    folds: int,
    neural_rate: float | None = None,
    behavior_rate: float | None = None,
    given: Mapping[str, Any] | None = None,
) -> Proposal:
    """The proposal for ``folder`` with what ``look`` found in it; every recording is read for it.

    Args:
        folder: the raw folder.
        found: what is in it.
        folds: trials that every animal needs.
        neural_rate: frames per second, for files without a clock.
        behavior_rate: samples per second, likewise.
        given: reader options that are known, by dotted key; they are taken as they are.

    Raises:
        InputError: a folder that a reader of its own reads; nothing that pairs neural activity with behaviour, with
            what was found; whatever keeps the recordings from being read or from filling the folds, with what init
            has to be told.
    """
    complaints = refuse_layouts(folder)
    if complaints and not found:
        raise InputError(f"{folder}: nothing that a format recognises; {complained(folder, complaints)}")
    neural, behavior = _best(found, "neural"), _best(found, "behavior")
    if not neural or not behavior:
        there = ", ".join(
            f"{count} x {name}" for name, count in Counter(item.format for item in found).items()
        )
        lacking = " and ".join(
            _ROLES[role] for role, items in (("neural", neural), ("behavior", behavior)) if not items
        )
        raise InputError(
            f"{folder}: no {lacking} recognised (found: {there or 'nothing'}); expected files of both, such as a "
            "suite2p folder beside a DeepLabCut CSV, .nwb files, or a .yaml that describes arrays"
            + ("" if neural else unread(folder))
        )
    proposal = Proposal({}, {}, folds)
    for key, value in (given or {}).items():
        proposal.option(key, value, "[given]")
    if more := left_out(found, neural):
        proposal.notes.append(more)
    for role, rate in (("neural", neural_rate), ("behavior", behavior_rate)):
        if rate is not None:
            proposal.option(f"{role}.clock.rate", float(rate), "[given]")
    groups = _groups(folder, neural, behavior, _best(found, "labels"), proposal)
    _sources(groups, proposal)
    proposal.rows = _rows(folder, [group.path for group in groups])
    settle(folder, proposal)
    return proposal


@dataclass
class _Group:
    """A recording: its path, and what belongs to it by role."""

    path: Path
    parts: dict[str, Found]


def _best(found: list[Found], role: str) -> list[Found]:
    """Everything of the preferred format that gives ``role``."""
    for name in PREFERRED[role]:
        if items := [item for item in found if item.format == name and role in item.roles]:
            return items
    return []


def _groups(
    folder: Path, neural: list[Found], behavior: list[Found], labels: list[Found], proposal: Proposal
) -> list[_Group]:
    """Each neural item with the behaviour nearest to it: itself, or one in the lowest folder that holds both."""
    groups = []
    for item in neural:
        if item in behavior:
            groups.append(_Group(item.path, {"neural": item, "behavior": item}))
            continue
        for parent in (item.path, *item.path.parents):
            beside = [other for other in behavior if parent in other.path.parents]
            if beside or parent == folder:
                break
        rivals = [other for other in neural if parent in (other.path, *other.path.parents)]
        if not beside:
            proposal.notes.append(
                f"{item.path.relative_to(folder)}: no behaviour in a folder with it; left out."
            )
        elif len(rivals) > 1:
            raise InputError(
                f"{parent}: {len(rivals)} recordings of neural activity and {len(beside)} of behaviour in one folder, "
                "expected a folder for each recording; or write the sheet and the patterns of reader paired by hand"
            )
        elif len(beside) > 1 and "pattern" in item.options:
            raise InputError(
                f"{parent}: {item.phrase} and {len(beside)} files of behaviour, expected a folder for each recording, "
                "or one movie and one file of behaviour"
            )
        else:
            if len(beside) > 1:
                proposal.notes.append(
                    f"{parent.relative_to(folder)}: {len(beside)} files of behaviour; {beside[0].path.name} is taken."
                )
            groups.append(_Group(parent, {"neural": item, "behavior": beside[0]}))
    for group in groups:
        for item in labels:
            if item.path == group.path or group.path in item.path.parents:
                group.parts.setdefault("labels", item)
    if not groups:
        raise InputError(
            f"{folder}: no neural recording has behaviour in a folder with it, expected them together"
        )
    if any("labels" not in group.parts for group in groups):
        for group in groups:
            group.parts.pop("labels", None)
    return groups


def _sources(groups: list[_Group], proposal: Proposal) -> None:
    """Formats, patterns and the options that follow from the files."""
    parts = groups[0].parts
    for role, item in parts.items():
        # Given as null: not to be read.
        if role == "labels" and proposal.options.get(role, {}) is None:
            continue
        proposal.option(f"{role}.format", item.format)
        if proposal.options[role]["format"] != item.format:
            continue
        inside = [group.parts[role].path.relative_to(group.path).as_posix() for group in groups]
        if inside[0] != ".":
            proposal.option(f"{role}.path", "{path}/" + _pattern(inside))
        if item.format == "nwb":
            _nwb_series(role, [group.parts[role] for group in groups], proposal)
    neural_options([group.parts["neural"] for group in groups], proposal)
    if proposal.options["behavior"]["format"] in LIKELY:
        key, least = LIKELY[proposal.options["behavior"]["format"]]
        if proposal.option(f"behavior.options.{key}", least, "[ours] below it a keypoint is missing"):
            proposal.notes.append(
                f"Keypoints of a {key.removeprefix('min_')} below {least:g} count as missing (behavior.options.{key}; "
                "0 takes them all)."
            )
    labels = proposal.options.get("labels") or {}
    if labels.get("format") == "frame_labels" and proposal.option(
        "labels.options.conflicts", "unlabelled", "[ours]"
    ):
        proposal.notes.append("Frames with two labels count as unlabelled (labels.options.conflicts).")


def _pattern(paths: list[str]) -> str:
    """One pattern for paths that differ in their last part at most; else their suffix at any depth."""
    if len(set(paths)) == 1:
        return re.sub(r"([*?\[])", r"[\1]", paths[0])
    parents, names = {str(Path(path).parent) for path in paths}, [Path(path).name for path in paths]
    start = 0
    while all(len(name) > start and name[start] == names[0][start] for name in names):
        start += 1
    end = 0
    while all(len(name) > start + end and name[-1 - end] == names[0][-1 - end] for name in names):
        end += 1
    name = f"{names[0][:start]}*{names[0][len(names[0]) - end :]}"
    parent = f"{parents.pop()}/" if len(parents) == 1 else "**/"
    return name if parent == "./" else parent + name


def _nwb_series(role: str, items: list[Found], proposal: Proposal) -> None:
    """The likeliest series of the first NWB file that all of them have."""
    if role == "labels":
        return
    first, *others = items
    entries = {_series(entry): entry for entry in first.series[role]}
    names = [set(map(_series, item.series[role])) for item in others]
    common = [name for name in entries if all(name in there for there in names)]
    if common:
        chosen = common[0]
        if role == "neural" and "series" not in proposal.options[role].get("options", {}):
            refuse_unclear(first.path, [entries[name] for name in common])
        if proposal.option(f"{role}.options.series", [chosen]):
            more = ", ".join(name for name in entries if name != chosen)
            proposal.notes.append(
                f"{_ROLES[role].capitalize()}: the series {entries[chosen]}."
                + (f" Others are {more}." if more else "")
            )
    elif "series" not in proposal.options[role].get("options", {}):
        likeliest = next(iter(entries))
        item = next(item for item, there in zip(others, names, strict=True) if likeliest not in there)
        raise InputError(
            f"{item.path}: has no series {likeliest!r} of {_ROLES[role]}, the likeliest of {first.path}; it has "
            f"{'; '.join(item.series[role])}; expected files of one kind: a folder for each kind, or a series that all "
            f"have (--option '{role}.options.series=[NAME]')"
        )
    if role == "neural" and first.series["labels"]:
        proposal.notes.append(f"Intervals that could be labels: {'; '.join(first.series['labels'])}.")


def _series(entry: str) -> str:
    """The name of a series in what ``formats.nwb.contents`` says."""
    return entry.split(":")[0]


def _rows(folder: Path, paths: list[Path]) -> list[SheetRow]:
    """Animal and trial of every recording, from its path."""
    relative = [path.relative_to(folder) for path in paths]
    alone = [path.parts[0].split(".")[0] for path in relative if len(path.parts) == 1]
    numbered = len(alone) == len(relative) and all(_NUMBERED.fullmatch(name) for name in alone)
    rows = []
    for path in relative:
        text = path.as_posix()
        if dandi := _DANDI.search(text):
            animal, trial = dandi["animal"], dandi["trial"] or "1"
        elif numbered:
            match = _NUMBERED.fullmatch(path.parts[0].split(".")[0])
            animal, trial = match["animal"], match["trial"]
        else:
            animal, trial = paired.names(path if path.parts else Path(folder.name), None)
        rows.append(SheetRow(paired.safe(animal), paired.safe(trial), text))
    return rows
