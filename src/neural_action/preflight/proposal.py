"""Propose how to read the recordings of a folder: reader options and the rows of the samples table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from neural_action.errors import InputError
from neural_action.preflight.choice import given_file, one_of
from neural_action.preflight.folder import PREFERRED, Found
from neural_action.preflight.layouts import complained, refuse_layouts
from neural_action.preflight.signals import UNREAD_BEHAVIOR, left_out, neural_options, refuse_unclear, unread
from neural_action.preflight.trials import complete_proposal
from neural_action.recordings import nwb_behavior
from neural_action.recordings.formats import module_of, nwb
from neural_action.recordings.naming import alike, by_pattern, conflicts, named
from neural_action.recordings.patterns import covering
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow

#: Proposed number of folds: the paper's.
FOLDS = 4
#: Pose format -> option and value below which a keypoint counts as not tracked. The values are DeepLabCut's pcutoff and
#: SLEAP's peak threshold; Anipose gets that of DeepLabCut (our choice).
LIKELY = {
    "deeplabcut": ("min_likelihood", 0.6),
    "sleap": ("min_score", 0.2),
    "anipose": ("min_score", 0.6),
}
_ROLES = {"neural": "neural activity", "behavior": "behaviour", "labels": "labels"}


@dataclass
class Proposal:
    """Content of the configuration and the samples table that ``init`` writes.

    Attributes:
        options: options of the reader ``paired``.
        sources: dotted key -> where the option comes from, if not from the files.
        folds: number of folds.
        rows: rows of the samples table.
        class_names: names of the actions, if there are any.
        calcium: section ``calcium`` of the configuration.
        calcium_source: comment that explains this section.
        rates: neural and behavior -> rate (per second) to which all recordings are resampled, if they differ.
        dff: whether neural activity is raw fluorescence and is converted to dF/F.
        notes: sentences on what was decided.
        sample: the first recording, as the reader returns it; set by ``trials.complete_proposal``.
    """

    options: dict[str, Any]
    sources: dict[str, str]
    folds: int
    rows: list[SampleRow] = field(default_factory=list)
    class_names: list[str] | None = None
    calcium: dict[str, float] = field(default_factory=dict)
    calcium_source: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    dff: bool = False
    notes: list[str] = field(default_factory=list)
    sample: Recording = field(init=False, repr=False, compare=False)

    def option(self, key: str, value: Any, source: str = "") -> bool:
        """Set an option by its dotted key unless it already has a value; return whether it was set.

        InputError if a key on the way is not a mapping.
        """
        *parents, last = key.split(".")
        place = self.options
        for at, parent in enumerate(parents):
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                where = ".".join(parents[: at + 1])
                raise InputError(
                    f"--option {where}: {place!r}, expected a mapping with keys, such as {key}=VALUE"
                )
        if last in place:
            return False
        place[last] = value
        if source:
            self.sources[key] = source
        return True

    @property
    def body(self) -> bool:
        """Whether behaviour is the keypoints of a body, so that they can be relative to its centre."""
        return self.sample.behavior.ndim == 3 and self.sample.behavior.shape[1] > 2


def propose(
    folder: Path,
    found: list[Found],
    folds: int,
    neural_rate: float | None = None,
    behavior_rate: float | None = None,
    given: Mapping[str, Any] | None = None,
) -> Proposal:
    """The proposal for ``folder``; this reads every recording.

    Args:
        folder: the raw folder.
        found: its files, as ``look`` returns them.
        folds: number of folds, and so of trials that every animal needs.
        neural_rate: neural frames per second, for files without a clock.
        behavior_rate: behaviour samples per second, for files without a clock.
        given: dotted key -> value of reader options; these are not changed.

    Raises:
        InputError: the folder has a layout with its own reader; no neural activity with behaviour was found; or the
            recordings cannot be read or do not fill the folds. The message names the option of init that helps.
    """
    complaints = refuse_layouts(folder)
    if complaints and not found:
        raise InputError(f"{folder}: no files of a known format; {complained(folder, complaints)}")
    neural, behavior = _best(found, "neural"), _best(found, "behavior", given)
    proposal = Proposal({}, {}, folds)
    for key, value in (given or {}).items():
        proposal.option(key, value, "[given]")
    own_file = all(isinstance(_given(proposal, "behavior", key), str) for key in ("path", "format"))
    if not neural or not (behavior or own_file):
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
            + ("" if behavior else unread(folder, UNREAD_BEHAVIOR))
        )
    if more := left_out(found, neural):
        proposal.notes.append(more)
    for role, rate in (("neural", neural_rate), ("behavior", behavior_rate)):
        if rate is not None:
            proposal.option(f"{role}.clock.rate", float(rate), "[given]")
    groups = _groups(folder, neural, behavior, _best(found, "labels", given), proposal)
    _passed_over(found, groups, proposal)
    _sources(groups, proposal)
    proposal.rows = _rows(folder, groups, proposal)
    complete_proposal(folder, proposal)
    return proposal


@dataclass
class _Group:
    """A recording: its path, and its file for each role."""

    path: Path
    parts: dict[str, Found]


def _best(found: list[Found], role: str, given: Mapping[str, Any] | None = None) -> list[Found]:
    """All items with ``role`` of the given format, or else of the first format in ``PREFERRED`` that has any."""
    wanted = (given or {}).get(f"{role}.format")
    for name in PREFERRED[role] if wanted is None else (wanted,):
        if items := [item for item in found if item.format == name and role in item.roles]:
            return items
    return []


def _passed_over(found: list[Found], groups: list[_Group], proposal: Proposal) -> None:
    """Add notes on files of other formats that could be read for behaviour or labels."""
    for role in ("behavior", "labels"):
        taken = {group.parts[role].format for group in groups if role in group.parts}
        others = Counter(item.format for item in found if role in item.roles and item.format not in taken)
        if taken and others:
            shown = ", ".join(f"{count} x {name}" for name, count in others.items())
            proposal.notes.append(
                f"{_ROLES[role].capitalize()} is read from {', '.join(taken)}; not read: {shown} "
                f"(--option {role}.format={next(iter(others))} reads these)."
            )


def _groups(
    folder: Path, neural: list[Found], behavior: list[Found], labels: list[Found], proposal: Proposal
) -> list[_Group]:
    """Group each neural file with its behaviour (the same file, or one in the lowest common folder) and labels.

    InputError if it is not clear which files belong together, or no neural file has behaviour.
    """
    groups = []
    pattern, chosen_format = _given(proposal, "behavior", "path"), _given(proposal, "behavior", "format")
    for item in neural:
        if isinstance(pattern, str) and isinstance(chosen_format, str):
            there = given_file("behavior", chosen_format, pattern, folder, item.path)
            if there is not None:
                groups.append(_Group(there[0], {"neural": item, "behavior": there[1]}))
                continue
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
                f"{item.path.relative_to(folder)}: left out, there is no behaviour in its folder."
            )
        elif len(rivals) > 1:
            raise InputError(
                f"{parent}: {len(rivals)} neural recordings and {len(beside)} files of behaviour in one folder, "
                "expected one folder for each recording; or write the samples table and the patterns of reader paired "
                "by hand"
            )
        elif len(beside) > 1 and "pattern" in item.options:
            raise InputError(
                f"{parent}: {item.phrase} and {len(beside)} files of behaviour, expected one folder for each "
                "recording, with one movie and one file of behaviour"
            )
        else:
            pattern = _given(proposal, "behavior", "path")
            chosen = one_of("behavior", beside, folder, parent, pattern, proposal.notes)
            groups.append(_Group(parent, {"neural": item, "behavior": chosen}))
    for group in groups:
        own = [item for item in labels if item.path == group.path or group.path in item.path.parents]
        if own:
            pattern = _given(proposal, "labels", "path")
            group.parts["labels"] = one_of("labels", own, folder, group.path, pattern, proposal.notes)
    if not groups:
        raise InputError(
            f"{folder}: no neural recording has behaviour in its folder, expected both in one folder"
        )
    lacking = [group for group in groups if "labels" not in group.parts]
    if 0 < len(lacking) < len(groups):
        proposal.notes.append(
            f"Labels are not read, because {len(lacking)} of {len(groups)} recordings have none, such as "
            f"{lacking[0].path.relative_to(folder).as_posix()}."
        )
    if lacking:
        for group in groups:
            group.parts.pop("labels", None)
    return groups


def _given(proposal: Proposal, role: str, key: str) -> Any:
    """Value of the option ``key`` of ``role``; None if it is not set."""
    part = proposal.options.get(role)
    return part.get(key) if isinstance(part, dict) else None


def _sources(groups: list[_Group], proposal: Proposal) -> None:
    """Set formats, path patterns and the options that follow from the files."""
    parts = groups[0].parts
    for role, item in parts.items():
        # labels: null, as given, means that labels are not read.
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
    format_name = proposal.options["behavior"]["format"]
    poses = [group.parts["behavior"] for group in groups]
    if format_name in LIKELY and all(
        item.format == format_name and module_of(format_name).scored(item.path) for item in poses
    ):
        key, least = LIKELY[format_name]
        if proposal.option(f"behavior.options.{key}", least, "[ours] below it a keypoint is missing"):
            proposal.notes.append(
                f"Keypoints with a {key.removeprefix('min_')} below {least:g} count as missing "
                f"(behavior.options.{key}; 0 keeps all)."
            )
    labels = proposal.options.get("labels") or {}
    if labels.get("format") in ("events", "frame_labels") and proposal.option(
        "labels.options.conflicts", "unlabelled", "[ours]"
    ):
        proposal.notes.append("Frames with two labels count as unlabelled (labels.options.conflicts).")


def _pattern(paths: list[str]) -> str:
    """One glob pattern for all paths: in their common folder if they have one, otherwise at any depth."""
    if len(set(paths)) == 1:
        return re.sub(r"([*?\[])", r"[\1]", paths[0])
    parents, names = {str(Path(path).parent) for path in paths}, [Path(path).name for path in paths]
    name = covering(names)
    parent = f"{parents.pop()}/" if len(parents) == 1 else "**/"
    return name if parent == "./" else parent + name


def _nwb_series(role: str, items: list[Found], proposal: Proposal) -> None:
    """Choose the likeliest series of the first NWB file that all files have. InputError if there is none."""
    if role == "labels":
        return
    first, *others = items
    entries = {_series(entry): entry for entry in first.series[role]}
    names = [set(map(_series, item.series[role])) for item in others]
    common = [name for name in entries if all(name in there for there in names)]
    if common:
        chosen = common[0]
        if "series" not in proposal.options[role].get("options", {}):
            unclear = refuse_unclear if role == "neural" else _one_series
            unclear(first.path, [entries[name] for name in common])
        if proposal.option(f"{role}.options.series", [chosen]):
            more = ", ".join(name for name in entries if name != chosen)
            proposal.notes.append(
                f"{_ROLES[role].capitalize()} is read from the series {entries[chosen]}."
                + (f" Other series: {more}." if more else "")
            )
    elif "series" not in proposal.options[role].get("options", {}):
        likeliest = next(iter(entries))
        item = next(item for item, there in zip(others, names, strict=True) if likeliest not in there)
        raise InputError(
            f"{item.path}: has no series {likeliest!r} of {_ROLES[role]}, which {first.path} has; it has "
            f"{'; '.join(item.series[role])}; expected files with the same series: use one folder for each kind, or "
            f"name a series that all have (--option '{role}.options.series=[NAME]')"
        )
    if role == "neural" and first.series["labels"]:
        proposal.notes.append(f"Intervals that could be labels: {'; '.join(first.series['labels'])}.")


def _one_series(path: Path, entries: list[str]) -> None:
    """InputError if several series of an NWB file are equally likely, because their names do not tell them apart."""
    kind = entries[0].split(": ")[1].split(" ")[0]
    rank = _rank(entries[0])
    if rank == 2:
        raise InputError(
            f"{path}: holds {'; '.join(entries)}, expected behaviour; nothing was written: if one of them is, name it "
            "with --option 'behavior.options.series=[NAME]' and run init again"
        )
    alike = [
        _series(entry)
        for entry in entries
        if entry.split(": ")[1].split(" ")[0] == kind and (kind == "PoseEstimation" or _rank(entry) == rank)
    ]
    if len(alike) > 1:
        raise nwb_behavior.several(path, alike, kind)


def _rank(entry: str) -> int:
    """``nwb_behavior.likelihood`` of an entry of ``formats.nwb.contents``."""
    return 2 if entry.endswith(nwb.UNLIKELY) else nwb_behavior.likelihood(_series(entry))


def _series(entry: str) -> str:
    """The name of a series in an entry of ``formats.nwb.contents``."""
    return entry.split(":")[0]


def _rows(folder: Path, groups: list[_Group], proposal: Proposal) -> list[SampleRow]:
    """Rows of the samples table; animal and trial come from ``names``, else from the file or its path (see notes)."""
    relative = [PurePosixPath(group.path.relative_to(folder).as_posix()) for group in groups]
    if pattern := proposal.options.get("names"):
        proposal.notes.append(f"Animals and trials are named as given ({pattern}).")
        pairs = by_pattern(relative, pattern, "convert.reader_options.names")
        return [SampleRow(*pair, path.as_posix()) for pair, path in zip(pairs, relative, strict=True)]
    subjects = [_subject(group) for group in groups]
    # A folder that is itself the recording has no name below itself.
    paths = [path if path.parts else PurePosixPath(folder.resolve().name) for path in relative]
    found = named(paths, subjects)
    proposal.notes += conflicts(paths, subjects)
    proposal.notes += [
        f"{said}. To join them, edit the samples table." for said in alike([name.animal for name in found])
    ]
    for why in dict.fromkeys(name.why for name in found):
        animals = Counter(name.animal for name in found if name.why == why)
        shown = ", ".join(f"{animal} ({count})" for animal, count in list(animals.items())[:6])
        more = f" and {len(animals) - 6} more" if len(animals) > 6 else ""
        proposal.notes.append(
            f"Animals (recordings of each) by {why}: {shown}{more}. If that is wrong, add --option names=... or edit "
            "the samples table."
        )
    return [
        SampleRow(name.animal, name.trial, path.as_posix())
        for name, path in zip(found, relative, strict=True)
    ]


def _subject(group: _Group) -> str | None:
    """The subject in the recording's NWB file; None if there is none."""
    files = [item.path for item in group.parts.values() if item.format == "nwb"]
    return nwb.subject(files[0]) if files else None
